// What is to be done so that files of a repository lie in the cache.
#pragma once

#include <string>
#include <vector>

#include "client/hub_api.h"
#include "client/repository_cache.h"

namespace bothy::client {

struct PullRequest {
  HubName name;                               // with a file or quantization: only that
  std::vector<std::string> include, exclude;  // FitsPatterns
  bool force = false;                         // also what is there already
};

// A content that is missing, or only its names are.
struct PlannedContent {
  RemoteFile file;                // the first of its names
  std::vector<RemoteFile> names;  // of the commit's files, all that have it
  bool fetch = true;              // else it only has to be linked
};

struct PullPlan {
  HubName name;
  std::string commit;
  std::vector<RemoteFile> files;  // that were asked for
  std::vector<PlannedContent> missing;
  uint64_t bytes = 0;           // of the files
  uint64_t bytes_to_fetch = 0;  // of the contents, less what earlier tries have left
  size_t contents_to_fetch = 0;
  std::string note;                                 // why the hub was not asked, where it was not
  std::optional<std::vector<RemoteFile>> new_tree;  // all files of the commit, where the cache has not known them
  bool force = false;
};

// Asks the hub which commit is meant and which files it has; where it cannot be reached, and where a commit is named in
// full, what is known in the cache will do. kUnavailable where that is not enough, kNotFound and kInvalidArgument where
// nothing or not one thing is what was asked for.
Result<PullPlan> PlanPull(HubApi& api, const HubCache& cache, const PullRequest& request);

}  // namespace bothy::client
