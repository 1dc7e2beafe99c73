#include "store/git/raw_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace bothy::git {

Result<RawEntry> NextEntry(std::string_view& rest) {
  const auto corrupt = [](std::string_view what) { return Fail(ErrorCode::kCorrupt, "tree: {}", what); };
  RawEntry entry;
  size_t at = 0;
  constexpr size_t kMaxModeDigits = 7;
  while (at < rest.size() && at <= kMaxModeDigits && rest[at] >= '0' && rest[at] <= '7') {
    entry.mode = entry.mode * 8 + static_cast<uint32_t>(rest[at++] - '0');
  }
  if (at == 0 || at > kMaxModeDigits || at == rest.size() || rest[at] != ' ') return corrupt("an entry has no mode");
  // Old programs wrote 100664 and the like; what counts is whether the owner may execute.
  if ((entry.mode & 0170000) == 0100000) entry.mode = (entry.mode & 0100) != 0 ? kModeExecutable : kModeFile;
  const size_t begin = at + 1;
  const void* end = std::memchr(rest.data() + begin, 0, rest.size() - begin);
  if (end == nullptr) return corrupt("an entry's name has no end");
  entry.name = rest.substr(begin, static_cast<size_t>(static_cast<const char*>(end) - rest.data()) - begin);
  if (entry.name.empty() || entry.name.find('/') != std::string_view::npos)
    return corrupt("an entry's name is invalid");
  const size_t oid = begin + entry.name.size() + 1;
  if (rest.size() - oid < Oid::kBytes) return corrupt("it is cut short");
  std::memcpy(entry.oid.bytes.data(), rest.data() + oid, Oid::kBytes);
  rest.remove_prefix(oid + Oid::kBytes);
  return entry;
}

Result<std::optional<RawEntry>> FindEntry(std::string_view tree, std::string_view name) {
  while (!tree.empty()) {
    const RawEntry entry = TRY(NextEntry(tree));
    if (entry.name == name) return entry;
  }
  return std::nullopt;
}

void AppendEntry(std::string& tree, const RawEntry& entry) {
  fmt::format_to(std::back_inserter(tree), "{:o} {}", entry.mode, entry.name);
  tree += '\0';
  tree.append(reinterpret_cast<const char*>(entry.oid.bytes.data()), Oid::kBytes);
}

int CompareEntries(std::string_view a, bool a_is_folder, std::string_view b, bool b_is_folder) {
  const size_t common = std::min(a.size(), b.size());
  if (const int order = std::memcmp(a.data(), b.data(), common); order != 0) return order;
  const auto next = [common](std::string_view name, bool is_folder) {
    return name.size() > common ? static_cast<uint8_t>(name[common]) : is_folder ? static_cast<uint8_t>('/') : 0;
  };
  const int order = next(a, a_is_folder) - next(b, b_is_folder);
  // "a/" and "a/x" do not occur: no name holds a slash. But equal next bytes may hide different lengths.
  if (order != 0 || a.size() == b.size()) return order;
  return a.size() < b.size() ? -1 : 1;
}

namespace {

// Takes off the front what both have: 100,000 equal entries in 2 ms, where parsing them would take ten.
void SkipEqual(std::string_view& a, std::string_view& b) {
  size_t at = 0;
  const size_t size = std::min(a.size(), b.size());
  while (at < size) {
    const void* name_end = std::memchr(a.data() + at, 0, size - at);
    if (name_end == nullptr) break;
    const size_t end = static_cast<size_t>(static_cast<const char*>(name_end) - a.data()) + 1 + Oid::kBytes;
    if (end > size || std::memcmp(a.data() + at, b.data() + at, end - at) != 0) break;
    at = end;
  }
  a.remove_prefix(at);
  b.remove_prefix(at);
}

}  // namespace

Result<void> CompareTrees(std::string_view before, std::string_view after, const OnChange& changed) {
  std::optional<RawEntry> a, b;
  for (;;) {
    if (!a && !b) SkipEqual(before, after);
    if (!a && !before.empty()) a = TRY(NextEntry(before));
    if (!b && !after.empty()) b = TRY(NextEntry(after));
    if (!a && !b) return {};
    const int order = !a ? 1 : !b ? -1 : CompareEntries(a->name, a->IsFolder(), b->name, b->IsFolder());
    if (order == 0) {
      if (!a->SameAs(*b)) TRY(changed(&*a, &*b));
      a.reset();
      b.reset();
    } else if (order < 0) {
      TRY(changed(&*a, nullptr));
      a.reset();
    } else {
      TRY(changed(nullptr, &*b));
      b.reset();
    }
  }
}

}  // namespace bothy::git
