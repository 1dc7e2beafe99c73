// The bytes of objects that somebody pushed: as a commit, as a tree, and as two trees to compare, of which the first is
// as long as the first two bytes say.
#include <vector>

#include "input.h"
#include "store/git/commit_object.h"
#include "store/git/raw_tree.h"

using namespace bothy;

namespace {

Result<std::vector<git::RawEntry>> ReadTree(std::string_view bytes) {
  std::vector<git::RawEntry> entries;
  while (!bytes.empty()) {
    const size_t before = bytes.size();
    entries.push_back(TRY(git::NextEntry(bytes)));
    CHECK(bytes.size() < before);
  }
  return entries;
}

// What was read is written in a form that is read as the same.
void CheckTree(std::string_view bytes) {
  const auto entries = ReadTree(bytes);
  if (!entries) return;
  std::string written;
  for (const git::RawEntry& entry : *entries) git::AppendEntry(written, entry);
  const auto again = ReadTree(written);
  CHECK(again && again->size() == entries->size());
  for (size_t i = 0; i < entries->size(); i++) {
    const git::RawEntry& entry = (*entries)[i];
    CHECK(!entry.name.empty() && entry.name.find('/') == std::string_view::npos);
    CHECK(entry.name == (*again)[i].name && entry.SameAs((*again)[i]));
  }
}

Result<size_t> CountChanges(std::string_view before, std::string_view after) {
  size_t changes = 0;
  TRY(git::CompareTrees(before, after, [&](const git::RawEntry* a, const git::RawEntry* b) -> Result<void> {
    CHECK(a != nullptr || b != nullptr);
    changes++;
    return {};
  }));
  return changes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view input = InputText(data, size).substr(2);
  if (const auto commit = git::ParseCommit(git::Oid{}, input)) CHECK(commit->title.find('\n') == std::string::npos);
  CheckTree(input);
  const std::string_view before = input.substr(0, data[0] * size_t{256} + data[1]);
  const std::string_view after = input.substr(before.size());
  const auto there = CountChanges(before, after), back = CountChanges(after, before);
  CHECK(there.has_value() == back.has_value() && (!there || *there == *back));
  if (ReadTree(before)) CHECK(CountChanges(before, before) == size_t{0});
  return 0;
}
