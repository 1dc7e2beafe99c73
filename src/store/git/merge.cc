#include "store/git/merge.h"

#include <git2.h>

#include <algorithm>
#include <map>

#include "store/git/changes.h"
#include "store/git/commit_object.h"
#include "store/git/pointer.h"
#include "store/git/refs.h"
#include "store/git/tree_edit.h"

namespace bothy::git {
namespace {

constexpr uint64_t kMaxTextBytes = 1 << 20;  // what is merged line by line; larger files are whole or in conflict
constexpr int kMaxTries = 10;

Result<std::optional<Oid>> AncestorWith(const ObjectReader& reader, const Oid& a, const Oid& b) {
  git_oid base;
  const git_oid one = ToLibgit(a), two = ToLibgit(b);
  TRY(CheckCommit(reader, a));
  TRY(CheckCommit(reader, b));
  const int status = git_merge_base(&base, reader.repository(), &one, &two);
  if (status == GIT_ENOTFOUND && !IsMissingObject(status)) return std::nullopt;
  if (status != 0) {
    return tl::unexpected(LibgitError(status, fmt::format("{}: history of {}", reader.name(), a.ToHex())));
  }
  return FromLibgit(base);
}

bool IsFile(uint32_t mode) { return (mode & 0170000) == 0100000; }

// The lines of both, nothing where they collide or are no text.
Result<std::optional<std::string>> MergeText(const ObjectReader& reader, const Change& ours, const Change& theirs) {
  std::string texts[3];
  const Oid oids[3] = {ours.old_oid, ours.oid, theirs.oid};
  for (int i = 0; i < 3; i++) {
    if (TRY(reader.Header(oids[i])).size > kMaxTextBytes) return std::nullopt;
    texts[i] = TRY(reader.Read(oids[i], ObjectKind::kBlob, kMaxTextBytes)).bytes();
    // Half of a pointer and half of another name no file.
    if (texts[i].find('\0') != std::string::npos || ParsePointer(texts[i])) return std::nullopt;
  }
  git_merge_file_input inputs[3];
  for (int i = 0; i < 3; i++) {
    git_merge_file_input_init(&inputs[i], GIT_MERGE_FILE_INPUT_VERSION);
    inputs[i].ptr = texts[i].data();
    inputs[i].size = texts[i].size();
    inputs[i].path = "file";
    inputs[i].mode = kModeFile;
  }
  git_merge_file_result result{};
  const int status = git_merge_file(&result, &inputs[0], &inputs[1], &inputs[2], nullptr);
  if (status != 0) return tl::unexpected(LibgitError(status, "merge"));
  std::optional<std::string> merged;
  if (result.automergeable != 0) merged = std::string(result.ptr, result.len);
  git_merge_file_result_free(&result);
  return merged;
}

struct Plan {
  TreeEdit edit;  // on top of ours
  std::vector<std::string> conflicts;
};

class Planner {
 public:
  Planner(ObjectReader& reader, ObjectWriter* writer) : reader_(reader), writer_(writer) {}

  Result<Plan> Make(const Oid& base, const Oid& into, const Oid& from) {
    const Oid base_tree = TRY(TreeOfCommit(reader_, base));
    const ChangeList ours = TRY(ChangesOfTrees(reader_, base_tree, TRY(TreeOfCommit(reader_, into)), kMaxChanges));
    const ChangeList theirs = TRY(ChangesOfTrees(reader_, base_tree, TRY(TreeOfCommit(reader_, from)), kMaxChanges));
    if (!ours.complete || !theirs.complete) {
      return Fail(ErrorCode::kResourceExhausted, "more than {} files differ: merge with git", kMaxChanges);
    }
    for (const Change& change : ours.changes) Remember(change);
    // Removals first: a file may give way to a folder of its name.
    for (const Change& change : theirs.changes) {
      if (change.kind == ChangeKind::kDeleted) TRY(Take(change));
    }
    for (const Change& change : theirs.changes) {
      if (change.kind != ChangeKind::kDeleted) TRY(Take(change));
    }
    std::sort(plan_.conflicts.begin(), plan_.conflicts.end());
    return std::move(plan_);
  }

 private:
  // A file that became a folder or another kind is a deletion and an addition; the addition is what counts.
  void Remember(const Change& change) {
    auto& known = ours_[change.path];
    if (change.kind != ChangeKind::kDeleted || known.path.empty()) known = change;
  }

  // A file of ours where they need a folder, or the other way round.
  bool Collides(const std::string& path) const {
    for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto above = ours_.find(path.substr(0, slash));
      if (above != ours_.end() && above->second.kind != ChangeKind::kDeleted) return true;
    }
    for (auto below = ours_.lower_bound(path + "/"); below != ours_.end() && below->first.starts_with(path + "/");
         ++below) {
      if (below->second.kind != ChangeKind::kDeleted) return true;
    }
    return false;
  }

  Result<void> Take(const Change& theirs) {
    const auto conflict = [&]() -> Result<void> {
      plan_.conflicts.push_back(theirs.path);
      return {};
    };
    const auto known = ours_.find(theirs.path);
    if (known != ours_.end()) {
      const Change& ours = known->second;
      if (ours.mode == theirs.mode && ours.oid == theirs.oid) return {};
      const bool both_edit = ours.kind == ChangeKind::kModified && theirs.kind == ChangeKind::kModified;
      if (!both_edit || !IsFile(ours.mode) || !IsFile(theirs.mode) || !IsFile(ours.old_mode)) return conflict();
      // One side's mode, the other's content, or both contents together.
      const uint32_t mode = ours.mode == ours.old_mode ? theirs.mode : ours.mode;
      if (theirs.oid == theirs.old_oid) return plan_.edit.Put(theirs.path, ours.oid, mode);
      if (ours.oid == ours.old_oid) return plan_.edit.Put(theirs.path, theirs.oid, mode);
      if (ours.oid == theirs.oid) return plan_.edit.Put(theirs.path, theirs.oid, mode);
      const auto merged = TRY(MergeText(reader_, ours, theirs));
      if (!merged) return conflict();
      if (writer_ == nullptr) return {};
      return plan_.edit.Put(theirs.path, TRY(writer_->Write(ObjectKind::kBlob, *merged)), mode);
    }
    if (theirs.kind == ChangeKind::kDeleted) return plan_.edit.Remove(theirs.path);
    if (Collides(theirs.path)) return conflict();
    return plan_.edit.Put(theirs.path, theirs.oid, theirs.mode);
  }

  ObjectReader& reader_;
  ObjectWriter* writer_;
  std::map<std::string, Change> ours_;
  Plan plan_;
};

tl::unexpected<Error> Unrelated() { return Fail(ErrorCode::kFailedPrecondition, "the two have no history in common"); }

}  // namespace

Result<std::optional<Oid>> CommonAncestor(const GitRepository& repository, const Oid& a, const Oid& b) {
  return AncestorWith(TRY(ObjectReader::Open(repository)), a, b);
}

Result<std::vector<std::string>> FindConflicts(const GitRepository& repository, const Oid& into, const Oid& from) {
  ObjectReader reader = TRY(ObjectReader::Open(repository));
  const auto base = TRY(AncestorWith(reader, into, from));
  if (!base) return Unrelated();
  if (*base == into || *base == from) return std::vector<std::string>();
  return TRY(Planner(reader, nullptr).Make(*base, into, from)).conflicts;
}

Result<MergeResult> Merge(const std::shared_ptr<GitRepository>& repository, const MergeOptions& options) {
  const WriteGuard guard = TRY(WriteGuard::Take(*repository));
  ObjectReader reader = TRY(ObjectReader::Open(*repository));
  ObjectWriter writer = TRY(ObjectWriter::Open(*repository));
  const std::lock_guard lock(repository->internals().writer);
  for (int tries = 0; tries < kMaxTries; tries++) {
    const auto head = TRY(FindRef(*repository, options.into));
    if (!head) return Fail(ErrorCode::kNotFound, "there is no {} in {}", options.into, repository->name());
    const auto base = TRY(AncestorWith(reader, *head, options.from));
    if (!base) return Unrelated();
    if (*base == options.from) return MergeResult{.commit = *head, .conflicts = {}};  // it is in there already
    Oid commit = options.from;
    if (*base != *head || !options.fast_forward) {
      const Plan plan = TRY(Planner(reader, &writer).Make(*base, *head, options.from));
      if (!plan.conflicts.empty()) return MergeResult{.commit = std::nullopt, .conflicts = plan.conflicts};
      const Oid tree = TRY(plan.edit.Apply(reader, writer, TRY(TreeOfCommit(reader, *head))));
      const std::vector<Oid> parents = {*head, options.from};
      commit = TRY(writer.Write(ObjectKind::kCommit,
                                FormatCommit(tree, parents, options.author, options.committer, options.message)));
      TRY(writer.Flush());
    }
    const auto moved = MoveRef(*repository, options.into, head, commit);
    if (moved) return MergeResult{.commit = commit, .conflicts = {}};
    if (moved.error().code != ErrorCode::kFailedPrecondition) return tl::unexpected(moved.error());
  }
  return Fail(ErrorCode::kUnavailable, "{} of {} is written to by others all the time: try again", options.into,
              repository->name());
}

}  // namespace bothy::git
