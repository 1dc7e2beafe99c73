#include "store/content/testing.h"

namespace bothy::content {
namespace {

class ChunkQueryTest : public ContentTest {
 protected:
  // The xorbs of the answer, as who has these chunks finds them: each xorb's hash with the chunks that are recognised.
  std::map<xet::Hash, size_t> Recognised(const xet::Hash& asked, const std::vector<std::string>& chunks) const {
    const auto bytes = store_->FindChunk(asked);
    EXPECT_OK(bytes);
    if (!bytes || !*bytes) return {};
    const auto answer = xet::ReadShard(*MemorySource("answer", **bytes));
    EXPECT_OK(answer);
    if (!answer) return {};
    EXPECT_TRUE(answer->files.empty());
    EXPECT_TRUE(answer->footer);
    EXPECT_NE(answer->footer->key, xet::Hash{});
    const auto today = std::chrono::floor<std::chrono::days>(now_).time_since_epoch().count();
    EXPECT_EQ(answer->footer->created, static_cast<uint64_t>(today * 86400));
    EXPECT_EQ(answer->footer->key_expiry, static_cast<uint64_t>((today + 21) * 86400));
    std::map<xet::Hash, size_t> recognised;
    for (const xet::ShardXorb& xorb : answer->xorbs) {
      size_t& count = recognised[xorb.hash];
      for (const xet::ShardChunk& chunk : xorb.chunks) {
        for (const std::string& mine : chunks) {
          const xet::Hash hash = xet::ChunkHash(BytesOf(mine));
          EXPECT_NE(chunk.hash, hash);
          if (chunk.hash == xet::KeyedChunkHash(answer->footer->key, hash)) count++;
        }
      }
    }
    return recognised;
  }
};

TEST_P(ChunkQueryTest, TheFirstChunkOfAFileBringsEveryXorbThatWasRegisteredWithIt) {
  const std::vector<std::string> contents = {RandomContent(300'000, 1), RandomContent(400'000, 2)};
  const Upload first = UploadOf({contents[0]}), second = UploadOf({contents[1]});
  ASSERT_OK(SendXorb(first.parts.hash, first.xorb, 1));
  ASSERT_OK(SendXorb(second.parts.hash, second.xorb, 1));
  const auto chunks = ChunksOf(contents[0]);
  EXPECT_FALSE(*store_->FindChunk(xet::ChunkHash(BytesOf(chunks[0]))));  // sent, but of no file yet
  xet::Shard shard = first.shard;
  shard.files.push_back(second.shard.files[0]);
  shard.xorbs.push_back(second.shard.xorbs[0]);
  ASSERT_OK(store_->RegisterShard(*Source(shard), 1));

  const auto found = Recognised(xet::ChunkHash(BytesOf(chunks[0])), chunks);
  EXPECT_EQ(found, (std::map<xet::Hash, size_t>{{first.parts.hash, chunks.size()}, {second.parts.hash, 0}}));
  EXPECT_FALSE(*store_->FindChunk(xet::ChunkHash(BytesOf(chunks[1]))));  // nobody asks for it
  EXPECT_FALSE(*store_->FindChunk({}));
}

TEST_P(ChunkQueryTest, TheNextVersionOfAFileBringsWhatItSharesWithTheFirst) {
  const std::string content = RandomContent(2'000'000, 1);
  ASSERT_OK(Send(content));
  std::string next = content;
  next.insert(1'000'000, "new");
  ASSERT_OK(Send(next));
  EXPECT_EQ(Blobs().size(), 2u);
  const auto chunks = ChunksOf(next);
  const auto found = Recognised(xet::ChunkHash(BytesOf(chunks[0])), chunks);
  ASSERT_EQ(found.size(), 2u);
  size_t recognised = 0;
  for (const auto& [xorb, count] : found) recognised += count;
  EXPECT_EQ(recognised, chunks.size());
}

TEST_P(ChunkQueryTest, AChunkWhoseHashSaysSoIsFoundInTheMiddleOfAFile) {
  // The first of these whose content is one chunk with such a hash.
  std::string eligible;
  for (uint64_t seed = 0; eligible.empty(); seed++) {
    std::string chunk = RandomContent(500, seed);
    if (xet::IsAskedFor(xet::ChunkHash(BytesOf(chunk)))) eligible = chunk;
  }
  const Upload upload = UploadOf({RandomContent(100, 1), eligible});
  xet::Shard shard;
  xet::ShardFile& file = shard.files.emplace_back();
  xet::TreeHasher tree;
  for (const xet::ShardChunk& chunk : upload.shard.xorbs[0].chunks) tree.Add(chunk.hash, chunk.raw_bytes);
  file.hash = xet::FileHash(tree.Finish());
  file.segments.push_back({upload.parts.hash, 0, 600, 0, 2});
  ASSERT_OK(SendXorb(upload.parts.hash, upload.xorb, 1));
  ASSERT_OK(store_->RegisterShard(*Source(shard), 1));
  const auto found = Recognised(xet::ChunkHash(BytesOf(eligible)), {eligible});
  EXPECT_EQ(found, (std::map<xet::Hash, size_t>{{upload.parts.hash, 1}}));
}

TEST_P(ChunkQueryTest, TheAnswerIsTheSameBytesForEveryChunkOfItAllDay) {
  const std::string a = RandomContent(100'000, 1), b = RandomContent(100'000, 2);
  const Upload first = UploadOf({a}), second = UploadOf({b});
  ASSERT_OK(SendXorb(first.parts.hash, first.xorb, 1));
  ASSERT_OK(SendXorb(second.parts.hash, second.xorb, 1));
  xet::Shard shard = first.shard;
  shard.files.push_back(second.shard.files[0]);
  ASSERT_OK(store_->RegisterShard(*Source(shard), 1));
  const auto answer = store_->FindChunk(first.parts.chunks[0].hash);
  ASSERT_OK(answer);
  ASSERT_TRUE(*answer);
  now_ += std::chrono::hours(5);
  Restart({});
  EXPECT_EQ(*store_->FindChunk(second.parts.chunks[0].hash), *answer);
  now_ += std::chrono::hours(20);
  EXPECT_NE(*store_->FindChunk(second.parts.chunks[0].hash), *answer);
}

BOTHY_ON_BOTH_DATABASES(ChunkQueryTest);

}  // namespace
}  // namespace bothy::content
