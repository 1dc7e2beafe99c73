#include "store/git/large_files.h"

#include <algorithm>
#include <unordered_map>

#include "store/git/git_lines.h"
#include "store/git/git_process.h"
#include "store/git/objects.h"
#include "store/git/refs.h"

namespace bothy::git {
namespace {

Result<std::optional<StoredPointer>> ReadPointer(const ObjectReader& reader, std::string_view line) {
  const auto oid = Oid::FromHex(line.substr(0, Oid::kHexDigits));
  if (!oid) return Fail(ErrorCode::kInternal, "git has written an unexpected line");
  const ObjectHeader header = TRY(reader.Header(*oid));
  if (header.kind != ObjectKind::kBlob || header.size > kMaxPointerBytes) return std::nullopt;
  auto pointer = ParsePointer(TRY(reader.Read(*oid, ObjectKind::kBlob, kMaxPointerBytes)).bytes());
  if (!pointer) return std::nullopt;
  return StoredPointer{*oid, *std::move(pointer)};
}

Result<void> ConsumeLargeFile(const ObjectReader& reader, std::string_view line, const std::string& ref,
                              const std::function<Result<void>(const LargeFile&)>& consume) {
  auto pointer = TRY(ReadPointer(reader, line));
  if (!pointer) return {};
  return consume({.blob = pointer->blob,
                  .pointer = std::move(pointer->pointer),
                  .path = std::string(line.substr(std::min(line.size(), Oid::kHexDigits + 1))),
                  .ref = ref});
}

// Small blobs; 1025: "limit" is the first size that is too large.
std::vector<std::string> ListSmallBlobs() {
  return {"rev-list", "--objects", fmt::format("--filter=blob:limit={}", kMaxPointerBytes + 1)};
}

// Nothing but blobs, or just what was given (tips).
constexpr const char* kNoTreesNorCommits = "--filter=object:type=blob";

// What each ref of `refs` but the first leads to and the first does not. Commits come before their parents and each
// before what it is the first to hold, so a commit's ref is known from its children, and a blob's from its commit.
class OtherRefs {
 public:
  OtherRefs(const ObjectReader& reader, const std::vector<Ref>& refs,
            const std::function<Result<void>(const LargeFile&)>& consume)
      : reader_(reader), refs_(refs), consume_(consume) {
    for (size_t i = 1; i < refs.size(); i++) ref_of_.emplace(refs[i].commit, i);
  }

  static std::vector<std::string> Arguments() {
    std::vector<std::string> arguments = ListSmallBlobs();
    arguments.insert(arguments.end(), {"--topo-order", "--in-commit-order", "--no-commit-header",
                                       fmt::format("--format={}%H %P", kCommitMark), "--stdin"});
    return arguments;
  }

  Result<void> Add(std::string_view line) {
    if (!line.starts_with(kCommitMark)) return ConsumeLargeFile(reader_, line, refs_[ref_].name, consume_);
    line.remove_prefix(kCommitMark.size());
    const auto commit = ref_of_.extract(Oid::FromHex(line.substr(0, Oid::kHexDigits)).value_or(Oid{}));
    if (commit.empty()) return {};  // only of a parent that was cut off a line: it stays with the commit before
    ref_ = commit.mapped();
    for (size_t at = Oid::kHexDigits + 1; at < line.size(); at += Oid::kHexDigits + 1) {
      const auto parent = Oid::FromHex(line.substr(at, Oid::kHexDigits));
      if (!parent) break;
      const auto known = ref_of_.emplace(*parent, ref_).first;
      known->second = std::min(known->second, ref_);
    }
    return {};
  }

 private:
  static constexpr std::string_view kCommitMark = "c ";  // lines of objects begin with 40 hex digits

  const ObjectReader& reader_;
  const std::vector<Ref>& refs_;
  const std::function<Result<void>(const LargeFile&)>& consume_;
  std::unordered_map<Oid, size_t> ref_of_;  // of commits to come
  size_t ref_ = 1;                          // of the commit that came last
};

}  // namespace

Result<void> ForEachStoredPointer(const GitRepository& repository,
                                  const std::function<Result<void>(const StoredPointer&)>& consume) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  LineCutter lines([&](std::string_view line) -> Result<void> {
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
  LineCutter lines([&](std::string_view line) -> Result<void> {
    if (const auto pointer = TRY(ReadPointer(reader, line))) return consume(*pointer);
    return {};
  });
  std::vector<std::string> arguments = ListSmallBlobs();
  arguments.insert(arguments.end(), {kNoTreesNorCommits, "--no-object-names", "--all"});
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
  if (refs.empty()) return {};

  std::vector<std::string> arguments = ListSmallBlobs();
  arguments.insert(arguments.end(), {kNoTreesNorCommits, refs[0].commit.ToHex()});
  LineCutter first([&](std::string_view line) { return ConsumeLargeFile(reader, line, refs[0].name, consume); });
  TRY(RunGit(repository, arguments, {}, [&](std::string_view text) { return first.Add(text); }));

  OtherRefs others(reader, refs, consume);
  LineCutter lines([&](std::string_view line) { return others.Add(line); });
  const auto process = TRY(StartGit(repository, OtherRefs::Arguments()));
  std::string input = fmt::format("^{}\n", refs[0].commit.ToHex());
  for (const Ref& ref : refs) input += ref.commit.ToHex() + "\n";
  std::string_view rest = input;
  const int status = TRY(process->Exchange([&]() -> Result<std::string_view> { return std::exchange(rest, {}); },
                                           [&](std::string_view text) { return lines.Add(text); }));
  if (status == 0) return {};
  return Fail(ErrorCode::kInternal, "git rev-list of {}: {}", repository.name(), process->error_output());
}

}  // namespace bothy::git
