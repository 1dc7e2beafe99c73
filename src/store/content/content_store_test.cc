#include "store/content/content_store.h"

#include <rapidcheck.h>

#include <atomic>
#include <thread>

#include "base/hex.h"
#include "store/content/testing.h"

namespace bothy::content {
namespace {

class ContentStoreTest : public ContentTest {
 protected:
  std::string BytesOfRanges(const xet::Hash& file, uint64_t begin, uint64_t end) const {
    std::string bytes;
    while (begin < end) {
      const auto ranges = store_->Ranges(file, begin, end);
      EXPECT_OK(ranges);
      if (!ranges || ranges->empty()) break;
      for (const BlobRange& range : *ranges) {
        const auto blob = blobs_->Open(range.blob);
        EXPECT_OK(blob);
        std::string piece(range.size, '\0');
        EXPECT_OK((*blob)->Read(range.offset, std::as_writable_bytes(std::span(piece))));
        bytes += piece;
        begin += range.size;
      }
    }
    return bytes;
  }

  std::string BytesOfXorb(const xet::Hash& xorb, uint64_t begin, uint64_t end) const {
    const auto part = store_->XorbBytes(xorb, begin, end);
    EXPECT_OK(part);
    if (!part) return "";
    const auto blob = blobs_->Open(part->blob);
    EXPECT_OK(blob);
    std::string bytes;
    for (const xet::ViewPiece& piece : part->pieces) {
      xet::AppendBytes(bytes, piece.header_bytes());
      std::string raw(piece.raw_end - piece.raw_begin, '\0');
      EXPECT_OK((*blob)->Read(piece.raw_begin, std::as_writable_bytes(std::span(raw))));
      bytes += raw;
    }
    return bytes;
  }

  // As Xet's clients do: fetch the ranges of xorbs, unpack them, put the terms together, drop what was not asked for.
  std::string Download(const xet::Hash& file, uint64_t begin, uint64_t end) const {
    const auto plan = store_->Reconstruct(file, begin, end);
    EXPECT_OK(plan);
    if (!plan) return "";
    std::map<std::pair<xet::Hash, uint32_t>, std::string> chunks;
    for (const auto& [xorb, fetches] : plan->fetches) {
      for (const xet::FetchRange& fetch : fetches) {
        const std::string bytes = BytesOfXorb(xorb, fetch.byte_begin, fetch.byte_end);
        xet::XorbReader reader("download");
        uint32_t chunk = fetch.chunk_begin;
        for (std::span<const std::byte> left = BytesOf(bytes); !left.empty();) {
          const auto found = reader.Next(left);
          EXPECT_OK(found);
          if (!found || !*found) break;
          xet::AppendBytes(chunks[{xorb, chunk++}], reader.content());
        }
        EXPECT_EQ(chunk, fetch.chunk_end);
        EXPECT_OK(reader.FinishPart());
      }
    }
    std::string content;
    for (const xet::Segment& segment : plan->segments) {
      for (uint32_t i = segment.chunk_begin; i < segment.chunk_end; i++) content += chunks.at({segment.xorb, i});
    }
    return content.substr(plan->offset_into_first, end - begin);
  }
};

TEST_P(ContentStoreTest, WhatHfXetPostedGivesTheFilesThatItWasMadeOf) {
  const json::value uploads = xet::GoldenJson("uploads.json");
  const std::map<std::string, std::string> contents = {{"letters", xet::Letters(400'000)},
                                                       {"floats", xet::Floats(60'000)},
                                                       {"random", xet::PseudoRandom("xorb", 150'000)}};
  for (const json::value& upload : uploads.at("files").as_array()) {
    const std::string name(upload.at("name").as_string());
    SCOPED_TRACE(name);
    const auto xorb_hash = *xet::FromText(upload.at("xorb_hash").as_string());
    const auto posted = SendXorb(xorb_hash, ReadTestFile(Golden() / "xet" / (name + ".xorb")), 7);
    ASSERT_OK(posted);
    EXPECT_TRUE(*posted);
    const auto shard = MemorySource(name, ReadTestFile(Golden() / "xet" / (name + ".shard")));
    const auto registered = store_->RegisterShard(*shard, 7);
    ASSERT_OK(registered);
    EXPECT_EQ(registered->files, 1u);
    EXPECT_EQ(registered->new_files, 1u);

    Digest256 sha256;
    ASSERT_TRUE(DecodeHex(std::string_view(upload.at("sha256").as_string()), sha256));
    const auto file = store_->FindBySha256(sha256);
    ASSERT_OK(file);
    ASSERT_TRUE(*file);
    EXPECT_EQ(xet::ToText((*file)->hash), upload.at("file_hash").as_string());
    EXPECT_EQ((*file)->size, contents.at(name).size());
    EXPECT_EQ(Content((*file)->hash), contents.at(name));
    EXPECT_EQ(BytesOfRanges((*file)->hash, 0, contents.at(name).size()), contents.at(name));
    EXPECT_EQ(Download((*file)->hash, 0, contents.at(name).size()), contents.at(name));
    EXPECT_TRUE(*store_->SentBy(7, sha256));
    EXPECT_FALSE(*store_->SentBy(8, sha256));

    // Sent again as plain bytes, it is the same file and takes no more room.
    const uint64_t stored = StoredBytes();
    const auto plain = Send(contents.at(name), {.sha256 = sha256, .size = contents.at(name).size(), .uploader = 8});
    ASSERT_OK(plain);
    EXPECT_EQ(*plain, **file);
    EXPECT_EQ(StoredBytes(), stored);
    EXPECT_TRUE(*store_->SentBy(8, sha256));
  }
}

TEST_P(ContentStoreTest, PlainBytesGetTheHashesThatHfXetGivesThem) {
  const json::value golden = xet::GoldenJson("golden.json");
  int checked = 0;
  for (const auto& [name, value] : golden.at("cases").as_object()) {
    const auto size = static_cast<size_t>(value.at("size").to_number<int64_t>());
    auto content = xet::ContentOf(name, size);
    if (!content && std::string_view(name).starts_with("file:") && TestData()) {
      content = ReadTestFile(*TestData() / std::string_view(name).substr(5));
    }
    if (!content) continue;
    SCOPED_TRACE(std::string(name));
    const auto file = Send(*content, {}, 99'991);
    ASSERT_OK(file);
    EXPECT_EQ(xet::ToText(file->hash), value.at("file_hash").as_string());
    EXPECT_EQ(EncodeHex(file->sha256), value.at("sha256").as_string());
    EXPECT_EQ(file->size, size);
    EXPECT_EQ(Content(file->hash), *content);
    checked++;
  }
  EXPECT_GE(checked, 5);
}

TEST_P(ContentStoreTest, AnyBytesOfAnyFileComeOutByEveryWay) {
  // Versions of each other, so that they are made of segments of several xorbs.
  std::vector<std::string> contents = {RandomContent(3'000'000, 1)};
  contents.push_back(std::string(contents[0]).insert(1'000'000, "a few bytes"));
  contents.push_back(contents[1].substr(700'000, 1'500'000) + RandomContent(200'000, 2) + contents[0].substr(50'000));
  contents.push_back(RandomContent(5, 3));
  contents.push_back(std::string(2'000'000, '\0') + contents[0].substr(0, 400'000) + std::string(500'000, '\0'));
  std::vector<xet::Hash> files;
  for (const std::string& content : contents) {
    const auto file = Send(content);
    ASSERT_OK(file);
    files.push_back(file->hash);
  }
  ASSERT_OK(Send(UploadOf({contents[2], RandomContent(900'000, 4)}), 1));
  EXPECT_TRUE(rc::check([&] {
    const auto which = *rc::gen::inRange<size_t>(0, files.size());
    const std::string& content = contents[which];
    const auto begin = *rc::gen::inRange<size_t>(0, content.size());
    const auto end = *rc::gen::inRange<size_t>(begin + 1, content.size() + 1);
    const std::string expected = content.substr(begin, end - begin);
    RC_ASSERT(BytesOfRanges(files[which], begin, end) == expected);
    RC_ASSERT(Download(files[which], begin, end) == expected);
    const auto source = store_->Open(files[which], "file");
    RC_ASSERT(source.has_value());
    std::string read(end - begin, '\0');
    RC_ASSERT((*source)->Read(begin, std::as_writable_bytes(std::span(read))).has_value());
    RC_ASSERT(read == expected);
  }));
}

TEST_P(ContentStoreTest, AnyBytesOfAXorbAreThoseOfTheWholeView) {
  const Upload upload = UploadOf({RandomContent(700'000, 1)}, xet::Scheme::kByteGrouping4Lz4);
  ASSERT_OK(Send(upload, 1));
  std::string whole;  // as if nothing had been compressed
  for (const std::string& chunk : ChunksOf(RandomContent(700'000, 1))) {
    xet::AppendChunk(whole, xet::Scheme::kNone, chunk);
  }
  const auto info = store_->FindXorb(upload.parts.hash);
  ASSERT_OK(info);
  ASSERT_TRUE(*info);
  EXPECT_EQ((*info)->view_bytes, whole.size());
  EXPECT_EQ((*info)->raw_bytes, 700'000u);
  EXPECT_TRUE(rc::check([&] {
    const auto begin = *rc::gen::inRange<size_t>(0, whole.size());
    const auto end = *rc::gen::inRange<size_t>(begin, whole.size() + 1);
    RC_ASSERT(BytesOfXorb(upload.parts.hash, begin, end) == whole.substr(begin, end - begin));
  }));
  EXPECT_EQ(store_->XorbBytes(upload.parts.hash, 0, whole.size() + 1).error().code, ErrorCode::kOutOfRange);
  EXPECT_EQ(store_->XorbBytes({}, 0, 1).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(*store_->FindXorb({}));
}

TEST_P(ContentStoreTest, BytesPastTheEndAndFilesThatAreNotThereAreRefused) {
  const auto file = Send(RandomContent(100'000, 1));
  ASSERT_OK(file);
  EXPECT_EQ(store_->Ranges(file->hash, 0, 100'001).error().code, ErrorCode::kOutOfRange);
  EXPECT_EQ(store_->Ranges(file->hash, 5, 4).error().code, ErrorCode::kOutOfRange);
  EXPECT_TRUE(store_->Ranges(file->hash, 100'000, 100'000)->empty());
  EXPECT_EQ(store_->Reconstruct(file->hash, 100'000, 200'000).error().code, ErrorCode::kOutOfRange);
  EXPECT_EQ(store_->Reconstruct(file->hash, UINT64_MAX - 1, UINT64_MAX).error().code, ErrorCode::kOutOfRange);
  EXPECT_OK(store_->Reconstruct(file->hash, 99'999, UINT64_MAX));  // to the end, as clients ask
  EXPECT_EQ(store_->Ranges({}, 0, 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->Open({}, "file").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->Reconstruct({}, 0, 1).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(*store_->FindBySha256({}));
  EXPECT_FALSE(*store_->FindByHash({}));
}

TEST_P(ContentStoreTest, AnEmptyFileIsAFile) {
  const auto file = Send("");
  ASSERT_OK(file);
  EXPECT_EQ(file->size, 0u);
  EXPECT_EQ(file->hash, xet::Hash{});
  EXPECT_EQ(file->sha256, Sha256::Of(""));
  EXPECT_EQ(Content(file->hash), "");
  EXPECT_TRUE(store_->Ranges(file->hash, 0, 0)->empty());
  EXPECT_TRUE(Blobs().empty());
}

TEST_P(ContentStoreTest, WhatIsNotAsExpectedIsRefusedAndLeavesNothing) {
  const std::string content = RandomContent(500'000, 1);
  const auto other = Send(content, {.sha256 = Sha256::Of("other")});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(other.error().message.find(EncodeHex(Sha256::Of(content))), std::string::npos) << other.error().message;
  EXPECT_EQ(Send(content, {.size = 499'999}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Send(content, {.size = 500'001}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(Blobs().empty());
  EXPECT_EQ(Rows("files"), 0);
  EXPECT_EQ(Rows("xorbs"), 0);
  EXPECT_OK(Send(content, {.sha256 = Sha256::Of(content), .size = 500'000}));
}

TEST_P(ContentStoreTest, AFileThatIsNotFinishedLeavesNothing) {
  {
    const auto writer = store_->CreateFile();
    EXPECT_OK(writer->Write(RandomContent(9'000'000, 1)));
  }
  EXPECT_TRUE(Blobs().empty());
  EXPECT_EQ(Rows("xorbs"), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder() / "blobs" / "tmp"));
}

TEST_P(ContentStoreTest, AFileHasAMaximumSize) {
  Restart({.max_file_bytes = 100'000});
  EXPECT_OK(Send(RandomContent(100'000, 1)));
  EXPECT_EQ(Send(RandomContent(100'001, 1)).error().code, ErrorCode::kResourceExhausted);
}

TEST_P(ContentStoreTest, ANewVersionOfAFileTakesLittleMoreRoom) {
  std::string content = RandomContent(30'000'000, 1);
  ASSERT_OK(Send(content));
  const uint64_t before = StoredBytes();
  EXPECT_EQ(before, content.size());
  for (size_t i = 0; i < 4; i++) content.insert(3'000'000 + i * 7'000'000, RandomContent(1000, i));
  content = RandomContent(100, 9) + content;
  const auto file = Send(content);
  ASSERT_OK(file);
  // Five places, in each a chunk or two of at most 128 KiB.
  EXPECT_LT(StoredBytes() - before, 10u << 17);
  EXPECT_EQ(Content(file->hash), content);
}

TEST_P(ContentStoreTest, RepeatedContentWithinAFileIsStoredOnce) {
  const std::string part = RandomContent(5'000'000, 1);
  const auto file = Send(part + RandomContent(70'000'000, 2) + part);
  ASSERT_OK(file);
  EXPECT_LT(StoredBytes(), 75'000'000 + (3u << 17));
  EXPECT_GE(Blobs().size(), 2u);
  for (const auto& [name, size] : Blobs()) EXPECT_LE(size, xet::kMaxXorbRawBytes);
  EXPECT_EQ(BytesOfRanges(file->hash, 74'900'000, 75'100'000),
            (RandomContent(70'000'000, 2) + part).substr(69'900'000, 200'000));
  // Sent again it is found through the index, though that has only some of its chunks.
  const uint64_t stored = StoredBytes();
  ASSERT_OK(Send(RandomContent(300'000, 3) + RandomContent(70'000'000, 2)));
  EXPECT_LT(StoredBytes() - stored, 300'000 + (2u << 17));
}

TEST_P(ContentStoreTest, AFileOfManyXorbsIsRecordedInSeveralTransactions) {
  Restart({.xorbs_at_once = 1});
  const std::string content = RandomContent(140'000'000, 1);
  const auto file = Send(content, {.uploader = 1});
  ASSERT_OK(file);
  EXPECT_EQ(Rows("xorbs"), 3);
  EXPECT_EQ(BytesOfRanges(file->hash, 60'000'000, 80'000'000), content.substr(60'000'000, 20'000'000));
  EXPECT_EQ(BytesOfRanges(file->hash, 139'000'000, 140'000'000), content.substr(139'000'000));
  ASSERT_OK(Send(content, {.sha256 = file->sha256}));
  EXPECT_EQ(StoredBytes(), content.size());  // all of it was found again
}

TEST_P(ContentStoreTest, AFileOfTooManySegmentsIsNotCutFurther) {
  Restart({.max_segments = 8});
  const std::string content = RandomContent(40'000'000, 1);
  ASSERT_OK(Send(content));
  std::string patched = content;  // every MB another chunk
  for (size_t i = 0; i < patched.size(); i += 1'000'000) patched[i]++;
  const auto file = Send(patched);
  ASSERT_OK(file);
  EXPECT_EQ(Content(file->hash), patched);
}

TEST_P(ContentStoreTest, TouchSaysWhatIsThere) {
  const auto a = Send(RandomContent(1000, 1)), b = Send(RandomContent(1000, 2));
  ASSERT_OK(a);
  ASSERT_OK(b);
  const auto found = store_->Touch(std::vector{b->sha256, Sha256::Of("other"), a->sha256});
  ASSERT_OK(found);
  EXPECT_EQ(*found, (std::vector<std::optional<File>>{*b, std::nullopt, *a}));
}

TEST_P(ContentStoreTest, ManyUploadsOfTheSameAtOnceAllSucceed) {
  const std::string base = RandomContent(4'000'000, 1);
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  std::vector<std::string> contents;
  for (size_t i = 0; i < 8; i++)
    contents.push_back(i % 2 == 0 ? base : base.substr(0, 500'000 * i) + "x" + base.substr(100'000));
  for (size_t i = 0; i < contents.size(); i++) {
    threads.emplace_back([&, i] {
      if (const auto file = Send(contents[i], {.sha256 = Sha256::Of(contents[i])}); !file) {
        ADD_FAILURE() << file.error().message;
        failed++;
      }
      if (const auto outcome = Send(UploadOf({contents[i]}), static_cast<int64_t>(i)); !outcome) {
        ADD_FAILURE() << outcome.error().message;
        failed++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  for (const std::string& content : contents) {
    const auto file = store_->FindBySha256(Sha256::Of(content));
    ASSERT_OK(file);
    ASSERT_TRUE(*file);
    EXPECT_EQ(Content((*file)->hash), content);
  }
}

BOTHY_ON_BOTH_DATABASES(ContentStoreTest);

}  // namespace
}  // namespace bothy::content
