// BLAKE3 (the paper of O'Connor, Aumasson, Neves and Wilcox-O'Hearn, 2020), plain and keyed, 32 bytes of output.
//
// A message is cut into chunks of 1 KiB, which are the leaves of a binary tree. Chunks, and parents of one level, are
// independent of each other, so as many as the processor's vectors have lanes are hashed side by side.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/digest.h"

namespace bothy {

using Blake3Key = std::array<std::byte, 32>;

// The hash of bytes that lie together: the fastest way, because the last part of a chunk is hashed beside whole ones.
Digest256 Blake3Hash(std::span<const std::byte> bytes);
Digest256 Blake3KeyedHash(const Blake3Key& key, std::span<const std::byte> bytes);

// The hash of bytes that come in pieces of any size; pieces of 16 KiB and more fill the lanes.
class Blake3 {
 public:
  Blake3();
  explicit Blake3(const Blake3Key& key);

  void Update(std::span<const std::byte> bytes);

  // The hash of everything so far; more may follow.
  Digest256 Finish() const;

 private:
  friend Digest256 Blake3Hash(std::span<const std::byte> bytes);
  friend Digest256 Blake3KeyedHash(const Blake3Key& key, std::span<const std::byte> bytes);
  using Words = std::array<uint32_t, 8>;

  Digest256 UpdateAndFinish(std::span<const std::byte> bytes);
  void UpdateOpenChunk(std::span<const std::byte> bytes);
  size_t TakeWholeChunks(std::span<const std::byte> bytes);
  void Push(const Words& value, int level);
  Digest256 MergeAll(Words right) const;

  Words key_;
  uint32_t flags_;  // of the mode, in every compression

  // The open chunk: at least one byte stays in it until more is known to follow, because what is last is hashed with
  // other flags.
  Words chunk_value_;
  uint64_t chunk_index_ = 0;           // chunks before it
  size_t chunk_size_ = 0;              // bytes in it
  std::array<std::byte, 64> block_{};  // its last block, which is not yet compressed

  // Roots of the whole subtrees to the left, largest first; one for each bit that is set in chunk_index_. 2^54 chunks
  // are 2^64 bytes.
  std::array<Words, 54> stack_;
  size_t stack_size_ = 0;
};

}  // namespace bothy
