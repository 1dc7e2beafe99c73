#include "store/git/large_files.h"

#include <algorithm>

#include "store/git/git_process.h"
#include "store/git/objects.h"
#include "store/git/refs.h"

namespace bothy::git {
namespace {

constexpr size_t kMaxLineBytes = 64 * 1024;  // an oid and a path; more of a longer one is passed over

// Cuts a stream into lines.
class Lines {
 public:
  explicit Lines(std::function<Result<void>(std::string_view)> consume) : consume_(std::move(consume)) {}
  Result<void> Add(std::string_view text) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      const std::string_view piece = text.substr(0, end);
      line_.append(piece.substr(0, kMaxLineBytes - std::min(kMaxLineBytes, line_.size())));
      if (end == std::string_view::npos) return {};
      text.remove_prefix(end + 1);
      TRY(consume_(line_));
      line_.clear();
    }
    return {};
  }

 private:
  std::function<Result<void>(std::string_view)> consume_;
  std::string line_;
};

Result<std::optional<StoredPointer>> ReadPointer(const ObjectReader& reader, std::string_view line) {
  const auto oid = Oid::FromHex(line.substr(0, Oid::kHexDigits));
  if (!oid) return Fail(ErrorCode::kInternal, "git has written an unexpected line");
  const ObjectHeader header = TRY(reader.Header(*oid));
  if (header.kind != ObjectKind::kBlob || header.size > kMaxPointerBytes) return std::nullopt;
  auto pointer = ParsePointer(TRY(reader.Read(*oid, ObjectKind::kBlob, kMaxPointerBytes)).bytes());
  if (!pointer) return std::nullopt;
  return StoredPointer{*oid, *std::move(pointer)};
}

// Small blobs only; of other kinds just the ones that were given (tips). 1025: "limit" is the first size that is too
// large.
const std::vector<std::string> kSmallBlobs = {"rev-list", "--objects", "--filter=object:type=blob",
                                              fmt::format("--filter=blob:limit={}", kMaxPointerBytes + 1)};

}  // namespace

Result<void> ForEachStoredPointer(const GitRepository& repository,
                                  const std::function<Result<void>(const StoredPointer&)>& consume) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  Lines lines([&](std::string_view line) -> Result<void> {
    // OID TYPE SIZE
    if (line.size() < Oid::kHexDigits + 7 || line.substr(Oid::kHexDigits, 6) != " blob ") return {};
    if (line.size() > Oid::kHexDigits + 6 + 4) return {};  // five digits of size are too many for a pointer
    if (const auto pointer = TRY(ReadPointer(reader, line))) return consume(*pointer);
    return {};
  });
  return RunGit(
      repository,
      {"cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objecttype) %(objectsize)"}, {},
      [&](std::string_view text) { return lines.Add(text); });
}

Result<void> ForEachReachablePointer(const GitRepository& repository,
                                     const std::function<Result<void>(const StoredPointer&)>& consume) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  Lines lines([&](std::string_view line) -> Result<void> {
    if (const auto pointer = TRY(ReadPointer(reader, line))) return consume(*pointer);
    return {};
  });
  std::vector<std::string> arguments = kSmallBlobs;
  arguments.insert(arguments.end(), {"--no-object-names", "--all"});
  return RunGit(repository, arguments, {}, [&](std::string_view text) { return lines.Add(text); });
}

Result<void> ForEachLargeFile(const GitRepository& repository,
                              const std::function<Result<void>(const LargeFile&)>& consume) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  const std::string main = BranchRef(TRY(DefaultBranch(repository)));
  RefList list = TRY(ListRefs(repository));
  std::vector<Ref> refs;
  for (auto* kind : {&list.branches, &list.tags, &list.converts, &list.pull_requests}) {
    for (Ref& ref : *kind) refs.push_back(std::move(ref));
  }
  const auto at = std::find_if(refs.begin(), refs.end(), [&](const Ref& ref) { return ref.name == main; });
  if (at != refs.end()) std::rotate(refs.begin(), at, at + 1);
  std::vector<Oid> done;
  for (const Ref& ref : refs) {
    if (std::find(done.begin(), done.end(), ref.commit) != done.end()) continue;
    Lines lines([&](std::string_view line) -> Result<void> {
      auto pointer = TRY(ReadPointer(reader, line));
      if (!pointer) return {};
      return consume({.blob = pointer->blob,
                      .pointer = std::move(pointer->pointer),
                      .path = std::string(line.substr(std::min(line.size(), Oid::kHexDigits + 1))),
                      .ref = ref.name});
    });
    std::vector<std::string> arguments = kSmallBlobs;
    arguments.emplace_back("--stdin");
    const auto process = TRY(StartGit(repository, arguments));
    std::string input = ref.commit.ToHex() + "\n";
    for (const Oid& before : done) input += fmt::format("^{}\n", before.ToHex());
    std::string_view rest = input;
    const int status = TRY(process->Exchange([&]() -> Result<std::string_view> { return std::exchange(rest, {}); },
                                             [&](std::string_view text) { return lines.Add(text); }));
    if (status != 0) {
      return Fail(ErrorCode::kInternal, "git rev-list of {}: {}", repository.name(), process->error_output());
    }
    done.push_back(ref.commit);
  }
  return {};
}

}  // namespace bothy::git
