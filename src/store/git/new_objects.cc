#include "store/git/new_objects.h"

#include <algorithm>

#include "store/git/git_lines.h"
#include "store/git/git_process.h"
#include "store/git/incoming.h"
#include "store/git/objects.h"
#include "store/git/raw_tree.h"
#include "store/git/refs.h"

namespace bothy::git {
namespace {

Result<void> GiveBlob(const ObjectReader& reader, const Oid& oid, std::string_view path, uint64_t size,
                      const NewObjects& consume) {
  NewBlob blob{.oid = oid, .path = std::string(path), .size = size};
  if (size <= kMaxPointerBytes) {
    blob.pointer = ParsePointer(TRY(reader.Read(oid, ObjectKind::kBlob, kMaxPointerBytes)).bytes());
  }
  return consume.blob(blob);
}

Result<void> GivePaths(const ObjectReader& reader, const Oid& oid, std::string_view folder, const NewObjects& consume) {
  const Object tree = TRY(reader.Read(oid, ObjectKind::kTree, kMaxTreeBytes));
  std::string path;
  for (std::string_view rest = tree.bytes(); !rest.empty();) {
    const RawEntry entry = TRY(NextEntry(rest));
    path = folder;
    if (!folder.empty()) path += '/';
    path += entry.name;
    TRY(consume.path(path));
  }
  return {};
}

// "OID", "OID " (a commit's root) or "OID PATH".
Result<void> GiveObject(const ObjectReader& reader, std::string_view line, const NewObjects& consume) {
  const auto oid = Oid::FromHex(line.substr(0, Oid::kHexDigits));
  if (!oid) return Fail(ErrorCode::kInternal, "git has written an unexpected line");
  const std::string_view path = line.substr(std::min(line.size(), Oid::kHexDigits + 1));
  const ObjectHeader header = TRY(reader.Header(*oid));
  if (header.kind == ObjectKind::kBlob) return GiveBlob(reader, *oid, path, header.size, consume);
  if (header.kind == ObjectKind::kTree) return GivePaths(reader, *oid, path, consume);
  return {};
}

}  // namespace

Result<void> ForEachNewObject(const GitRepository& repository, std::span<const Oid> tips, const NewObjects& consume) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  std::string input;
  for (const Oid& tip : tips) {
    TRY(reader.Header(tip, IfMissing::kNotFound));
    input += fmt::format("{}\n", tip.ToHex());
  }
  LineCutter lines([&](std::string_view line) { return GiveObject(reader, line, consume); });
  const auto process = TRY(StartGit(
      repository, {"rev-list", "--objects", "--stdin", "--not", fmt::format("--exclude={}*", kIncomingRefs), "--all"}));
  std::string_view rest = input;
  const int status = TRY(process->Exchange([&]() -> Result<std::string_view> { return std::exchange(rest, {}); },
                                           [&](std::string_view text) { return lines.Add(text); }));
  if (status == 0) return {};
  return Fail(ErrorCode::kNotFound, "{}: something that was pushed leads to what is missing: {}", repository.name(),
              process->error_output());
}

Result<bool> IsReachable(const GitRepository& repository, const Oid& commit) {
  const RefList list = TRY(ListRefs(repository));
  for (const auto* refs : {&list.branches, &list.tags, &list.converts, &list.pull_requests}) {
    if (std::ranges::find(*refs, commit, &Ref::commit) != refs->end()) return true;
  }
  {
    const ObjectReader reader = TRY(ObjectReader::Open(repository));
    TRY(TreeOfCommit(reader, commit));  // git would fail on what is no commit
  }
  bool reachable = true;
  TRY(RunGit(repository, {"rev-list", "--max-count=1", commit.ToHex(), "--not", "--all"}, {},
             [&](std::string_view text) -> Result<void> {
               if (!text.empty()) reachable = false;
               return {};
             }));
  return reachable;
}

}  // namespace bothy::git
