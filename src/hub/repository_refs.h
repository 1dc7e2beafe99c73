// Branches, tags, pull requests' refs and the history behind them: listed, compared, made and deleted.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/repositories.h"
#include "store/git/commits.h"
#include "store/git/diff.h"
#include "store/git/refs.h"

namespace bothy {

struct NewBranch {
  std::string name;
  std::optional<std::string> start;  // a revision; nothing is the default branch
  bool empty = false;                // begins with an empty commit instead
  bool overwrite = false;            // moves a branch that is there
};

struct Comparison {
  git::Oid before;
  git::Oid after;
  git::ChangeList changes;
  git::DiffText diff;
};

// Of one repository. Safe to use from several threads. Names are checked as git does, kInvalidArgument; what writes is
// kUnavailable while the repository is tidied up.
class RepositoryRefs {
 public:
  static Result<RepositoryRefs> Open(Repositories& repositories, const Repository& repository);

  // kNotFound: there is no such revision, and nothing else.
  Result<git::Oid> Resolve(std::string_view revision) const;
  Result<git::RefList> List() const;
  Result<git::HistoryPage> History(const git::Oid& from, const git::HistoryOptions& options) const;
  Result<uint64_t> CountHistory(const git::Oid& from) const;

  // "a..b": from a to b. "a...b": from where both have parted. kInvalidArgument for what is neither, kNotFound for a
  // revision that is not there.
  Result<Comparison> Compare(std::string_view range, const git::DiffLimits& limits = {}) const;

  // kAlreadyExists ("Reference refs/heads/x already exists"); kNotFound: no such revision to begin at.
  Result<void> CreateBranch(const Actor& actor, const NewBranch& branch);
  // kPermissionDenied for the default branch ("Cannot delete refs/heads/main"), kNotFound.
  Result<void> DeleteBranch(const Actor& actor, const std::string& name);
  Result<void> CreateTag(const Actor& actor, const std::string& name, std::string_view revision,
                         std::string_view message);
  Result<void> DeleteTag(const Actor& actor, const std::string& name);

  // All commits of a branch become one, with the files of the last. kFailedPrecondition where it has moved meanwhile.
  Result<git::Oid> SuperSquash(const Actor& actor, const std::string& branch, std::string_view message);

 private:
  RepositoryRefs(Repositories& repositories, const Repository& repository, std::shared_ptr<git::GitRepository> git)
      : repositories_(&repositories), repository_(repository), git_(std::move(git)) {}

  Result<git::Oid> ResolveReachable(std::string_view revision) const;
  Result<void> CreateEmptyBranch(const Actor& actor, const std::string& name);

  Repositories* repositories_;
  Repository repository_;
  std::shared_ptr<git::GitRepository> git_;
};

}  // namespace bothy
