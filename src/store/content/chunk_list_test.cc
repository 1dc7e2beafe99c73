#include "store/content/chunk_list.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace bothy::content {
namespace {

ChunkList ListOf(std::initializer_list<uint32_t> sizes) {
  ChunkList list;
  for (const uint32_t size : sizes) list.Add(xet::ChunkHash(std::as_bytes(std::span(&size, 1))), size);
  return list;
}

TEST(ChunkList, UnpacksWhatItPacked) {
  const ChunkList list = ListOf({5, 1, xet::kMaxChunk, 7});
  const auto again = ChunkList::Unpack(list.Pack());
  ASSERT_OK(again);
  EXPECT_EQ(again->Pack(), list.Pack());
  EXPECT_EQ(again->size(), 4u);
  EXPECT_EQ(again->RawBegin(0), 0u);
  EXPECT_EQ(again->RawBegin(2), 6u);
  EXPECT_EQ(again->RawSize(2), xet::kMaxChunk);
  EXPECT_EQ(again->raw_bytes(), 13 + xet::kMaxChunk);
  EXPECT_EQ(again->XorbHash(), list.XorbHash());
}

TEST(ChunkList, RefusesWhatItDidNotPack) {
  const auto packed = ListOf({5, 1, 7}).Pack();
  EXPECT_FALSE(ChunkList::Unpack({}));
  EXPECT_FALSE(ChunkList::Unpack(std::span(packed).first(packed.size() - 1)));
  for (const size_t end : {size_t{32}, size_t{68}, size_t{104}}) {  // an end before its beginning, or too far away
    for (const std::byte value : {std::byte{0}, std::byte{255}}) {
      auto broken = packed;
      broken[end] = broken[end + 2] = value;
      EXPECT_FALSE(ChunkList::Unpack(broken)) << end;
    }
  }
  std::vector<std::byte> too_many;
  for (uint32_t end = 1; end <= xet::kMaxXorbChunks + 1; end++) {
    too_many.resize(too_many.size() + 32);
    const auto bytes = std::as_bytes(std::span(&end, 1));
    too_many.insert(too_many.end(), bytes.begin(), bytes.end());
  }
  EXPECT_FALSE(ChunkList::Unpack(too_many));
  too_many.resize(too_many.size() - ChunkList::kPackedChunk);
  EXPECT_OK(ChunkList::Unpack(too_many));
}

TEST(ChunkList, HasRoomForAXorb) {
  ChunkList bytes;
  while (bytes.HasRoomFor(xet::kMaxChunk)) bytes.Add({}, xet::kMaxChunk);
  EXPECT_EQ(bytes.raw_bytes(), xet::kMaxXorbRawBytes);
  EXPECT_FALSE(bytes.HasRoomFor(1));
  ChunkList chunks;
  while (chunks.HasRoomFor(1)) chunks.Add({}, 1);
  EXPECT_EQ(chunks.size(), xet::kMaxXorbChunks);
}

}  // namespace
}  // namespace bothy::content
