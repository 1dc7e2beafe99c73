// Xorbs as rows of the database: finding, recording, touching and removing them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "store/content/backing.h"
#include "store/content/chunk_list.h"

namespace bothy::content {

enum class XorbState : int64_t {
  kWhole = 0,
  kDamaged = 1,  // its blob is not what it should be: not given out, and whole again when somebody sends it
  kRemoved = 2,  // its blob goes, then the row: as if it were not there
};

struct XorbRow {
  int64_t id = 0;
  XorbState state = XorbState::kWhole;
  uint32_t raw_bytes = 0;
};

struct Xorb {
  int64_t id = 0;  // of its row
  xet::Hash hash;
  ChunkList chunks;
};

// Chunks of smaller xorbs are all in the index; of larger ones, those whose hashes say so. What is found there brings
// the whole list, by which its neighbours are found, so a run of 32 chunks (2 MB) is missed once in 70 times. The first
// chunk of all: there a file of several xorbs goes on in the next one.
inline constexpr uint32_t kFullyIndexed = 64;
inline constexpr uint64_t kIndexOneIn = 8;
inline bool IsIndexed(const ChunkList& chunks, uint32_t chunk) {
  return chunk == 0 || chunks.size() <= kFullyIndexed || chunks.hashes()[chunk].Word(1) % kIndexOneIn == 0;
}
inline int64_t IndexKey(const xet::Hash& chunk) { return static_cast<int64_t>(chunk.Word(0)); }

BlobName BlobOf(const xet::Hash& xorb);
Result<xet::Hash> HashOf(const Bytes& column);

Result<std::optional<XorbRow>> FindXorbRow(Transaction& t, const xet::Hash& hash);

// Null where there is none that is whole.
Result<std::shared_ptr<const Xorb>> LoadXorb(const Backing& backing, int64_t id);

// The same for who will refer to it: safe from collection for as long as if it had just come.
Result<std::shared_ptr<const Xorb>> LoadXorbToUse(const Backing& backing, int64_t id);

// What has been verified and committed to the blobs. kUnavailable where the blob has been removed since.
Result<int64_t> RecordXorb(Transaction& t, const BlobStore& blobs, const xet::Hash& hash, const ChunkList& chunks,
                           Timestamp now);

// kUnavailable where one of them is not whole any more.
Result<void> TouchXorbs(Transaction& t, std::span<const int64_t> ids, Timestamp now);

Result<void> RecordXorbSender(Transaction& t, int64_t xorb_id, int64_t uploader, Timestamp now);

// Reads a xorb's blob, a chunk at a time; kCorrupt where one is not what its hash says, unless that is not `verified`.
Result<void> ForEachChunk(const ByteSource& blob, const ChunkList& chunks, bool verified,
                          const std::function<Result<void>(std::span<const std::byte>)>& take);

// Of the state kRemoved: their blobs and then their rows.
Result<void> FinishRemoval(const Backing& backing, std::span<const int64_t> ids);

}  // namespace bothy::content
