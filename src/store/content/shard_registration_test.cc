#include "store/content/shard_registration.h"

#include "store/content/testing.h"

namespace bothy::content {
namespace {

class ShardRegistrationTest : public ContentTest {
 protected:
  void SetUp() override {
    ContentTest::SetUp();
    if (IsSkipped()) return;
    upload_ = UploadOf({contents_[0], contents_[1]});
    ASSERT_OK(SendXorb(upload_.parts.hash, upload_.xorb, 1));
  }

  // The shard with something wrong in it is refused, with a message that has `part`, and none of its files is there.
  void ExpectRefused(const xet::Shard& shard, ErrorCode code, std::string_view part, int64_t uploader = 1) {
    const auto outcome = store_->RegisterShard(*Source(shard), uploader);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, code) << outcome.error().message;
    EXPECT_NE(outcome.error().message.find(part), std::string::npos) << outcome.error().message;
    EXPECT_EQ(Rows("files"), 0);
  }

  const std::vector<std::string> contents_ = {RandomContent(400'000, 1), RandomContent(700'000, 2)};
  Upload upload_;
};

TEST_P(ShardRegistrationTest, FilesAreThereAfterwards) {
  const auto outcome = store_->RegisterShard(*Source(upload_.shard), 1);
  ASSERT_OK(outcome);
  EXPECT_EQ(outcome->files, 2u);
  EXPECT_EQ(outcome->new_files, 2u);
  for (const std::string& content : contents_) {
    const auto file = store_->FindBySha256(Sha256::Of(content));
    ASSERT_OK(file);
    ASSERT_TRUE(*file);
    EXPECT_EQ(Content((*file)->hash), content);
    EXPECT_TRUE(*store_->SentBy(1, (*file)->sha256));
  }
  const auto again = store_->RegisterShard(*Source(upload_.shard), 1);
  ASSERT_OK(again);
  EXPECT_EQ(again->files, 2u);
  EXPECT_EQ(again->new_files, 0u);
}

TEST_P(ShardRegistrationTest, AFileOfSeveralXorbsIsPutTogether) {
  const Upload other = UploadOf({contents_[1].substr(0, 300'000)});
  ASSERT_OK(SendXorb(other.parts.hash, other.xorb, 1));
  xet::Shard shard;
  xet::ShardFile& file = shard.files.emplace_back();
  xet::TreeHasher tree;
  std::string content;
  const auto append = [&](const xet::Xorb& xorb, std::string_view raw, uint32_t begin, uint32_t end) {
    const auto at = [&](uint32_t chunk) { return chunk == 0 ? 0 : xorb.chunks[chunk - 1].raw_end; };
    std::vector<xet::Hash> hashes;
    for (uint32_t i = begin; i < end; i++) {
      hashes.push_back(xorb.chunks[i].hash);
      tree.Add(hashes.back(), at(i + 1) - at(i));
    }
    file.segments.push_back({xorb.hash, 0, at(end) - at(begin), begin, end});
    file.range_hashes.push_back(xet::RangeHash(hashes));
    content += raw.substr(at(begin), at(end) - at(begin));
  };
  const std::string first = contents_[0] + contents_[1], second = contents_[1].substr(0, 300'000);
  append(upload_.parts, first, 3, 7);
  append(other.parts, second, 0, 2);
  append(upload_.parts, first, 7, 9);
  append(upload_.parts, first, 1, 4);
  file.hash = xet::FileHash(tree.Finish());  // without its SHA-256, which the server finds out
  ASSERT_OK(store_->RegisterShard(*Source(shard), 1));
  const auto found = store_->FindBySha256(Sha256::Of(content));
  ASSERT_OK(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->hash, file.hash);
  EXPECT_EQ(Content(file.hash), content);
}

TEST_P(ShardRegistrationTest, WhatIsNotTrueIsRefusedByName) {
  const std::string second = xet::ToText(upload_.shard.files[1].hash), xorb = xet::ToText(upload_.parts.hash);
  const auto with = [&](const auto& change) {
    xet::Shard shard = upload_.shard;
    std::swap(shard.files[0], shard.files[1]);  // the wrong one is the first, so that nothing is recorded before it
    change(shard.files[0], shard.xorbs[0]);
    return shard;
  };
  using F = xet::ShardFile&;
  using X = xet::ShardXorb&;
  ExpectRefused(with([](F f, X) { f.segments[0].xorb.bytes[0] ^= std::byte{1}; }), ErrorCode::kFailedPrecondition,
                "segment 0");
  ExpectRefused(with([](F f, X) { f.segments[0].chunk_end += 100; }), ErrorCode::kInvalidArgument, second);
  ExpectRefused(with([](F f, X) { f.segments[0].raw_bytes++; }), ErrorCode::kInvalidArgument, xorb);
  ExpectRefused(with([](F f, X) { f.range_hashes[0].bytes[9] ^= std::byte{1}; }), ErrorCode::kInvalidArgument, second);
  ExpectRefused(with([](F f, X) { f.sha256 = Sha256::Of("other"); }), ErrorCode::kInvalidArgument, "SHA-256");
  ExpectRefused(with([](F f, X) { f.hash.bytes[5] ^= std::byte{1}; }), ErrorCode::kInvalidArgument, second);
  ExpectRefused(with([](F, X x) { x.hash.bytes[5] ^= std::byte{1}; }), ErrorCode::kFailedPrecondition, "xorb");
  ExpectRefused(with([](F, X x) { x.chunks[1].hash.bytes[5] ^= std::byte{1}; }), ErrorCode::kInvalidArgument,
                "chunk 1");
  ExpectRefused(with([](F, X x) {
                  x.chunks.pop_back();
                  x.raw_bytes = x.chunks.back().raw_begin + x.chunks.back().raw_bytes;
                }),
                ErrorCode::kInvalidArgument, xorb);
  xet::Shard keyed = upload_.shard;
  keyed.footer.emplace().key.bytes[0] = std::byte{1};
  ExpectRefused(keyed, ErrorCode::kInvalidArgument, "key");
  EXPECT_FALSE(store_->RegisterShard(*MemorySource("shard", "no shard"), 1));
  EXPECT_OK(store_->RegisterShard(*Source(upload_.shard), 1));
}

TEST_P(ShardRegistrationTest, AXorbOfOthersIsNamedOnlyByWhoShowsThatTheyHaveIt) {
  xet::Shard bare = upload_.shard;
  bare.xorbs.clear();
  for (xet::ShardFile& file : bare.files) file.range_hashes.clear();
  ExpectRefused(bare, ErrorCode::kPermissionDenied, "sent by others", 2);
  xet::Shard guessed = bare;
  for (xet::ShardFile& file : guessed.files) file.range_hashes = {xet::RangeHash({})};
  ExpectRefused(guessed, ErrorCode::kPermissionDenied, "not the hash of the chunks", 2);

  const Digest256 sha256 = Sha256::Of(contents_[0]);
  EXPECT_FALSE(*store_->SentBy(2, sha256));
  EXPECT_OK(store_->RegisterShard(*Source(upload_.shard), 2));
  EXPECT_TRUE(*store_->SentBy(2, sha256));
  EXPECT_FALSE(*store_->SentBy(1, sha256));
  EXPECT_OK(store_->RegisterShard(*Source(bare), 1));  // has sent it, and need show nothing
  EXPECT_TRUE(*store_->SentBy(1, sha256));
}

TEST_P(ShardRegistrationTest, TheNumberOfSegmentsChunksAndBytesIsLimited) {
  // One chunk of one byte, again and again.
  const Upload tiny = UploadOf({"x"}, xet::Scheme::kNone);
  ASSERT_OK(SendXorb(tiny.parts.hash, tiny.xorb, 1));
  const auto repeated = [&](uint32_t times) {
    xet::Shard shard;
    xet::ShardFile& file = shard.files.emplace_back();
    xet::TreeHasher tree;
    for (uint32_t i = 0; i < times; i++) {
      file.segments.push_back({tiny.parts.hash, 0, 1, 0, 1});
      tree.Add(tiny.parts.chunks[0].hash, 1);
    }
    file.hash = xet::FileHash(tree.Finish());
    return shard;
  };
  Restart({.max_segments = 1000, .max_file_bytes = 900});
  EXPECT_OK(store_->RegisterShard(*Source(repeated(900)), 1));
  EXPECT_EQ(store_->RegisterShard(*Source(repeated(901)), 1).error().code, ErrorCode::kResourceExhausted);
  Restart({.max_segments = 1000});
  EXPECT_OK(store_->RegisterShard(*Source(repeated(1000)), 1));
  EXPECT_EQ(store_->RegisterShard(*Source(repeated(1001)), 1).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(Content(repeated(1000).files[0].hash), std::string(1000, 'x'));
  xet::Shard two = repeated(600);
  two.files.push_back(repeated(400).files[0]);
  Restart({.max_shard_chunks = 1000});
  EXPECT_OK(store_->RegisterShard(*Source(two), 1));
  two.files[1] = repeated(401).files[0];
  EXPECT_EQ(store_->RegisterShard(*Source(two), 1).error().code, ErrorCode::kResourceExhausted);
}

TEST_P(ShardRegistrationTest, ProgressIsToldAndCanGiveUp) {
  uint64_t last = 0, said_total = 0;
  const auto outcome = store_->RegisterShard(*Source(upload_.shard), 1, [&](uint64_t verified, uint64_t total) {
    EXPECT_GE(verified, last);
    last = verified;
    said_total = total;
    return true;
  });
  ASSERT_OK(outcome);
  EXPECT_EQ(last, 1'100'000u);
  EXPECT_EQ(said_total, 1'100'000u);
  const Upload other = UploadOf({RandomContent(200'000, 3)});
  ASSERT_OK(SendXorb(other.parts.hash, other.xorb, 1));
  const auto given_up = store_->RegisterShard(*Source(other.shard), 1, [](uint64_t, uint64_t) { return false; });
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(*store_->FindByHash(other.shard.files[0].hash));
}

TEST_P(ShardRegistrationTest, ManySmallFilesOfOneShardAreAllRecorded) {
  std::vector<std::string> contents;
  for (uint64_t i = 0; i < 600; i++) contents.push_back(RandomContent(100 + i, i));
  const Upload upload = UploadOf(contents);
  const auto outcome = Send(upload, 1);
  ASSERT_OK(outcome);
  EXPECT_EQ(outcome->new_files, 600u);
  for (const size_t i : {size_t{0}, size_t{255}, size_t{256}, size_t{599}}) {
    EXPECT_EQ(Content(upload.shard.files[i].hash), contents[i]);
  }
}

BOTHY_ON_BOTH_DATABASES(ShardRegistrationTest);

}  // namespace
}  // namespace bothy::content
