#include "store/content/xorb_receiver.h"

#include "store/content/testing.h"

namespace bothy::content {
namespace {

class XorbReceiverTest : public ContentTest {
 protected:
  void ExpectNothing() const {
    EXPECT_TRUE(Blobs().empty());
    EXPECT_EQ(Rows("xorbs"), 0);
    EXPECT_TRUE(std::filesystem::is_empty(folder() / "blobs" / "tmp"));
  }
};

TEST_P(XorbReceiverTest, TheChunksLieUnpackedUnderTheHashOfTheXorb) {
  const std::string content = xet::Letters(900'000);
  const Upload upload = UploadOf({content});
  ASSERT_OK(SendXorb(upload.parts.hash, upload.xorb, 1));
  const auto name = BlobName::Parse(xet::ToText(upload.parts.hash));
  const auto blob = blobs_->Open(*name);
  ASSERT_OK(blob);
  EXPECT_EQ(*(*blob)->ReadAll(UINT64_MAX), content);
}

TEST_P(XorbReceiverTest, TheSameAgainIsVerifiedAndStoredOnce) {
  const Upload upload = UploadOf({RandomContent(300'000, 1)});
  EXPECT_EQ(SendXorb(upload.parts.hash, upload.xorb, 1), true);
  EXPECT_EQ(SendXorb(upload.parts.hash, upload.xorb + xet::FooterOf(upload.parts), 1, 7777), false);
  EXPECT_EQ(Blobs().size(), 1u);
  // Who knows no more than the hash has sent nothing.
  EXPECT_EQ(SendXorb(upload.parts.hash, upload.xorb.substr(0, upload.xorb.size() - 1), 2).error().code,
            ErrorCode::kCorrupt);
  xet::Shard shard = upload.shard;
  shard.files[0].range_hashes.clear();
  shard.xorbs.clear();
  EXPECT_EQ(store_->RegisterShard(*Source(shard), 2).error().code, ErrorCode::kPermissionDenied);
  EXPECT_OK(store_->RegisterShard(*Source(shard), 1));
}

TEST_P(XorbReceiverTest, WhatIsNotTheXorbOfItsHashIsRefusedAndLeavesNothing) {
  const Upload upload = UploadOf({RandomContent(300'000, 1)});
  EXPECT_EQ(SendXorb({}, upload.xorb, 1).error().code, ErrorCode::kCorrupt);
  for (const size_t size : {size_t{0}, size_t{5}, size_t{8}, size_t{100}, upload.xorb.size() - 1}) {
    EXPECT_EQ(SendXorb(upload.parts.hash, upload.xorb.substr(0, size), 1).error().code, ErrorCode::kCorrupt) << size;
  }
  std::string changed = upload.xorb;
  changed[changed.size() / 2]++;
  EXPECT_FALSE(SendXorb(upload.parts.hash, changed, 1));
  EXPECT_FALSE(SendXorb(upload.parts.hash, upload.xorb + "x", 1));
  ExpectNothing();
}

TEST_P(XorbReceiverTest, AXorbThatUnpacksToMoreThanItMayIsRefusedAndLeavesNothing) {
  // 513 chunks of 128 KiB, each packed to half a kilobyte: 64 MiB and one chunk.
  std::string bomb;
  xet::AppendChunk(bomb, xet::Scheme::kLz4, std::string(xet::kMaxChunk, '\0'));
  const std::string chunk = bomb;
  for (int i = 0; i < 512; i++) bomb += chunk;
  EXPECT_LT(bomb.size(), 600'000u);
  const auto sent = SendXorb({}, bomb, 1);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(sent.error().message.find("67108864"), std::string::npos) << sent.error().message;
  ExpectNothing();
}

TEST_P(XorbReceiverTest, OneThatIsNotFinishedLeavesNothing) {
  const Upload upload = UploadOf({RandomContent(3'000'000, 1)});
  {
    const auto receiver = store_->ReceiveXorb(upload.parts.hash, 1);
    ASSERT_OK(receiver);
    EXPECT_OK((*receiver)->Write(BytesOf(upload.xorb)));
  }
  ExpectNothing();
}

BOTHY_ON_BOTH_DATABASES(XorbReceiverTest);

}  // namespace
}  // namespace bothy::content
