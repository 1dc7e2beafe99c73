#include "store/git/commits.h"

#include <git2.h>

#include <algorithm>
#include <optional>
#include <queue>
#include <unordered_set>

#include "store/git/commit_object.h"
#include "store/git/raw_tree.h"

namespace bothy::git {
namespace {

constexpr size_t kMaxCursorCommits = 64;  // places that a walk may stand at between pages: parallel branches
constexpr char kSkipMark = '+';           // a cursor of a walk that stands at more places: "+" and how many were shown

// A walk from commits to their parents, the newest first. Parents of a commit are added by who uses it.
class Walk {
 public:
  explicit Walk(const ObjectReader& reader) : reader_(reader) {}

  Result<void> Add(const Oid& oid) {
    if (!seen_.insert(oid).second) return {};
    queue_.push({TRY(git::ReadCommit(reader_, oid)), count_++});
    return {};
  }
  bool done() const { return queue_.empty(); }
  Commit Next() {
    Commit commit = std::move(const_cast<Waiting&>(queue_.top()).commit);
    queue_.pop();
    return commit;
  }
  std::vector<Oid> Waits() {
    std::vector<Oid> oids;
    for (; !queue_.empty(); queue_.pop()) oids.push_back(queue_.top().commit.oid);
    return oids;
  }
  size_t waiting() const { return queue_.size(); }

 private:
  struct Waiting {
    Commit commit;
    uint64_t count;
    bool operator<(const Waiting& other) const {
      if (commit.committer.time != other.commit.committer.time) {
        return commit.committer.time < other.commit.committer.time;
      }
      return count > other.count;
    }
  };
  const ObjectReader& reader_;
  std::priority_queue<Waiting> queue_;
  std::unordered_set<Oid> seen_;
  uint64_t count_ = 0;
};

// What lies at a path, for comparing: mode and oid, or nothing.
Result<std::optional<RawEntry>> At(ObjectReader& reader, const Oid& tree, std::string_view path) {
  RawEntry at{.name = {}, .mode = kModeFolder, .oid = tree};
  while (!path.empty()) {
    if (!at.IsFolder()) return std::nullopt;
    const size_t slash = path.find('/');
    const auto next = TRY(TRY(reader.ReadTree(at.oid))->Find(path.substr(0, slash)));
    if (!next) return std::nullopt;
    at = *next;
    at.name = {};
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return at;
}

// Adds those parents of a commit that its history goes on with, and says whether the commit changed `path`: git log's
// default simplification, which follows only a parent that has the same there.
Result<bool> Follow(ObjectReader& reader, Walk& walk, const Commit& commit, std::string_view path) {
  if (path.empty()) {
    for (const Oid& parent : commit.parents) TRY(walk.Add(parent));
    return true;
  }
  const auto here = TRY(At(reader, commit.tree, path));
  if (commit.parents.empty()) return here.has_value();
  for (const Oid& parent : commit.parents) {
    const auto there = TRY(At(reader, TRY(TreeOfCommit(reader, parent)), path));
    if (here.has_value() == there.has_value() && (!here || here->SameAs(*there))) {
      TRY(walk.Add(parent));
      return false;
    }
  }
  for (const Oid& parent : commit.parents) TRY(walk.Add(parent));
  return true;
}

Result<void> Start(Walk& walk, const Oid& from, std::string_view cursor, size_t& skip) {
  const auto refuse = [] { return Fail(ErrorCode::kInvalidArgument, "the cursor is not one of this list's"); };
  if (cursor.empty()) return walk.Add(from);
  if (cursor[0] == kSkipMark) {
    for (const char c : cursor.substr(1)) {
      if (c < '0' || c > '9' || skip > SIZE_MAX / 100) return refuse();
      skip = skip * 10 + static_cast<size_t>(c - '0');
    }
    return walk.Add(from);
  }
  for (size_t at = 0; at < cursor.size(); at += Oid::kHexDigits) {
    const auto oid = Oid::FromHex(cursor.substr(at, Oid::kHexDigits));
    if (!oid || at > kMaxCursorCommits * Oid::kHexDigits || !walk.Add(*oid)) return refuse();
  }
  return {};
}

}  // namespace

Result<Commit> ReadCommit(const GitRepository& repository, const Oid& oid) {
  return ReadCommit(TRY(ObjectReader::Open(repository)), oid, IfMissing::kNotFound);
}

Result<std::vector<Commit>> ReadCommits(const GitRepository& repository, std::span<const Oid> oids) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  std::vector<Commit> commits;
  for (const Oid& oid : oids) commits.push_back(TRY(ReadCommit(reader, oid, IfMissing::kNotFound)));
  return commits;
}

Result<HistoryPage> ListCommits(const GitRepository& repository, const Oid& from, const HistoryOptions& options) {
  ObjectReader reader = TRY(ObjectReader::Open(repository));
  const size_t limit = std::clamp<size_t>(options.limit, 1, kMaxHistoryLimit);
  TRY(CheckCommit(reader, from));
  Walk walk(reader);
  size_t skip = 0;
  TRY(Start(walk, from, options.cursor, skip));
  const size_t shown_before = skip;  // of a cursor that counts
  skip += options.skip;
  const size_t skipped = skip;
  HistoryPage page;
  while (!walk.done() && page.commits.size() < limit) {
    Commit commit = walk.Next();
    if (!TRY(Follow(reader, walk, commit, options.path))) continue;
    if (skip > 0) {
      skip--;
    } else {
      page.commits.push_back(std::move(commit));
    }
  }
  if (walk.done()) return page;
  const bool counts = walk.waiting() > kMaxCursorCommits || options.cursor.starts_with(kSkipMark);
  if (!counts) {
    for (const Oid& oid : walk.Waits()) page.cursor += oid.ToHex();
  } else if (options.cursor.empty() || shown_before > 0) {
    page.cursor = fmt::format("{}{}", kSkipMark, skipped + page.commits.size());
  } else {
    return Fail(ErrorCode::kResourceExhausted, "the history has too many parallel branches for a cursor: use skip");
  }
  return page;
}

Result<uint64_t> CountCommits(const GitRepository& repository, const Oid& from) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  TRY(CheckCommit(reader, from));
  git_revwalk* raw = nullptr;
  int status = git_revwalk_new(&raw, reader.repository());
  if (status != 0) return tl::unexpected(LibgitError(status, repository.name()));
  const Owned<git_revwalk> walk(raw, git_revwalk_free);
  const git_oid start = ToLibgit(from);
  status = git_revwalk_push(raw, &start);
  if (status != 0) return tl::unexpected(LibgitError(status, from.ToHex()));
  uint64_t count = 0;
  for (git_oid id; (status = git_revwalk_next(&id, raw)) == 0;) count++;
  if (status != GIT_ITEROVER) return tl::unexpected(LibgitError(status, repository.name()));
  return count;
}

Result<bool> IsAncestor(const GitRepository& repository, const Oid& ancestor, const Oid& of) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  TRY(CheckCommit(reader, ancestor));
  TRY(CheckCommit(reader, of));
  const git_oid below = ToLibgit(ancestor);
  const git_oid above = ToLibgit(of);
  if (ancestor == of) return true;
  const int status = git_graph_descendant_of(reader.repository(), &above, &below);
  if (status < 0)
    return tl::unexpected(LibgitError(status, fmt::format("{}: history of {}", repository.name(), of.ToHex())));
  return status == 1;
}

}  // namespace bothy::git
