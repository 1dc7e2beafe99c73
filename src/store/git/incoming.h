// What another repository has, fetched by the git program over HTTP: its objects lie here and refs of their own lead to
// them, apart from this repository's, until somebody has looked at them.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "store/git/repository.h"

namespace bothy::git {

// Branches, tags and conversions of the other repository are refs/incoming/heads/x, refs/incoming/tags/x and
// refs/incoming/convert/x here. ForEachNewObject takes such refs for none, and no fetch from here shows them.
inline constexpr std::string_view kIncomingRefs = "refs/incoming/";

struct NamedRef {
  std::string name;  // "refs/heads/main"
  Oid oid;           // of an annotated tag the tag itself
  bool operator==(const NamedRef&) const = default;
};

struct FetchSource {
  std::string address;        // http:// or https://
  std::string authorization;  // what the header of this name says; "" for nobody. The program gets it out of sight.
};

// All of the other repository's branches, tags and conversions, under the names that they have there. Objects are
// checked against their hashes. kPermissionDenied where the other side does not let us in; kUnavailable where it cannot
// be reached, or breaks off; kCorrupt where it sends what is no repository. One at a time for a repository; who calls
// holds its WriteGuard.
Result<std::vector<NamedRef>> FetchIncoming(const GitRepository& repository, const FetchSource& source,
                                            const std::stop_token& stop = {});

// The refs of this repository that FetchIncoming is about: its own branches, tags and conversions.
Result<std::vector<NamedRef>> ListFollowingRefs(const GitRepository& repository);

Result<void> RemoveIncoming(const GitRepository& repository);

}  // namespace bothy::git
