// A range of a blob, of which files are made, and reading one after the other.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "store/blobs/blob_store.h"

namespace bothy::content {

// A row of bytes of one blob.
struct BlobRange {
  BlobName blob;
  uint64_t offset = 0, size = 0;
  bool operator==(const BlobRange&) const = default;
};

// For one thread at a time.
class BlobRangeReader {
 public:
  explicit BlobRangeReader(const BlobStore& blobs) : blobs_(blobs), buffer_(kBuffer) {}

  // Gives all bytes of the range to `take`, a piece at a time.
  template <class Take>
  Result<void> Read(const BlobRange& range, const Take& take) {
    if (source_ == nullptr || open_ != range.blob) {
      source_ = TRY(blobs_.Open(range.blob));
      open_ = range.blob;
    }
    for (uint64_t done = 0; done < range.size;) {
      const auto piece = std::span(buffer_).first(std::min<uint64_t>(kBuffer, range.size - done));
      TRY(source_->Read(range.offset + done, piece));
      TRY(take(std::span<const std::byte>(piece)));
      done += piece.size();
    }
    return {};
  }

 private:
  static constexpr size_t kBuffer = 256 << 10;

  const BlobStore& blobs_;
  std::vector<std::byte> buffer_;
  std::optional<BlobName> open_;
  std::unique_ptr<ByteSource> source_;
};

}  // namespace bothy::content
