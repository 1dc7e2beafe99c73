#include "codec/xet/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <cstring>
#include <string>
#include <vector>

#include "base/hex.h"
#include "codec/xet/golden_content.h"
#include "codec/xet/xorb_builder.h"

namespace bothy::xet {
namespace {

using testing::HasSubstr;

Result<Shard> Read(std::string_view bytes) { return ReadShard(*MemorySource("s", bytes)); }
Result<Shard> Read(const std::vector<std::byte>& bytes) { return ReadShard(*MemorySource("s", bytes)); }

std::string TextOf(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Hash HashOf(std::string_view text) { return ChunkHash(BytesOf(text)); }

// Two files, one with range hashes and SHA-256 and one without, and a xorb of three chunks.
Shard Sample() {
  Shard shard;
  ShardFile file;
  file.hash = HashOf("file");
  file.segments = {{HashOf("xorb"), 0, 300, 0, 2}, {HashOf("other"), 7, 5000, 8191, 8192}};
  file.range_hashes = {HashOf("range 0"), HashOf("range 1")};
  file.sha256 = Sha256::Of("content");
  shard.files = {file, {HashOf("plain"), {{HashOf("xorb"), 0, 1, 2, 3}}, {}, std::nullopt}};
  shard.xorbs = {{HashOf("xorb"),
                  0,
                  301,
                  290,
                  {{HashOf("a"), 0, 100, kMayBeAskedFor}, {HashOf("b"), 100, 200, 0}, {HashOf("c"), 300, 1, 0}}}};
  return shard;
}

ShardFooter Footer() { return {HashOf("key"), 1'700'000'000, 1'700'600'000, 290, 5301, 301}; }

TEST(Shard, WhatHfXetPostedNamesWhatWasUploaded) {
  int files = 0;
  const auto golden = GoldenJson("uploads.json");
  for (const auto& file : golden.at("files").as_array()) {
    const std::string name(file.at("name").as_string());
    SCOPED_TRACE(name);
    const std::string bytes = ReadTestFile(Golden() / "xet" / (name + ".shard"));
    const auto shard = Read(bytes);
    ASSERT_OK(shard);
    EXPECT_FALSE(shard->footer);
    ASSERT_EQ(shard->files.size(), 1u);
    ASSERT_EQ(shard->xorbs.size(), 1u);
    const ShardFile& found = shard->files[0];
    const ShardXorb& xorb = shard->xorbs[0];
    EXPECT_EQ(ToText(found.hash), file.at("file_hash").as_string());
    EXPECT_EQ(ToText(xorb.hash), file.at("xorb_hash").as_string());
    ASSERT_TRUE(found.sha256);
    EXPECT_EQ(EncodeHex(*found.sha256), file.at("sha256").as_string());

    const auto& chunks = file.at("chunks").as_array();
    ASSERT_EQ(xorb.chunks.size(), chunks.size());
    TreeHasher tree;
    for (size_t i = 0; i < chunks.size(); i++) {
      EXPECT_EQ(xorb.chunks[i].raw_bytes, chunks[i].at("length").to_number<uint32_t>());
      tree.Add(xorb.chunks[i].hash, xorb.chunks[i].raw_bytes);
    }
    EXPECT_EQ(tree.Finish(), xorb.hash);
    // Every segment proves its chunks, and together they are the file.
    ASSERT_EQ(found.range_hashes.size(), found.segments.size());
    uint64_t size = 0;
    for (size_t i = 0; i < found.segments.size(); i++) {
      const Segment& segment = found.segments[i];
      EXPECT_EQ(segment.xorb, xorb.hash);
      std::vector<Hash> hashes;
      for (uint32_t chunk = segment.chunk_begin; chunk < segment.chunk_end; chunk++) {
        hashes.push_back(xorb.chunks[chunk].hash);
        tree.Add(xorb.chunks[chunk].hash, xorb.chunks[chunk].raw_bytes);
      }
      EXPECT_EQ(RangeHash(hashes), found.range_hashes[i]);
      size += segment.raw_bytes;
    }
    EXPECT_EQ(FileHash(tree.Finish()), found.hash);
    EXPECT_EQ(size, file.at("size").to_number<uint64_t>());
    // Nothing of it is lost.
    EXPECT_EQ(TextOf(WriteShard(*shard)), bytes);
    files++;
  }
  EXPECT_EQ(files, 3);
}

TEST(Shard, EveryKindOfFooterIsReadAgain) {
  Shard shard = Sample();
  ASSERT_OK(Read(WriteShard(shard)));
  EXPECT_EQ(*Read(WriteShard(shard)), shard);
  shard.footer = Footer();
  for (const LookupTables tables : {LookupTables::kNone, LookupTables::kAll}) {
    const auto bytes = WriteShard(shard, tables);
    // Header, 8 + 2 records of files and their end, 4 records of a xorb and the end; 2, 1 and 3 entries.
    EXPECT_EQ(bytes.size(), 48u * (1 + 6 + 2 + 1 + 4 + 1) + 200 + (tables == LookupTables::kAll ? 24 + 12 + 48 : 0));
    const auto read = Read(bytes);
    ASSERT_OK(read);
    EXPECT_EQ(*read, shard);
  }
  EXPECT_EQ(*Read(WriteShard({})), Shard{});
}

// @huggingface/hub 2.15 leaves the places of lookup tables zero, where there are none.
TEST(Shard, AFooterThatDoesNotSayWhereNoTablesAreIsRead) {
  Shard shard = Sample();
  shard.footer = Footer();
  std::string bytes = TextOf(WriteShard(shard, LookupTables::kNone));
  std::fill_n(bytes.end() - 176, 48, '\0');
  const auto read = Read(bytes);
  ASSERT_OK(read);
  EXPECT_EQ(*read, shard);
}

// As hf-xet 1.2 posts shards.
TEST(Shard, AFooterThatIsAnnouncedMayBeMissing) {
  Shard shard = Sample();
  std::string bytes = TextOf(WriteShard(shard, LookupTables::kNone));
  bytes[40] = static_cast<char>(200);
  const auto read = Read(bytes);
  ASSERT_OK(read);
  EXPECT_EQ(*read, shard);
}

TEST(Shard, LookupTablesAreSortedByTheFirstWordOfAHash) {
  Shard shard = Sample();
  shard.footer = Footer();
  const auto bytes = WriteShard(shard, LookupTables::kAll);
  const size_t table = bytes.size() - 200 - 48;  // of chunks
  uint64_t before = 0;
  for (size_t i = 0; i < 3; i++) {
    uint64_t word;
    uint32_t record, chunk;
    std::memcpy(&word, &bytes[table + 16 * i], 8);
    std::memcpy(&record, &bytes[table + 16 * i + 8], 4);
    std::memcpy(&chunk, &bytes[table + 16 * i + 12], 4);
    EXPECT_GE(word, before);
    EXPECT_EQ(record, 0u);
    EXPECT_EQ(shard.xorbs[0].chunks.at(chunk).hash.Word(0), word);
    before = word;
  }
}

TEST(Shard, AShardCutAnywhereOrWithMoreAfterItIsRefused) {
  Shard shard = Sample();
  for (const bool footer : {false, true}) {
    if (footer) shard.footer = Footer();
    const std::string bytes = TextOf(WriteShard(shard, LookupTables::kAll));
    // Between the lists and what comes behind them a cut cannot be told from a footer that was never sent.
    const size_t lists_end = footer ? bytes.size() - 200 - (24 + 12 + 48) : bytes.size();
    for (size_t size = 0; size < bytes.size(); size++) {
      EXPECT_EQ(Read(bytes.substr(0, size)).has_value(), size == lists_end) << size;
    }
    EXPECT_FALSE(Read(bytes + "x"));
  }
}

// Writes `value` over a shard with a footer and tables, at an offset from its front or, below zero, from its end.
std::string ErrorWith(int64_t offset, std::integral auto value) {
  Shard shard = Sample();
  shard.footer = Footer();
  std::string bytes = TextOf(WriteShard(shard, LookupTables::kAll));
  const size_t at = static_cast<size_t>(offset < 0 ? static_cast<int64_t>(bytes.size()) + offset : offset);
  std::memcpy(bytes.data() + at, &value, sizeof(value));
  const auto result = Read(bytes);
  return result ? "" : result.error().message;
}

TEST(Shard, EveryFieldThatMakesNoSenseIsRefusedByName) {
  EXPECT_THAT(ErrorWith(0, uint8_t{'h'}), HasSubstr("s: offset 15: tag: expected that of a shard"));
  EXPECT_THAT(ErrorWith(31, uint8_t{0}), HasSubstr("tag"));
  EXPECT_THAT(ErrorWith(32, uint64_t{3}), HasSubstr("a shard of version 3, known is 2"));
  EXPECT_THAT(ErrorWith(40, uint64_t{100}), HasSubstr("size of the footer: expected 0 or 200, found 100"));
  // The first file and its segments.
  EXPECT_THAT(ErrorWith(48 + 32, uint32_t{1}), HasSubstr("flags 0x1 of a file"));
  EXPECT_THAT(ErrorWith(48 + 36, ~uint32_t{0}), HasSubstr("number of segments: expected at most"));
  EXPECT_THAT(ErrorWith(96 + 36, uint32_t{0}),
              HasSubstr("bytes of a segment: expected 2 to 262144 for 2 chunks, found 0"));
  EXPECT_THAT(ErrorWith(96 + 36, uint32_t{262145}), HasSubstr("found 262145"));
  EXPECT_THAT(ErrorWith(96 + 40, uint32_t{2}),
              HasSubstr("chunks of a segment: expected a range within 8192, found 2 to 2"));
  EXPECT_THAT(ErrorWith(96 + 44, uint32_t{8193}), HasSubstr("found 0 to 8193"));
  // The xorb and its chunks, after the header and nine records.
  const int64_t xorb = 48 * 10;
  EXPECT_THAT(ErrorWith(xorb + 36, uint32_t{1000}), HasSubstr("number of chunks: expected at most"));
  EXPECT_THAT(ErrorWith(xorb + 40, uint32_t{kMaxXorbRawBytes + 1}),
              HasSubstr("bytes of a xorb: expected at most 67108864"));
  EXPECT_THAT(ErrorWith(xorb + 40, uint32_t{302}),
              HasSubstr("bytes of a xorb's chunks together: expected 302, found 301"));
  EXPECT_THAT(ErrorWith(xorb + 40, uint32_t{300}), HasSubstr("bytes of a chunk: expected 1 to 0, found 1"));
  EXPECT_THAT(ErrorWith(xorb + 48 + 32, uint32_t{1}), HasSubstr("offset of a chunk: expected 0, found 1"));
  EXPECT_THAT(ErrorWith(xorb + 48 + 36, uint32_t{0}), HasSubstr("bytes of a chunk: expected 1 to 301, found 0"));
  // The footer.
  EXPECT_THAT(ErrorWith(-200, uint64_t{2}), HasSubstr("a footer of version 2, known is 1"));
  EXPECT_THAT(ErrorWith(-192, uint64_t{47}), HasSubstr("offset of the files: expected 48, found 47"));
  EXPECT_THAT(ErrorWith(-184, uint64_t{0}), HasSubstr("offset of the xorbs: expected 480, found 0"));
  EXPECT_THAT(ErrorWith(-176, uint64_t{48}), HasSubstr("lookup table: expected within"));
  EXPECT_THAT(ErrorWith(-168, ~uint64_t{0}), HasSubstr("lookup table: expected within"));
  EXPECT_THAT(ErrorWith(-168, uint64_t{1}), HasSubstr("bytes of the lookup tables: expected 84, found 72"));
  EXPECT_THAT(ErrorWith(-8, uint64_t{0}), HasSubstr("offset of the footer"));
}

TEST(Shard, MoreThanTheLimitIsRefusedUnread) {
  class Large final : public ByteSource {
   public:
    Large() : ByteSource("large", kMaxShardBytes + 1) {}

   private:
    Result<void> ReadRange(uint64_t, std::span<std::byte>) const override {
      ADD_FAILURE() << "was read";
      return {};
    }
  };
  const auto result = ReadShard(Large());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kResourceExhausted);
}

Shard RandomShard() {
  const auto number = [](uint32_t low, uint32_t high) { return *rc::gen::inRange<uint32_t>(low, high); };
  const auto hash = [] { return HashOf(std::to_string(*rc::gen::arbitrary<uint32_t>())); };
  Shard shard;
  for (uint32_t files = number(0, 4); files > 0; files--) {
    ShardFile file;
    file.hash = hash();
    const bool ranges = number(0, 2) == 1;
    for (uint32_t segments = number(0, 5); segments > 0; segments--) {
      const uint32_t begin = number(0, kMaxXorbChunks), end = number(begin + 1, kMaxXorbChunks + 1);
      file.segments.push_back({hash(), number(0, 9), (end - begin) * number(1, 8192), begin, end});
      if (ranges) file.range_hashes.push_back(hash());
    }
    if (number(0, 2) == 1) file.sha256 = hash().bytes;
    shard.files.push_back(file);
  }
  for (uint32_t xorbs = number(0, 4); xorbs > 0; xorbs--) {
    ShardXorb xorb;
    xorb.hash = hash();
    xorb.stored_bytes = number(0, 1 << 20);
    for (uint32_t chunks = number(0, 6); chunks > 0; chunks--) {
      const uint32_t size = number(1, kMaxChunk + 1);
      xorb.chunks.push_back({hash(), xorb.raw_bytes, size, number(0, 2) << 31});
      xorb.raw_bytes += size;
    }
    shard.xorbs.push_back(xorb);
  }
  if (number(0, 2) == 1) shard.footer = Footer();
  return shard;
}

RC_GTEST_PROP(Shard, WhatIsWrittenIsReadAgain, ()) {
  const Shard shard = RandomShard();
  for (const LookupTables tables : {LookupTables::kNone, LookupTables::kAll}) {
    const auto read = Read(WriteShard(shard, tables));
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == shard);
  }
}

}  // namespace
}  // namespace bothy::xet
