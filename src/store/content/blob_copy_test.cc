#include "store/content/blob_copy.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "store/content/testing.h"

namespace bothy::content {
namespace {

class BlobCopyTest : public ContentTest {
 protected:
  void SetUp() override {
    ContentTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto pool = OpenLocalBlobStore(folder() / "pool");
    ASSERT_OK(pool);
    pool_ = *std::move(pool);
  }

  Result<CopiedBlobs> Copy(const BlobCopyOptions& options = {}) const {
    return CopyBlobs(*database_, *blobs_, *pool_, options);
  }

  std::filesystem::path PathOf(const BlobName& name, const char* store = "blobs") const {
    return folder() / store / name.text().substr(0, 2) / name.text();
  }
  static void Overwrite(const std::filesystem::path& path, const std::string& text) {
    ASSERT_EQ(chmod(path.c_str(), 0644), 0);
    std::ofstream(path, std::ios::binary) << text;
  }

  std::unique_ptr<BlobStore> pool_;
};

TEST_P(BlobCopyTest, CopiesWhatIsMissingOnly) {
  ASSERT_OK(Send(RandomContent(3'000'000, 1)));
  ASSERT_OK(Send(RandomContent(500'000, 2)));
  const uint64_t before = StoredBytes();
  auto copied = Copy();
  ASSERT_OK(copied);
  EXPECT_EQ(copied->blobs, Blobs().size());
  EXPECT_EQ(copied->bytes, before);
  EXPECT_EQ(copied->new_bytes, before);

  ASSERT_OK(Send(RandomContent(400'000, 3)));
  std::map<BlobName, uint64_t> told;
  copied = Copy({.each = [&](const BlobName& name, uint64_t size) -> Result<void> {
    told.emplace(name, size);
    return {};
  }});
  ASSERT_OK(copied);
  EXPECT_EQ(copied->new_blobs, 1u);
  EXPECT_EQ(copied->new_bytes, 400'000u);
  EXPECT_EQ(told, Blobs());
  for (const auto& [name, size] : Blobs()) {
    EXPECT_EQ(ReadTestFile(PathOf(name, "pool")), ReadTestFile(PathOf(name)));
  }
}

TEST_P(BlobCopyTest, BringsEverythingBack) {
  const std::string content = RandomContent(3'000'000, 1);
  const auto file = Send(content);
  ASSERT_OK(file);
  ASSERT_OK(Copy());
  for (const auto& [name, size] : Blobs()) ASSERT_OK(blobs_->Remove(name));
  ASSERT_OK(CopyBlobs(*database_, *pool_, *blobs_));
  EXPECT_EQ(Content(file->hash), content);
}

TEST_P(BlobCopyTest, NamesWhatIsMissingAndWhatIsDamaged) {
  const std::string content = RandomContent(900'000, 1);
  ASSERT_OK(Send(content));
  const BlobName name = Blobs().begin()->first;
  std::string damaged = content;
  damaged[400'000] = static_cast<char>(damaged[400'000] ^ 1);
  Overwrite(PathOf(name), damaged);
  auto copied = Copy();
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(copied.error().message, testing::HasSubstr("blob " + name.text() + ": chunk "));
  EXPECT_FALSE(*pool_->Size(name));
  EXPECT_OK(Copy({.verify = false}));
  EXPECT_EQ(ReadTestFile(PathOf(name, "pool")), damaged);

  ASSERT_OK(pool_->Remove(name));
  Overwrite(PathOf(name), content.substr(1));
  copied = Copy({.verify = false});
  ASSERT_FALSE(copied);
  EXPECT_THAT(copied.error().message, testing::HasSubstr("expected 900000 bytes"));
  ASSERT_OK(blobs_->Remove(name));
  copied = Copy();
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(copied.error().message, testing::HasSubstr(name.text() + ": is missing"));
}

TEST_P(BlobCopyTest, WhatIsKnownToBeDamagedIsLeftOut) {
  ASSERT_OK(Send(RandomContent(900'000, 1)));
  Overwrite(PathOf(Blobs().begin()->first), "damaged");
  ASSERT_OK(store_->Verify({.repair = true}, [](const Problem&) {}));
  const auto copied = Copy();
  ASSERT_OK(copied);
  EXPECT_EQ(copied->blobs, 0u);
}

TEST_P(BlobCopyTest, ThatIsGivenUpLeavesNoPartOfABlob) {
  ASSERT_OK(Send(RandomContent(900'000, 1)));
  uint64_t most = 0;
  const auto copied = Copy({.progress = [&](uint64_t done, uint64_t total) {
    EXPECT_EQ(total, 900'000u);
    most = done;
    return done < 300'000;
  }});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  EXPECT_LT(most, 900'000u);
  EXPECT_TRUE(pool_->List({})->empty());
  EXPECT_TRUE(std::filesystem::is_empty(folder() / "pool" / "tmp"));
}

BOTHY_ON_BOTH_DATABASES(BlobCopyTest);

}  // namespace
}  // namespace bothy::content
