// What a content store stands on, for its parts.
#pragma once

#include <chrono>
#include <functional>

#include "store/blobs/blob_store.h"
#include "store/database/database.h"

namespace bothy::content {

// Of segments of one file. Where every 64 KiB come from another xorb, 16 GB; where they lie together, 16 TB.
inline constexpr uint32_t kMaxSegments = 1 << 18;
// Of a file. Also what a shard of a few bytes can make the server read that names one xorb again and again.
inline constexpr uint64_t kMaxFileBytes = uint64_t{1} << 40;

// In all files of a shard: 4 TB of chunks of the usual size, and 5 s of hashing where a shard names a xorb of tiny ones
// again and again.
inline constexpr uint64_t kMaxShardChunks = uint64_t{1} << 26;

struct Options {
  std::function<Timestamp()> now = [] {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  };
  // For how long clients may rely on an answer about chunks: content is to be collected later than this, and
  // kTouchEvery, after it was last used. hf-xet remembers for three weeks, whatever the answer says.
  std::chrono::seconds answers_last = std::chrono::days(21);
  // Files that come as plain bytes are no longer deduplicated when they have three quarters of so many segments.
  uint32_t max_segments = kMaxSegments;
  uint64_t max_file_bytes = kMaxFileBytes;
  uint64_t max_shard_chunks = kMaxShardChunks;
  // New xorbs of one file that one transaction records, beside which nobody else writes: 0.1 s. The file itself is in
  // the last one.
  size_t xorbs_at_once = 32;
};

struct Backing {
  Database& database;
  BlobStore& blobs;
  Options options;
};

// Being used again is written down once in so long: content that is in use never looks older than it is by more.
inline constexpr std::chrono::hours kTouchEvery{1};

}  // namespace bothy::content
