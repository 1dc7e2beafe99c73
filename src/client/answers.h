// What a hub and its Xet storage answer, taken apart and checked: nothing of it is relied on before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/xet/hash.h"

namespace bothy::client {

// A file of a commit.
struct RemoteFile {
  std::string path;                   // IsInnerPath
  uint64_t size = 0;                  // of the content
  std::string blob;                   // git's SHA-1 of what it keeps: the content, or the pointer to it; 40 digits
  std::optional<std::string> sha256;  // of large content; 64 digits
  std::optional<xet::Hash> xet;       // under which Xet's storage has it

  // What the cache calls the content.
  const std::string& etag() const { return sha256 ? *sha256 : blob; }
  bool operator==(const RemoteFile&) const = default;
};

inline constexpr size_t kCommitDigits = 40, kSha256Digits = 64;

bool IsHex(std::string_view text, size_t digits);  // lower case

// The commit of a revision's info.
Result<std::string> ParseCommit(std::string_view json);

// A repository as its hub has it now.
struct RemoteRepository {
  std::string id;      // "ns/name", as it is spelled there, and after it was moved
  std::string commit;  // of the revision that was asked for
  bool is_private = false;
  std::string gated;  // "auto", "manual"; "" where it is not
  bool operator==(const RemoteRepository&) const = default;
};
Result<RemoteRepository> ParseRepository(std::string_view json);

// Where the bytes of a large file are, as git-lfs is told (docs/api/batch.md).
struct LargeObject {
  std::string address;
  std::vector<std::pair<std::string, std::string>> headers;
  bool operator==(const LargeObject&) const = default;
};
// kNotFound where the hub says that it has none of this hash.
Result<LargeObject> ParseLargeObject(std::string_view json, std::string_view sha256);

// Adds the files of a page of /tree to `files`; folders are left out.
Result<void> ParseTreePage(std::string_view json, std::vector<RemoteFile>& files);

// By path, of which each may be there once.
Result<void> SortFiles(std::vector<RemoteFile>& files);

// The list of a commit's files, sorted, as Python's clients keep it in the cache (huggingface_hub 2.4, _tree_cache.py).
Result<std::vector<RemoteFile>> ParseTreeFile(std::string_view json);
std::string WriteTreeFile(const std::vector<RemoteFile>& files);

// The right to read from Xet's storage.
struct XetGrant {
  std::string address;  // no slash at the end
  std::string token;
  int64_t expires = 0;  // seconds since 1970
};
Result<XetGrant> ParseXetGrant(std::string_view json);

// How a range of a file is put together.
struct XetPlan {
  struct Term {
    xet::Hash xorb;
    uint32_t raw_bytes = 0;
    uint32_t chunk_begin = 0, chunk_end = 0;
    size_t fetch = 0;  // the fetch that has its chunks
    bool operator==(const Term&) const = default;
  };
  struct Fetch {
    std::string address;
    uint32_t chunk_begin = 0, chunk_end = 0;
    uint32_t byte_begin = 0, byte_end = 0;
    bool operator==(const Fetch&) const = default;
  };
  uint64_t offset_into_first = 0;  // bytes of the first term that come before the range
  std::vector<Term> terms;
  std::vector<Fetch> fetches;  // each one used, in the order of its first use
};

// The answer of /v1/reconstructions or /v2/reconstructions, whichever it is.
Result<XetPlan> ParseXetPlan(std::string_view json);

}  // namespace bothy::client
