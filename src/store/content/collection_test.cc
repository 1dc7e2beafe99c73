#include "store/content/collection.h"

#include <thread>

#include "store/content/testing.h"

namespace bothy::content {
namespace {

using std::chrono::hours;

References Referring(std::vector<Digest256> sha256s) {
  return
      [sha256s = std::move(sha256s)]() mutable -> Result<std::vector<Digest256>> { return std::exchange(sha256s, {}); };
}

class CollectionTest : public ContentTest {
 protected:
  int64_t Marks() const {
    const auto count = database_->Read([](Transaction& t) -> Result<int64_t> {
      return *TRY(t.QueryOne<int64_t>("SELECT count(*) FROM content_marks")) +
             *TRY(t.QueryOne<int64_t>("SELECT count(*) FROM content_collections"));
    });
    EXPECT_OK(count);
    return count.value_or(-1);
  }

  void SetState(const xet::Hash& xorb, int64_t state) {
    ASSERT_OK(database_->Write([&](Transaction& t) {
      return t.Execute("UPDATE content_xorbs SET state = $1 WHERE hash = $2", state, xorb.bytes);
    }));
  }

  const std::string a_ = RandomContent(1'000'000, 1), b_ = RandomContent(1'000'000, 2);
};

TEST_P(CollectionTest, WhatNothingRefersToGoesWhenItIsOld) {
  const auto a = Send(a_), b = Send(b_);
  ASSERT_OK(a);
  ASSERT_OK(b);
  now_ += hours(2);
  auto collected = store_->Collect(Referring({a->sha256}), hours(2));
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files + collected->xorbs, 0u);
  now_ += hours(1);
  collected = store_->Collect(Referring({a->sha256}), hours(2));
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 1u);
  EXPECT_EQ(collected->xorbs, 1u);
  EXPECT_EQ(collected->bytes, b_.size());
  EXPECT_EQ(Content(a->hash), a_);
  EXPECT_FALSE(*store_->FindBySha256(b->sha256));
  EXPECT_EQ(StoredBytes(), a_.size());
  EXPECT_EQ(Marks(), 0);
}

TEST_P(CollectionTest, WhatIsTouchedStays) {
  const auto a = Send(a_), b = Send(b_);
  ASSERT_OK(a);
  ASSERT_OK(b);
  now_ += hours(3);
  ASSERT_OK(store_->Touch(std::vector{b->sha256}));
  const auto collected = store_->Collect(Referring({}), hours(2));
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 1u);
  EXPECT_EQ(Content(b->hash), b_);
  EXPECT_FALSE(*store_->FindBySha256(a->sha256));
}

TEST_P(CollectionTest, AXorbOfWhichAPartIsInUseStays) {
  const auto a = Send(a_ + b_);
  ASSERT_OK(a);
  const auto part = Send(a_);
  ASSERT_OK(part);
  EXPECT_LT(*store_->UniqueBytes(part->sha256), 200'000u);  // its last chunk ends elsewhere
  EXPECT_EQ(*store_->UniqueBytes(a->sha256), 0u);
  now_ += hours(3);
  const auto collected = store_->Collect(Referring({part->sha256}), hours(2));
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 1u);
  EXPECT_EQ(collected->xorbs, 0u);
  EXPECT_EQ(Content(part->hash), a_);
  const auto total = store_->Total();
  ASSERT_OK(total);
  EXPECT_EQ(total->files, 1u);
  EXPECT_EQ(total->file_bytes, a_.size());
  EXPECT_EQ(total->stored_bytes, StoredBytes());
  EXPECT_EQ(*store_->UniqueBytes(part->sha256), StoredBytes());
}

TEST_P(CollectionTest, AShardThatNamesWhatWasCollectedIsRefused) {
  const Upload upload = UploadOf({a_});
  ASSERT_OK(Send(upload, 1));
  const xet::Hash first = upload.parts.chunks[0].hash;
  EXPECT_TRUE(*store_->FindChunk(first));
  now_ += hours(3);
  ASSERT_OK(store_->Collect(Referring({}), hours(2)));
  EXPECT_EQ(store_->RegisterShard(*Source(upload.shard), 1).error().code, ErrorCode::kFailedPrecondition);
  EXPECT_FALSE(*store_->FindChunk(first));
  EXPECT_FALSE(*store_->FindXorb(upload.parts.hash));
  EXPECT_TRUE(Blobs().empty());
  ASSERT_OK(Send(b_ + a_));  // and nothing is built on it
  EXPECT_EQ(StoredBytes(), a_.size() + b_.size());
  EXPECT_OK(Send(upload, 1));
}

TEST_P(CollectionTest, WhatClientsWereToldOfStays) {
  const Upload upload = UploadOf({a_});
  ASSERT_OK(Send(upload, 1));
  now_ += hours(3);
  ASSERT_TRUE(*store_->FindChunk(upload.parts.chunks[0].hash));
  ASSERT_OK(store_->Collect(Referring({}), hours(2)));
  EXPECT_FALSE(*store_->FindByHash(upload.shard.files[0].hash));
  EXPECT_OK(store_->RegisterShard(*Source(upload.shard), 2));
  EXPECT_EQ(Content(upload.shard.files[0].hash), a_);
}

TEST_P(CollectionTest, ReferencesThatCannotBeReadRemoveNothing) {
  const auto a = Send(a_);
  ASSERT_OK(a);
  now_ += hours(3);
  int asked = 0;
  const auto collected = store_->Collect(
      [&]() -> Result<std::vector<Digest256>> {
        if (asked++ == 0) return std::vector{Sha256::Of("x")};
        return Fail(ErrorCode::kUnavailable, "no more");
      },
      hours(2));
  ASSERT_FALSE(collected);
  EXPECT_EQ(collected.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Content(a->hash), a_);
  EXPECT_EQ(Marks(), 0);
  EXPECT_EQ(store_->Collect(Referring({}), hours(1) - std::chrono::seconds(1)).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_P(CollectionTest, ManyReferencesAreMarkedOnceEach) {
  std::vector<File> files;
  for (uint64_t i = 0; i < 300; i++) {
    const auto file = Send(RandomContent(50, i));
    ASSERT_OK(file);
    files.push_back(*file);
  }
  now_ += hours(3);
  std::vector<Digest256> references;
  for (int i = 0; i < 9000; i++) references.push_back(Sha256::Of(std::to_string(i % 5000)));
  for (size_t i = 0; i < 20; i++) references[i * 400] = files[i * 15].sha256;
  const auto collected = store_->Collect(Referring(references), hours(2));
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 280u);
  EXPECT_EQ(collected->xorbs, 280u);
  for (size_t i = 0; i < files.size(); i++) EXPECT_EQ((*store_->FindByHash(files[i].hash)).has_value(), i % 15 == 0);
  EXPECT_EQ(Marks(), 0);
}

TEST_P(CollectionTest, WhatIsBeingRemovedIsAsIfItWereNotThereAndCanBeSentAgain) {
  const Upload upload = UploadOf({a_});
  for (const bool blob_is_gone : {false, true}) {
    ASSERT_OK(SendXorb(upload.parts.hash, upload.xorb, 1));
    SetState(upload.parts.hash, 2);  // as if the collector had been killed
    if (blob_is_gone) {
      ASSERT_TRUE(*blobs_->Remove(*BlobName::Parse(xet::ToText(upload.parts.hash))));
    }
    EXPECT_FALSE(*store_->FindXorb(upload.parts.hash));
    EXPECT_EQ(store_->XorbBytes(upload.parts.hash, 0, 1).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->RegisterShard(*Source(upload.shard), 1).error().code, ErrorCode::kFailedPrecondition);
    EXPECT_EQ(SendXorb(upload.parts.hash, upload.xorb, 1), true);
    EXPECT_OK(store_->RegisterShard(*Source(upload.shard), 1));
    EXPECT_EQ(Content(upload.shard.files[0].hash), a_);
    now_ += hours(3);
    ASSERT_OK(store_->Collect(Referring({}), hours(2)));
  }
}

TEST_P(CollectionTest, WhatIsCollectedWhileItIsSentAgainHasToBeSentOnceMore) {
  const Upload upload = UploadOf({a_});
  ASSERT_OK(SendXorb(upload.parts.hash, upload.xorb, 1));
  ASSERT_OK(Send(b_));
  const auto receiver = store_->ReceiveXorb(upload.parts.hash, 1);
  ASSERT_OK(receiver);
  ASSERT_OK((*receiver)->Write(BytesOf(upload.xorb)));
  const auto writer = store_->CreateFile();
  ASSERT_OK(writer->Write(b_ + RandomContent(5'000'000, 3)));
  now_ += hours(3);
  ASSERT_OK(store_->Collect(Referring({}), hours(2)));
  EXPECT_EQ((*receiver)->Finish().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(writer->Finish().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(SendXorb(upload.parts.hash, upload.xorb, 1), true);
  const auto again = Send(b_ + RandomContent(5'000'000, 3));
  ASSERT_OK(again);
  EXPECT_EQ(Content(again->hash), b_ + RandomContent(5'000'000, 3));
}

TEST_P(CollectionTest, UploadsBesideItSucceedOrAreToldToTryAgain) {
  const Upload upload = UploadOf({b_});
  for (int round = 0; round < 10; round++) {
    ASSERT_OK(Send(a_));
    ASSERT_OK(Send(upload, 1));
    now_ += hours(3);
    std::vector<std::thread> threads;
    Result<File> plain;
    Result<ShardOutcome> posted;
    threads.emplace_back([&] { EXPECT_OK(store_->Collect(Referring({}), hours(2))); });
    threads.emplace_back([&] { plain = Send(a_ + "x"); });
    threads.emplace_back([&] { posted = Send(upload, 1); });
    for (std::thread& thread : threads) thread.join();
    if (plain) {
      EXPECT_EQ(Content(plain->hash), a_ + "x");
    } else {
      EXPECT_EQ(plain.error().code, ErrorCode::kUnavailable) << plain.error().message;
    }
    if (posted) {
      EXPECT_EQ(Content(upload.shard.files[0].hash), b_);
    } else {
      EXPECT_TRUE(posted.error().code == ErrorCode::kUnavailable ||
                  posted.error().code == ErrorCode::kFailedPrecondition)
          << posted.error().message;
    }
    const auto verified = store_->Verify({}, [](const Problem& problem) { ADD_FAILURE() << problem.message; });
    ASSERT_OK(verified);
  }
}

BOTHY_ON_BOTH_DATABASES(CollectionTest);

}  // namespace
}  // namespace bothy::content
