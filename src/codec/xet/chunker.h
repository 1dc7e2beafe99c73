// Cuts content where the content says so (gearhash), so that an insertion moves no boundary but those beside it. The
// boundaries are those of every Xet client: another one would find nothing to share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bothy::xet {

// Of a chunk; only the last of a file may be shorter than the minimum. Half of the chunks of random bytes are shorter
// than 53 KiB.
inline constexpr size_t kMinChunk = 8 << 10, kMaxChunk = 128 << 10;

class Chunker {
 public:
  struct Taken {
    size_t bytes = 0;         // of the input, from its front, that belong to the open chunk
    bool ends_chunk = false;  // the chunk ends with them; otherwise all of the input was taken
  };

  // Where the open chunk ends does not depend on how the content is cut into calls.
  Taken Take(std::span<const std::byte> input);

  // What the open chunk has so far; where the content ends, these bytes are its last chunk (if there are any).
  size_t open_bytes() const { return size_; }

 private:
  size_t size_ = 0;
  uint64_t hash_ = 0;
};

}  // namespace bothy::xet
