#include "mirror/follow.h"

#include <map>
#include <vector>

#include "base/log.h"
#include "hub/audit_log.h"
#include "hub/git_transport.h"
#include "hub/names.h"
#include "store/git/new_objects.h"
#include "store/git/ref_name.h"
#include "store/git/repo_path.h"

namespace bothy {
namespace {

constexpr size_t kRowsAtOnce = 10'000;
// Of what a pointer says, so that a sum of all of them is a number.
constexpr uint64_t kMaxPointedBytes = uint64_t{1} << 44;

constexpr std::string_view kBranches = "refs/heads/", kTags = "refs/tags/";

Result<bool> IsMirrored(Transaction& t, const Namespace& found) {
  return TRY(t.QueryOne<int64_t>("SELECT namespace_id FROM mirrored_namespaces WHERE namespace_id = $1", found.id))
      .has_value();
}

// A name that no ref may have here, such as one that could be taken for a commit's.
bool MayBeCalled(std::string_view ref) {
  if (ref.starts_with(kBranches)) return git::CheckBranchName(ref.substr(kBranches.size())).has_value();
  return !ref.starts_with(kTags) || git::CheckTagName(ref.substr(kTags.size())).has_value();
}

struct Changes {
  std::vector<RefUpdate> removed, moved;
};

Result<Changes> Compare(const git::GitRepository& git, const std::vector<git::NamedRef>& there) {
  std::map<std::string, git::Oid> here;
  for (git::NamedRef& ref : TRY(git::ListFollowingRefs(git))) here.emplace(std::move(ref.name), ref.oid);
  Changes changes;
  for (const git::NamedRef& ref : there) {
    if (!MayBeCalled(ref.name)) {
      Log(LogLevel::kWarning, "ref not mirrored", {{"repository", git.path()}, {"ref", git::Printable(ref.name)}});
      continue;
    }
    const auto before = here.extract(ref.name);
    if (before && before.mapped() == ref.oid) continue;
    changes.moved.push_back({ref.name, before ? std::optional(before.mapped()) : std::nullopt, ref.oid});
  }
  for (const auto& [name, oid] : here) changes.removed.push_back({name, oid, std::nullopt});
  return changes;
}

// Checks what is new, and makes the rows of the large files that it points to.
class NewContentLister {
 public:
  NewContentLister(Hub& hub, const Repository& repository, std::string ref)
      : hub_(hub), repository_(repository), ref_(std::move(ref)) {}

  Result<void> Add(const git::NewBlob& blob) {
    if (!blob.pointer || blob.pointer->size > kMaxPointedBytes) return {};
    files_.push_back({.sha256 = blob.pointer->sha256, .size = blob.pointer->size, .path = blob.path, .ref = ref_});
    return files_.size() < kRowsAtOnce ? Result<void>() : Flush();
  }

  Result<void> Flush() {
    // Whatever the quota: that is for what people bring.
    TRY(ListContent(hub_.database(), repository_, files_, hub_.now()));
    files_.clear();
    return {};
  }

 private:
  Hub& hub_;
  const Repository& repository_;
  const std::string ref_;  // of the first that brings something, for the lists of large files
  std::vector<ReferredFile> files_;
};

Result<bool> TakeOver(Hub& hub, const Repository& repository, const git::GitRepository& git,
                      const std::vector<git::NamedRef>& there) {
  const Changes changes = TRY(Compare(git, there));
  // Rows come before refs, so that what a commit points to is there for whoever sees the commit.
  if (!changes.moved.empty()) {
    std::vector<git::Oid> tips;
    for (const RefUpdate& update : changes.moved) tips.push_back(*update.after);
    NewContentLister lister(hub, repository, changes.moved.front().ref);
    TRY(git::ForEachNewObject(git, tips,
                              {.blob = [&](const git::NewBlob& blob) { return lister.Add(blob); },
                               .path = [](std::string_view path) -> Result<void> {
                                 const auto parsed = git::RepoPath::Parse(path);
                                 if (parsed) return {};
                                 return Fail(ErrorCode::kCorrupt, "{}", parsed.error().message);
                               }}));
    TRY(lister.Flush());
  }
  // Apart, because git makes no branch a/b in one step with the removal of a.
  for (const std::vector<RefUpdate>& updates : {changes.removed, changes.moved}) {
    if (!updates.empty()) TRY(ApplyPushTogether(hub.repositories(), {}, repository, updates, {}));
  }
  return !changes.removed.empty() || !changes.moved.empty();
}

}  // namespace

Result<bool> MayMirrorInto(Database& database, const std::string& owner) {
  return database.Read([&](Transaction& t) -> Result<bool> {
    const auto found = TRY(FindNamespace(t, owner));
    return !found || TRY(IsMirrored(t, *found));
  });
}

Result<std::optional<Namespace>> ClaimMirroredNamespace(Database& database, const std::string& owner, Timestamp now) {
  return database.Write([&](Transaction& t) -> Result<std::optional<Namespace>> {
    if (const auto found = TRY(FindNamespace(t, owner))) {
      return TRY(IsMirrored(t, *found)) ? std::optional(*found) : std::nullopt;
    }
    Namespace added = TRY(AddNamespace(t, owner, NamespaceKind::kOrganization, "", now));
    TRY(t.Execute("INSERT INTO organizations (id, private_by_default) VALUES ($1, FALSE)", added.id));
    TRY(t.Execute("INSERT INTO mirrored_namespaces (namespace_id) VALUES ($1)", added.id));
    TRY(Record(t, now, Cause::Operator(), AuditAction::kOrganizationCreated, added.name, "for mirrors"));
    return added;
  });
}

Result<void> ReleaseMirroredNamespace(Database& database, const Namespace& claimed) {
  return database.Write([&](Transaction& t) -> Result<void> {
    const auto used =
        TRY(t.Query<int64_t>("SELECT id FROM repositories WHERE namespace_id = $1"
                             " UNION ALL SELECT user_id FROM memberships WHERE organization_id = $1 LIMIT 1",
                             claimed.id));
    return used.empty() ? RemoveNamespace(t, claimed) : Result<void>();
  });
}

Result<void> RecordMirror(Database& database, const Repository& repository, const std::string& address) {
  return database.Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("INSERT INTO mirrors (repository_id, address) VALUES ($1, $2)", repository.id, address));
    return {};
  });
}

Result<void> RecordFormerName(Database& database, const Repository& repository, const std::string& owner,
                              const std::string& name) {
  return database.Write([&](Transaction& t) -> Result<void> {
    TRY(
        t.Execute("INSERT INTO repository_redirects (kind, namespace_key, key, repository_id, created_at)"
                  " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, namespace_key, key) DO NOTHING",
                  KindName(repository.kind), NameKey(owner), NameKey(name), repository.id, repository.created_at));
    return {};
  });
}

Result<bool> FollowRefs(Hub& hub, const Repository& repository, const git::FetchSource& source,
                        const std::stop_token& stop) {
  const auto git = TRY(hub.repositories().Open(repository));
  const git::WriteGuard guard = TRY(git::WriteGuard::Take(*git));
  const auto there = git::FetchIncoming(*git, source, stop);
  const auto changed = there ? TakeOver(hub, repository, *git, *there) : tl::unexpected(there.error());
  const auto removed = git::RemoveIncoming(*git);
  if (changed && !removed) return tl::unexpected(removed.error());
  return changed;
}

}  // namespace bothy
