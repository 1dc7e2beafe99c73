// Before a client sends files it shows their paths, sizes and first bytes, and is told how each has to come: in the
// commit's own lines, or as a large file that git only points to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/git/oid.h"
#include "store/git/repository.h"

namespace bothy {

// A larger file is kept outside of git, whatever .gitattributes says; git repositories with large blobs are slow to
// clone for ever.
inline constexpr uint64_t kMaxRegularFileBytes = 10 << 20;

struct PreuploadFile {
  std::string path;
  uint64_t size = 0;
  std::string sample;  // the first bytes of the content; clients send 512
};

struct PreuploadRequest {
  // Clients send 256 files at once. The work is bounded by patterns' bytes times paths' bytes: a tenth of it takes
  // about a second where somebody made patterns to be slow.
  static constexpr size_t kMaxFiles = 1000;
  static constexpr uint64_t kMaxMatchingWork = uint64_t{1} << 32;
  static constexpr size_t kMaxRuleFileBytes = 256 << 10;  // a larger .gitattributes or .gitignore is passed over
  static constexpr size_t kMaxRuleBytes = 1 << 20;        // of all that apply; 50 MB once they are parsed

  std::vector<PreuploadFile> files;
  // The text of these files of the root, where the same upload brings new ones.
  std::optional<std::string> git_attributes;
  std::optional<std::string> git_ignore;
};

struct PreuploadAnswer {
  std::string path;
  bool large = false;
  bool ignored = false;  // .gitignore wants the client not to send it
  // That a large file will probably add to the repository: none where one of its size is there already.
  uint64_t more_bytes = 0;
  std::optional<std::string> oid;  // of the file that is there: SHA-256 of a large one, git's oid of another
};

// One answer a file, in their order. `commit` is what they are to be added to; nothing is an empty repository.
// kInvalidArgument for a path that no repository can hold, kResourceExhausted for too many files or too much work.
Result<std::vector<PreuploadAnswer>> Preupload(const git::GitRepository& repository,
                                               const std::optional<git::Oid>& commit, const PreuploadRequest& request);

// Whether content that begins so is binary: zero bytes, or no UTF-8. `whole` says that nothing follows, so that the end
// of a sample may cut a character.
bool LooksBinary(std::string_view sample, bool whole);

}  // namespace bothy
