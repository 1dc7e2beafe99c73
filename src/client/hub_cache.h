// The local cache that Python's clients download into (huggingface_hub 1.29 to 2.4), and what a MODEL on the command
// line stands for: what was downloaded there runs here. Layout, under the cache's root:
//   models--NAMESPACE--NAME/refs/REF                   a file that holds a commit
//   models--NAMESPACE--NAME/snapshots/COMMIT/FILE      a link into blobs (or, where there are no links, the file)
//   models--NAMESPACE--NAME/blobs/ETAG                 the content; ETAG*.incomplete while it is downloaded
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bothy {

// [models/|datasets/|spaces/]ns/name[@revision][:file]
struct HubName {
  std::string type = "models";  // as the folders begin: "models", "datasets", "spaces"
  std::string id;               // "ns/name", or "name" alone for the oldest ones
  std::string revision;         // a branch, a tag, a commit or its beginning; empty: not said
  std::string file;             // a path in the repository, or a quantization; empty: not said

  std::string FullName() const;  // "ns/name", "datasets/ns/name"
  std::string Folder() const;    // "models--ns--name"
};

// kInvalidArgument for what is no such name. Nothing in a HubName can lead out of a repository's folder.
Result<HubName> ParseHubName(std::string_view text);

// The repository that a folder of the cache is for; nothing where its name says that it is none.
std::optional<HubName> HubNameOfFolder(std::string_view folder);

// What is kept of a hub at home, the cache and the token among it: HF_HOME, XDG_CACHE_HOME/huggingface,
// ~/.cache/huggingface, the first that is set. `environment` is getenv.
using Environment = std::function<const char*(const char*)>;
std::filesystem::path HuggingFaceHome(const Environment& environment);

// The path that a variable names, with "~" and variables expanded; nothing where it is not set or empty.
std::optional<std::filesystem::path> PathOfVariable(const Environment& environment, const char* variable);

class HubCache {
 public:
  explicit HubCache(std::filesystem::path root) : root_(std::move(root)) {}

  // Where the Python clients look: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, or "hub" in HuggingFaceHome.
  static HubCache FromEnvironment(const Environment& environment);

  const std::filesystem::path& root() const { return root_; }

  // The folder of a name's repository, which need not exist.
  std::filesystem::path RepositoryFolder(const HubName& name) const { return root_ / name.Folder(); }

  // The commit that a name means: its revision, or main, or the only one that is there. kNotFound says what was looked
  // for where and what is there; a beginning of several commits is kInvalidArgument.
  Result<std::string> FindCommit(const HubName& name) const;

  // The snapshot's folder, or the file in it that the name chooses (SelectModelFile).
  Result<std::filesystem::path> Resolve(const HubName& name) const;

  // kNotFound for a repository that is not there, with the nearest names that are.
  tl::unexpected<Error> NotInCache(const HubName& name) const;

 private:
  std::filesystem::path root_;
};

// The files of a folder and its subfolders, as paths in it, sorted. Links to files are files; links to folders are not
// followed. kResourceExhausted where there are more than any repository has.
Result<std::vector<std::string>> FilesBelow(const std::filesystem::path& folder);

// `wanted` among the files below a folder, as ChooseFiles has it; of a split model the first part.
Result<std::filesystem::path> SelectModelFile(const std::filesystem::path& folder, std::string_view wanted);

// MODEL: a path that exists; a folder that exists and ":" and what to take from it; or a name in the cache.
Result<std::filesystem::path> ResolveModelPath(std::string_view model, const HubCache& cache);

}  // namespace bothy
