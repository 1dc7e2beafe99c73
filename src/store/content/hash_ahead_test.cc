#include "store/content/hash_ahead.h"

#include <thread>

#include "base/hex.h"
#include "store/content/testing.h"

namespace bothy::content {
namespace {

// A blob store that counts what is read, and can fail to.
class CountingBlobs final : public BlobStore {
 public:
  explicit CountingBlobs(BlobStore& blobs) : blobs_(blobs) {}
  Result<std::unique_ptr<BlobWriter>> Create(uint64_t size) override { return blobs_.Create(size); }
  Result<void> Commit(std::vector<NewBlob> blobs) override { return blobs_.Commit(std::move(blobs)); }
  Result<std::optional<uint64_t>> Size(const BlobName& name) const override { return blobs_.Size(name); }
  Result<std::unique_ptr<ByteSource>> Open(const BlobName& name) const override {
    const std::lock_guard lock(mutex_);
    opened_.push_back(name);
    if (broken_ == name) return Fail(ErrorCode::kInternal, "the disk is gone");
    return blobs_.Open(name);
  }
  Result<std::optional<FileSlice>> OpenSlice(const BlobName& name, uint64_t offset, uint64_t size) const override {
    return blobs_.OpenSlice(name, offset, size);
  }
  void WillNotNeed(const BlobName& name) const override { blobs_.WillNotNeed(name); }
  Result<bool> Remove(const BlobName& name) override { return blobs_.Remove(name); }
  Result<std::vector<BlobInfo>> List(const std::optional<BlobName>& after) const override { return blobs_.List(after); }

  BlobStore& blobs_;
  mutable std::mutex mutex_;
  mutable std::vector<BlobName> opened_;
  std::optional<BlobName> broken_;
};

class HashAheadTest : public testing::Test {
 protected:
  HashAheadTest() {
    auto blobs = OpenLocalBlobStore(folder_.path() / "blobs");
    EXPECT_OK(blobs);
    local_ = std::move(*blobs);
    blobs_ = std::make_unique<CountingBlobs>(*local_);
    ahead_ = std::make_unique<HashAhead>(*blobs_, 300'000);
    for (uint64_t i = 0; i < 4; i++) {
      contents_.push_back(RandomContent(300'000 + i, i));
      xorbs_.push_back({*BlobName::Parse(EncodeHex(Sha256::Of(contents_[i]))), contents_[i].size()});
      EXPECT_OK(local_->Put(xorbs_[i].blob, BytesOf(contents_[i])));
    }
  }

  // Of the first `count` contents, in order.
  Digest256 Together(size_t count) const {
    Sha256 sha256;
    for (size_t i = 0; i < count; i++) sha256.Update(contents_[i]);
    return sha256.Finish();
  }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> local_;
  std::unique_ptr<CountingBlobs> blobs_;
  std::unique_ptr<HashAhead> ahead_;
  std::vector<std::string> contents_;
  std::vector<WholeXorb> xorbs_;
};

TEST_F(HashAheadTest, XorbsThatComeInAnotherOrderAreHashedInTheirPlaces) {
  std::vector<std::unique_ptr<HashAhead::Place>> places;
  for (size_t i = 0; i < 4; i++) places.push_back(ahead_->Stand(1));
  for (const size_t i : {2u, 0u, 3u, 1u}) places[i]->Came(xorbs_[i]);
  auto begun = ahead_->Find(1, xorbs_);
  EXPECT_EQ(begun.xorbs, 4u);
  EXPECT_EQ(begun.sha256.Finish(), Together(4));
  EXPECT_EQ(blobs_->opened_.size(), 4u);
}

TEST_F(HashAheadTest, AFileThatSharesOnlyItsBeginningIsGivenThat) {
  for (const WholeXorb& xorb : xorbs_) ahead_->Stand(1)->Came(xorb);
  const std::vector<WholeXorb> file = {xorbs_[0], xorbs_[1], xorbs_[3]};
  auto begun = ahead_->Find(1, file);
  EXPECT_EQ(begun.xorbs, 2u);
  EXPECT_EQ(begun.sha256.Finish(), Together(2));
  EXPECT_EQ(ahead_->Find(1, std::span(xorbs_).subspan(1)).xorbs, 0u);
  EXPECT_EQ(ahead_->Find(2, xorbs_).xorbs, 0u);  // another sender's
  auto whole = ahead_->Find(1, xorbs_);
  EXPECT_EQ(whole.sha256.Finish(), Together(4));
}

TEST_F(HashAheadTest, WhatIsGivenUpHoldsUpNobodyAndWhatIsStillComingDoes) {
  auto first = ahead_->Stand(1);
  auto given_up = ahead_->Stand(1);
  auto second = ahead_->Stand(1);
  second->Came(xorbs_[1]);
  EXPECT_EQ(ahead_->Find(1, xorbs_).xorbs, 0u);
  given_up.reset();
  first->Came(xorbs_[0]);
  EXPECT_EQ(ahead_->Find(1, xorbs_).xorbs, 2u);
}

TEST_F(HashAheadTest, TheEndOfAFileMayComeBeforeItsMiddle) {
  const WholeXorb end{*BlobName::Parse(EncodeHex(Sha256::Of("end"))), 3};
  ahead_->Stand(1)->Came(xorbs_[0]);
  ahead_->Stand(1)->Came(end);
  ahead_->Stand(1)->Came(xorbs_[1]);
  const std::vector<WholeXorb> file = {xorbs_[0], xorbs_[1], end};
  auto begun = ahead_->Find(1, file);
  EXPECT_EQ(begun.xorbs, 2u);
  EXPECT_EQ(begun.sha256.Finish(), Together(2));
}

TEST_F(HashAheadTest, TheNextFileBeginsAnew) {
  ahead_->Stand(1)->Came(xorbs_[3]);
  EXPECT_EQ(ahead_->Find(1, std::span(xorbs_).subspan(3)).xorbs, 1u);
  ahead_->BeginNext(1);
  for (size_t i = 0; i < 2; i++) ahead_->Stand(1)->Came(xorbs_[i]);
  auto begun = ahead_->Find(1, xorbs_);
  EXPECT_EQ(begun.xorbs, 2u);
  EXPECT_EQ(begun.sha256.Finish(), Together(2));
}

TEST_F(HashAheadTest, WhatCannotBeReadIsLeftToWhoNeedsIt) {
  blobs_->broken_ = xorbs_[1].blob;
  for (const WholeXorb& xorb : xorbs_) ahead_->Stand(1)->Came(xorb);
  EXPECT_EQ(ahead_->Find(1, xorbs_).xorbs, 1u);
}

TEST_F(HashAheadTest, ManySendersAndThreadsGetTheirOwn) {
  std::vector<std::thread> threads;
  for (int64_t sender = 0; sender < 4; sender++) {
    std::vector<std::shared_ptr<HashAhead::Place>> places;
    for (size_t i = 0; i < 4; i++) places.push_back(ahead_->Stand(sender));
    for (size_t i = 0; i < 4; i++) {
      threads.emplace_back([this, i, place = places[i]] { place->Came(xorbs_[i]); });
    }
  }
  for (std::thread& thread : threads) thread.join();
  for (int64_t sender = 0; sender < 4; sender++) {
    auto begun = ahead_->Find(sender, xorbs_);
    EXPECT_EQ(begun.xorbs, 4u);
    EXPECT_EQ(begun.sha256.Finish(), Together(4));
  }
}

}  // namespace
}  // namespace bothy::content
