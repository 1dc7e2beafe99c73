#include "store/content/chunk_list.h"

#include <cstring>

namespace bothy::content {

Result<ChunkList> ChunkList::Unpack(std::span<const std::byte> packed) {
  const size_t count = packed.size() / kPackedChunk;
  if (count * kPackedChunk != packed.size() || count == 0 || count > xet::kMaxXorbChunks) {
    return Fail(ErrorCode::kCorrupt, "expected 1 to {} chunks of {} bytes, found {} bytes", xet::kMaxXorbChunks,
                kPackedChunk, packed.size());
  }
  ChunkList list;
  list.hashes_.resize(count);
  list.raw_ends_.resize(count);
  for (size_t i = 0; i < count; i++) {
    const std::byte* chunk = packed.data() + i * kPackedChunk;
    std::memcpy(list.hashes_[i].bytes.data(), chunk, 32);
    std::memcpy(&list.raw_ends_[i], chunk + 32, 4);
    const uint32_t begin = i == 0 ? 0 : list.raw_ends_[i - 1], end = list.raw_ends_[i];
    if (end <= begin || end - begin > xet::kMaxChunk || end > xet::kMaxXorbRawBytes) {
      return Fail(ErrorCode::kCorrupt, "chunk {}: expected 1 to {} bytes, found it from {} to {}", i, xet::kMaxChunk,
                  begin, end);
    }
  }
  return list;
}

std::vector<std::byte> ChunkList::Pack() const {
  std::vector<std::byte> packed(hashes_.size() * kPackedChunk);
  for (size_t i = 0; i < hashes_.size(); i++) {
    std::byte* chunk = packed.data() + i * kPackedChunk;
    std::memcpy(chunk, hashes_[i].bytes.data(), 32);
    std::memcpy(chunk + 32, &raw_ends_[i], 4);
  }
  return packed;
}

void ChunkList::Add(const xet::Hash& hash, uint32_t size) {
  CHECK(HasRoomFor(size));
  const uint32_t end = raw_bytes() + size;
  hashes_.push_back(hash);
  raw_ends_.push_back(end);
}

xet::Hash ChunkList::XorbHash() const {
  xet::TreeHasher tree;
  for (uint32_t i = 0; i < size(); i++) tree.Add(hashes_[i], RawSize(i));
  return tree.Finish();
}

}  // namespace bothy::content
