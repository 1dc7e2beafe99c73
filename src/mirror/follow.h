// What a mirror is made of here: the namespace for it, its row, and the refs and large files of its original.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "hub/hub.h"
#include "hub/namespaces.h"
#include "store/git/incoming.h"

namespace bothy {

// Whether a repository of another hub may get a name that begins with this one: it is nobody's here.
Result<bool> MayMirrorInto(Database& database, const std::string& owner);

// The namespace for it, which is made where there is none. Nothing where it is somebody's.
Result<std::optional<Namespace>> ClaimMirroredNamespace(Database& database, const std::string& owner, Timestamp now);

// Undoes that, unless there is a repository or a member in it.
Result<void> ReleaseMirroredNamespace(Database& database, const Namespace& claimed);

Result<void> RecordMirror(Database& database, const Repository& repository, const std::string& address);

// A name that leads to the repository, as after a move.
Result<void> RecordFormerName(Database& database, const Repository& repository, const std::string& owner,
                              const std::string& name);

// Fetches what is new and moves the refs, all together: whether that has changed anything. A branch that is gone there
// goes here. Nothing changes where the original breaks the rules of a push (kCorrupt): a path that could lead out of a
// client's folder, a branch that is no commit.
//
// A pointer is taken as it is: the other hub is trusted to have the content that it points to.
Result<bool> FollowRefs(Hub& hub, const Repository& repository, const git::FetchSource& source,
                        const std::stop_token& stop);

}  // namespace bothy
