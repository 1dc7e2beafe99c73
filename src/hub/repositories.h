// Repositories: found by name, made, deleted, changed, moved and copied. Each is a row in the database and a bare git
// repository on the disk, and the two never disagree for longer than a call takes: the row says first what is about to
// happen, the disk follows, the row says last that it has happened, and Recover finishes or undoes what a crash has
// cut.
//
// Rights are decided before (rights.h): nothing here asks who may.
#pragma once

#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/clock.h"
#include "hub/repository.h"
#include "store/database/database.h"
#include "store/git/repository.h"

namespace bothy {

struct NewRepository {
  RepositoryKind kind = RepositoryKind::kModel;
  int64_t owner_id = 0;  // of a namespace
  std::string owner;     // its name
  std::string name;
  bool is_private = false;
  Gating gating = Gating::kNone;
  std::string license;    // where there is one, the first commit has a card that says so
  std::string space_sdk;  // the same, of spaces
};

struct RepositorySettings {  // what is not there stays as it is
  std::optional<bool> is_private;
  std::optional<Gating> gating;
  std::optional<bool> disabled;
};

// What Recover did and found, by names below the folder of git repositories.
struct RecoveryReport {
  std::vector<std::string> undone_creations;
  std::vector<std::string> finished_deletions;
  std::vector<std::string> finished_moves;
  std::vector<std::string> missing;  // rows without a repository on the disk: restore it
  std::vector<std::string> unknown;  // repositories without a row: left alone
};

// Who wrote a commit that the hub makes for an actor. The address leads nowhere, so that nobody's own is published.
git::Signature AuthorOf(const Actor& actor, Timestamp now);

// Safe to use from several threads. One process writes to a folder (data_lock.h); others may look into it meanwhile.
class Repositories {
 public:
  // `folder` holds the git repositories: models/ns/name.git and so on.
  Repositories(Database& database, std::filesystem::path folder, Clock clock);

  // By whatever case of the name, and by names from before a move. Nothing where there is none.
  Result<std::optional<FoundRepository>> Find(const Actor& actor, RepositoryKind kind, std::string_view owner,
                                              std::string_view name) const;
  Result<std::optional<FoundRepository>> FindById(const Actor& actor, int64_t id) const;

  // With the file .gitattributes in one commit. kAlreadyExists, kInvalidArgument for a name that no repository can
  // have.
  Result<Repository> Create(const Actor& actor, const NewRepository& repository);

  // The same with what `fill` puts into the empty git repository and into rows of other tables: all of it appears
  // together, or nothing does.
  using Filler = std::function<Result<void>(const Repository&, const std::shared_ptr<git::GitRepository>&)>;
  Result<Repository> CreateFilled(const Actor& actor, const NewRepository& repository, const Filler& fill);

  // The same, with the branches, tags and large files of another. Its license and sdk are those of the source.
  // kPermissionDenied for a mirror.
  Result<Repository> Duplicate(const Actor& actor, const Repository& source, const NewRepository& repository);

  // kUnavailable while a commit or a push is under way there, as for Move.
  Result<void> Delete(const Actor& actor, const Repository& repository);

  // The old name leads to it until another repository takes it. kAlreadyExists, kInvalidArgument as for Create;
  // kPermissionDenied where the new owner's quota does not allow it, as for Duplicate.
  Result<Repository> Move(const Actor& actor, const Repository& repository, int64_t owner_id, std::string_view owner,
                          std::string_view name);

  Result<void> Change(const Actor& actor, const Repository& repository, const RepositorySettings& settings);

  // The number of the next discussion or pull request. One that is not used leaves a gap.
  Result<int64_t> TakeNumber(const Repository& repository);

  // Kept open for a while, with what it remembers.
  Result<std::shared_ptr<git::GitRepository>> Open(const Repository& repository) const;

  // Once, before anything else uses the folder, by the process that writes to it: from then on what an earlier one has
  // left in a repository is removed when it is opened first.
  Result<RecoveryReport> Recover();

  // Where a repository lies, or has to.
  std::filesystem::path PathOf(const Repository& repository) const { return folder_ / repository.folder; }
  const std::filesystem::path& folder() const { return folder_; }

  Database& database() const { return database_; }
  Timestamp now() const { return clock_(); }

 private:
  static constexpr size_t kMaxOpen = 256;

  class Busy;  // holds a name that a call works on

  Result<int64_t> ClaimName(const Actor& actor, const NewRepository& repository, Timestamp now);
  Result<void> FillFolder(const Repository& repository, const Filler& fill);
  Result<void> Undo(int64_t id, const std::string& folder);
  Result<void> Rename(const Repository& repository, int64_t owner_id, std::string_view name);
  Result<void> SettleFolder(const Repository& repository, const std::string& folder, int64_t user_id);
  Result<void> RecoverUnready(RecoveryReport& report);
  Result<void> FinishMoves(RecoveryReport& report);
  Result<void> CompareWithDisk(RecoveryReport& report);
  Result<std::shared_ptr<git::GitRepository>> OpenFolder(int64_t id, const std::string& folder) const;
  void Forget(int64_t id) const;

  Database& database_;
  const std::filesystem::path folder_;
  const Clock clock_;

  mutable std::mutex mutex_;  // over what follows
  std::set<std::string> busy_;
  bool owned_ = false;                // Recover was called: nobody else writes to the folder
  mutable std::set<int64_t> tidied_;  // opened by this process before, and free of what an earlier one left
  mutable std::list<std::pair<int64_t, std::shared_ptr<git::GitRepository>>> open_;  // the last used first
};

}  // namespace bothy
