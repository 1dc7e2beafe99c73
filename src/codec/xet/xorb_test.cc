#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <algorithm>
#include <string>
#include <vector>

#include "codec/xet/golden_content.h"
#include "codec/xet/xorb_builder.h"
#include "codec/xet/xorb_reader.h"
#include "codec/xet/xorb_view.h"

namespace bothy::xet {
namespace {

using testing::HasSubstr;

struct Unpacked {
  std::string content;
  Xorb xorb;
};

// Feeds `bytes` in pieces; `expected` nothing: a row of chunks without a hash of the whole.
Result<Unpacked> Read(std::string_view bytes, std::optional<Hash> expected, size_t piece = ~size_t{0}) {
  XorbReader reader("x");
  Unpacked unpacked;
  for (auto left = BytesOf(bytes); !left.empty();) {
    auto input = left.first(std::min(piece, left.size()));
    left = left.subspan(input.size());
    while (!input.empty()) {
      if (!TRY(reader.Next(input))) continue;
      EXPECT_EQ(reader.hash(), ChunkHash(reader.content()));
      AppendBytes(unpacked.content, reader.content());
    }
  }
  if (expected) {
    unpacked.xorb = TRY(reader.Finish(*expected));
  } else {
    unpacked.xorb.chunks = TRY(reader.FinishPart());
  }
  return unpacked;
}

std::string ErrorOf(std::string_view bytes, const Hash& expected = {}) {
  const auto result = Read(bytes, expected);
  EXPECT_FALSE(result);
  if (result) return "";
  EXPECT_TRUE(result.error().code == ErrorCode::kCorrupt || result.error().code == ErrorCode::kUnimplemented);
  return result.error().message;
}

// Chunks of every scheme, from one byte to the largest.
struct Sample {
  std::vector<std::string> chunks;
  std::string bytes;
  Xorb xorb;
};

Sample MakeSample() {
  Sample sample;
  std::vector<uint32_t> ends;
  const std::vector<std::pair<Scheme, std::string>> parts = {
      {Scheme::kNone, "?"},
      {Scheme::kLz4, Letters(1000)},
      {Scheme::kByteGrouping4Lz4, Floats(500) + "abc"},
      {Scheme::kNone, PseudoRandom("sample", 20'000)},
      {Scheme::kByteGrouping4Lz4, "xy"},
      {Scheme::kLz4, std::string(kMaxChunk, '\0')},
  };
  for (const auto& [scheme, raw] : parts) {
    AppendChunk(sample.bytes, scheme, raw);
    sample.chunks.push_back(raw);
    ends.push_back(static_cast<uint32_t>(sample.bytes.size()));
  }
  sample.xorb = XorbOf(sample.chunks, ends);
  return sample;
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

TEST(XorbReader, WhatHfXetPostedUnpacksToWhatWasUploaded) {
  const std::string contents[] = {Letters(400'000), Floats(60'000), PseudoRandom("xorb", 150'000)};
  size_t index = 0;
  const auto golden = GoldenJson("uploads.json");
  for (const auto& file : golden.at("files").as_array()) {
    const std::string name(file.at("name").as_string());
    const std::string bytes = ReadTestFile(Golden() / "xet" / (name + ".xorb"));
    const auto hash = FromText(file.at("xorb_hash").as_string());
    ASSERT_TRUE(hash);
    for (const size_t piece : {bytes.size(), size_t{65536}, size_t{1000}, size_t{7}}) {
      const auto unpacked = Read(bytes, hash, piece);
      ASSERT_OK(unpacked);
      EXPECT_EQ(unpacked->content, contents[index]) << name;
      const auto& chunks = file.at("chunks").as_array();
      ASSERT_EQ(unpacked->xorb.chunks.size(), chunks.size());
      uint32_t raw_end = 0, stored_end = 0;
      for (size_t i = 0; i < chunks.size(); i++) {
        raw_end += chunks[i].at("length").to_number<uint32_t>();
        stored_end += chunks[i].at("stored").to_number<uint32_t>() + 8;
        EXPECT_EQ(unpacked->xorb.chunks[i].raw_end, raw_end);
        EXPECT_EQ(unpacked->xorb.chunks[i].stored_end, stored_end);
      }
    }
    index++;
  }
  EXPECT_EQ(index, 3u);
}

TEST(XorbReader, EverySchemeAndAFooterAreReadHoweverTheyArrive) {
  const Sample sample = MakeSample();
  for (const std::string& bytes : {sample.bytes, sample.bytes + FooterOf(sample.xorb)}) {
    for (const size_t piece : {size_t{1}, size_t{9}, size_t{5000}, bytes.size()}) {
      const auto unpacked = Read(bytes, sample.xorb.hash, piece);
      ASSERT_OK(unpacked);
      EXPECT_EQ(unpacked->content, Joined(sample.chunks));
      EXPECT_EQ(unpacked->xorb, sample.xorb);
    }
  }
}

TEST(XorbReader, APartOfAXorbIsReadWithoutItsHash) {
  const Sample sample = MakeSample();
  const uint32_t begin = sample.xorb.chunks[0].stored_end, end = sample.xorb.chunks[2].stored_end;
  const auto part = Read(std::string_view(sample.bytes).substr(begin, end - begin), std::nullopt);
  ASSERT_OK(part);
  EXPECT_EQ(part->content, sample.chunks[1] + sample.chunks[2]);
  ASSERT_EQ(part->xorb.chunks.size(), 2u);
  EXPECT_EQ(part->xorb.chunks[1].hash, sample.xorb.chunks[2].hash);
  EXPECT_FALSE(Read(std::string_view(sample.bytes).substr(begin, end - begin - 1), std::nullopt));
}

TEST(XorbReader, AXorbCutAnywhereIsRefused) {
  const Sample sample = MakeSample();
  const std::string with_footer = sample.bytes + FooterOf(sample.xorb);
  for (size_t size = 0; size<with_footer.size(); size += size + 40> sample.bytes.size() ? 1 : 97) {
    if (size == sample.bytes.size()) continue;
    EXPECT_NE(ErrorOf(with_footer.substr(0, size), sample.xorb.hash), "") << size;
  }
}

TEST(XorbReader, AHeaderThatBreaksTheFormatIsRefusedWithItsOffset) {
  const auto chunk = [](uint8_t version, Scheme scheme, std::string_view stored, size_t raw) {
    std::string out;
    AppendChunk(out, Scheme::kNone, "first");
    AppendStored(out, scheme, stored, raw);
    out[13] = static_cast<char>(version);
    return out;
  };
  EXPECT_EQ(ErrorOf(""), "x: offset 0: expected a xorb of at least one chunk, found none");
  EXPECT_THAT(ErrorOf(chunk(1, Scheme::kNone, "a", 1)), HasSubstr("offset 13: expected a chunk header of version 0"));
  EXPECT_THAT(ErrorOf(chunk(0, Scheme{3}, "a", 1)), HasSubstr("expected compression scheme 0, 1 or 2, found 3"));
  EXPECT_THAT(ErrorOf(chunk(0, Scheme::kLz4, "a", 0)), HasSubstr("expected a chunk of 1 to 131072 bytes, found 0"));
  EXPECT_THAT(ErrorOf(chunk(0, Scheme::kLz4, "a", kMaxChunk + 1)), HasSubstr("found 131073"));
  EXPECT_THAT(ErrorOf(chunk(0, Scheme::kLz4, "", 1)), HasSubstr("stored in 1 to 262144 bytes, found 0"));
  EXPECT_THAT(ErrorOf(chunk(0, Scheme::kLz4, std::string(kMaxStoredChunk + 1, 'a'), 1)), HasSubstr("found 262145"));
  EXPECT_THAT(ErrorOf(chunk(0, Scheme::kNone, "ab", 3)),
              HasSubstr("expected 3 bytes of a chunk that is not compressed"));
}

TEST(XorbReader, APackedChunkThatIsNotWhatItsHeaderSaysIsRefused) {
  const std::string raw = Letters(5000), packed = PackLz4(raw);
  const auto error = [](std::string_view stored, size_t size) {
    std::string out;
    AppendStored(out, Scheme::kLz4, stored, size);
    return ErrorOf(out);
  };
  EXPECT_THAT(error(packed, 4999), HasSubstr("offset 8: an LZ4 frame of more than the 4999 bytes"));
  EXPECT_THAT(error(packed, 5001), HasSubstr("offset 8: expected an LZ4 frame of 5001 bytes, found 5000"));
  EXPECT_THAT(error(packed + "z", 5000), HasSubstr("1 bytes after the end of an LZ4 frame"));
  EXPECT_THAT(error(packed.substr(0, packed.size() - 1), 5000), HasSubstr("does not end within its"));
  EXPECT_THAT(error(packed.substr(4), 5000), HasSubstr("no LZ4 frame: ERROR_frameType_unknown"));
  EXPECT_THAT(error(packed + packed, 10000), HasSubstr("expected an LZ4 frame of 10000 bytes, found 5000"));
}

TEST(XorbReader, AHundredMebibytesOfZerosInAFewBytesAreRefusedBeforeTheyAreUnpacked) {
  std::string out;
  AppendStored(out, Scheme::kLz4, PackLz4(std::string(100 << 20, '\0')).substr(0, kMaxStoredChunk), kMaxChunk);
  EXPECT_THAT(ErrorOf(out), HasSubstr("more than the 131072 bytes"));
}

TEST(XorbReader, TheLimitsOfAXorbAreKeptToTheByte) {
  // 64 MiB of chunks, each the largest.
  std::string zeros, stored;
  AppendChunk(zeros, Scheme::kLz4, std::string(kMaxChunk, '\0'));
  for (size_t i = 0; i < kMaxXorbRawBytes / kMaxChunk; i++) stored += zeros;
  const auto full = Read(stored, std::nullopt);
  ASSERT_OK(full);
  EXPECT_EQ(full->content.size(), kMaxXorbRawBytes);
  AppendChunk(stored, Scheme::kNone, "a");
  EXPECT_THAT(ErrorOf(stored), HasSubstr("expected chunks of at most 67108864 bytes together, found 67108865"));
  // 8192 chunks.
  std::string small;
  for (size_t i = 0; i < kMaxXorbChunks; i++) AppendChunk(small, Scheme::kNone, "a");
  EXPECT_OK(Read(small, std::nullopt));
  AppendChunk(small, Scheme::kNone, "a");
  EXPECT_THAT(ErrorOf(small), HasSubstr("more than 8192 chunks"));
}

TEST(XorbReader, AnotherHashThanExpectedIsRefused) {
  const Sample sample = MakeSample();
  Hash other = sample.xorb.hash;
  other.bytes[31] ^= std::byte{1};
  EXPECT_THAT(ErrorOf(sample.bytes, other), HasSubstr("x: expected a xorb whose hash is " + ToText(other)));
}

TEST(XorbReader, AFooterThatSaysAnythingElseIsRefused) {
  const Sample sample = MakeSample();
  const std::string footer = FooterOf(sample.xorb);
  const size_t buffer = footer.size() - 20;
  for (size_t i = 0; i < footer.size(); i++) {
    std::string changed = footer;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto result = Read(sample.bytes + changed, sample.xorb.hash);
    EXPECT_EQ(result.has_value(), i >= buffer && i < buffer + 16) << i;
  }
  EXPECT_THAT(ErrorOf(sample.bytes + footer + "x", sample.xorb.hash), HasSubstr("expected a footer of"));
}

TEST(XorbView, ItsBytesAreTheXorbOfTheSameChunksUncompressed) {
  std::string raw, whole;
  std::vector<uint32_t> ends;
  for (const int size : {1, 70, 3, 500, 16}) {
    const std::string chunk = PseudoRandom("view", static_cast<size_t>(size));
    raw += chunk;
    AppendChunk(whole, Scheme::kNone, chunk);
    ends.push_back(static_cast<uint32_t>(raw.size()));
  }
  const XorbView view(ends);
  ASSERT_EQ(view.size(), whole.size());
  for (uint32_t begin = 0; begin <= view.size(); begin++) {
    for (uint32_t end = begin; end <= view.size(); end += 1 + end % 3) {
      std::string bytes;
      for (const ViewPiece& piece : view.Pieces(begin, end)) {
        AppendBytes(bytes, piece.header_bytes());
        bytes += raw.substr(piece.raw_begin, piece.raw_end - piece.raw_begin);
      }
      ASSERT_EQ(bytes, whole.substr(begin, end - begin)) << begin << " to " << end;
    }
  }
}

RC_GTEST_PROP(XorbReader, WhatIsWrittenIsReadAgain, (const std::vector<std::pair<uint8_t, std::string>>& parts)) {
  std::string bytes;
  std::vector<std::string> chunks;
  std::vector<uint32_t> ends;
  for (const auto& [scheme, text] : parts) {
    if (text.empty()) continue;
    AppendChunk(bytes, Scheme(scheme % 3), text);
    chunks.push_back(text);
    ends.push_back(static_cast<uint32_t>(bytes.size()));
  }
  RC_PRE(!chunks.empty());
  const Xorb xorb = XorbOf(chunks, ends);
  const auto piece = *rc::gen::inRange<size_t>(1, 50);
  const auto unpacked = Read(bytes + FooterOf(xorb), xorb.hash, piece);
  RC_ASSERT(unpacked.has_value());
  RC_ASSERT(unpacked->xorb == xorb);
  RC_ASSERT(unpacked->content == Joined(chunks));
}

}  // namespace
}  // namespace bothy::xet
