#include "store/content/verification.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/hex.h"
#include "store/content/testing.h"

namespace bothy::content {
namespace {

class VerificationTest : public ContentTest {
 protected:
  std::vector<Problem> Verify(VerifyOptions options = {}) {
    std::vector<Problem> problems;
    const auto verified = store_->Verify(options, [&](const Problem& problem) { problems.push_back(problem); });
    EXPECT_OK(verified);
    if (verified) {
      EXPECT_EQ(verified->problems, problems.size());
    }
    return problems;
  }

  static std::vector<ProblemKind> KindsOf(const std::vector<Problem>& problems) {
    std::vector<ProblemKind> kinds;
    for (const Problem& problem : problems) kinds.push_back(problem.kind);
    return kinds;
  }

  std::filesystem::path PathOf(const BlobName& name) const {
    return folder() / "blobs" / name.text().substr(0, 2) / name.text();
  }

  void DamageByte(const BlobName& name, size_t offset) const {
    ASSERT_EQ(chmod(PathOf(name).c_str(), 0644), 0);
    std::fstream file(PathOf(name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ 1));
  }

  const std::string content_ = RandomContent(900'000, 1);
};

using enum ProblemKind;
using Kinds = std::vector<ProblemKind>;

TEST_P(VerificationTest, ASoundStoreHasNoProblem) {
  ASSERT_OK(Send(content_));
  ASSERT_OK(Send(std::string(content_).insert(500'000, "x")));
  ASSERT_OK(Send(UploadOf({RandomContent(300'000, 2)}), 1));
  ASSERT_OK(Send(""));
  EXPECT_TRUE(Verify({.read_files = true}).empty());
  const auto verified = store_->Verify({}, [](const Problem&) {});
  ASSERT_OK(verified);
  EXPECT_EQ(verified->files, 4u);
  EXPECT_EQ(verified->xorbs, 3u);
  EXPECT_EQ(verified->bytes, StoredBytes());
}

TEST_P(VerificationTest, ADamagedBlobIsNamedAndNotGivenOutUntilItIsSentAgain) {
  const auto file = Send(content_);
  ASSERT_OK(file);
  const auto name = Blobs().begin()->first;
  DamageByte(name, 400'000);
  auto problems = Verify();
  ASSERT_EQ(KindsOf(problems), (Kinds{kDamagedXorb, kDamagedFile}));
  EXPECT_NE(problems[0].message.find(name.text()), std::string::npos) << problems[0].message;
  EXPECT_NE(problems[0].message.find("chunk "), std::string::npos) << problems[0].message;
  EXPECT_EQ(problems[1].sha256, file->sha256);
  EXPECT_OK(store_->Ranges(file->hash, 0, 1));  // only looked at

  problems = Verify({.repair = true});
  EXPECT_EQ(KindsOf(problems), (Kinds{kDamagedXorb, kDamagedFile}));
  EXPECT_EQ(store_->Ranges(file->hash, 0, 1).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(store_->Open(file->hash, "file").error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE((*store_->Touch(std::vector{file->sha256}))[0]);

  ASSERT_OK(Send(content_));
  EXPECT_EQ(Content(file->hash), content_);
  EXPECT_TRUE((*store_->Touch(std::vector{file->sha256}))[0]);
  EXPECT_TRUE(Verify({.read_files = true}).empty());
}

TEST_P(VerificationTest, AFileWhoseXorbIsDamagedIsMendedByAnyOtherXorbsOfIt) {
  const std::string other = RandomContent(300'000, 2);
  const Upload upload = UploadOf({content_, other});
  ASSERT_OK(Send(upload, 1));
  ASSERT_TRUE(*blobs_->Remove(*BlobName::Parse(xet::ToText(upload.parts.hash))));
  EXPECT_EQ(KindsOf(Verify({.repair = true})), (Kinds{kDamagedXorb, kDamagedFile, kDamagedFile}));
  ASSERT_OK(Send(content_));  // as plain bytes: another xorb
  EXPECT_EQ(Content(upload.shard.files[0].hash), content_);
  EXPECT_EQ(KindsOf(Verify({.repair = true})), (Kinds{kDamagedXorb, kDamagedFile}));
  EXPECT_EQ(SendXorb(upload.parts.hash, upload.xorb, 1), true);
  EXPECT_EQ(Content(upload.shard.files[1].hash), other);
  EXPECT_TRUE(Verify().empty());
}

TEST_P(VerificationTest, AQuickLookFindsWhatIsMissingOrTooShortOrKnownToBeDamaged) {
  const auto file = Send(content_);
  ASSERT_OK(file);
  const VerifyOptions quick = {.read_blobs = false};
  const auto name = Blobs().begin()->first;
  DamageByte(name, 7);
  EXPECT_TRUE(Verify(quick).empty());
  Verify({.repair = true});
  EXPECT_EQ(KindsOf(Verify(quick)), (Kinds{kDamagedXorb, kDamagedFile}));
  EXPECT_EQ(KindsOf(Verify({.repair = true, .read_blobs = false})), (Kinds{kDamagedXorb, kDamagedFile}));
  DamageByte(name, 7);
  EXPECT_EQ(KindsOf(Verify({.repair = true})), (Kinds{kHealedXorb}));
  EXPECT_TRUE(Verify(quick).empty());
  std::filesystem::resize_file(PathOf(name), content_.size() - 1);
  EXPECT_EQ(KindsOf(Verify(quick)), (Kinds{kDamagedXorb, kDamagedFile}));
  std::filesystem::remove(PathOf(name));
  EXPECT_EQ(KindsOf(Verify(quick)), (Kinds{kDamagedXorb, kDamagedFile}));
}

TEST_P(VerificationTest, ADamagedXorbThatNoFileNeedsIsRemoved) {
  const Upload upload = UploadOf({content_});
  ASSERT_OK(SendXorb(upload.parts.hash, upload.xorb, 1));
  DamageByte(Blobs().begin()->first, 0);
  const auto problems = Verify({.repair = true});
  ASSERT_EQ(KindsOf(problems), (Kinds{kDamagedXorb}));
  EXPECT_TRUE(problems[0].repaired);
  EXPECT_TRUE(Blobs().empty());
  EXPECT_EQ(Rows("xorbs"), 0);
}

TEST_P(VerificationTest, AXorbThatIsWholeAgainIsGivenOutAgain) {
  const auto file = Send(content_);
  ASSERT_OK(file);
  const auto name = Blobs().begin()->first;
  DamageByte(name, 7);
  Verify({.repair = true});
  DamageByte(name, 7);  // as a backup would
  EXPECT_EQ(KindsOf(Verify({.repair = true})), (Kinds{kHealedXorb}));
  EXPECT_EQ(Content(file->hash), content_);
}

TEST_P(VerificationTest, ABlobThatNoRowNamesIsRemovedWhenItIsOld) {
  const auto name = BlobName::Parse(std::string(64, 'a'));
  ASSERT_OK(blobs_->Put(*name, BytesOf("left")));
  now_ = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());  // as the disk's
  EXPECT_TRUE(Verify({.repair = true}).empty());
  now_ += std::chrono::hours(25);
  EXPECT_EQ(KindsOf(Verify()), (Kinds{kUnknownBlob}));
  EXPECT_EQ(KindsOf(Verify({.repair = true})), (Kinds{kUnknownBlob}));
  EXPECT_TRUE(Blobs().empty());
  EXPECT_EQ(Rows("xorbs"), 0);
  EXPECT_TRUE(Verify().empty());
}

TEST_P(VerificationTest, WhatKilledProgramsLeftIsRemoved) {
  const Upload upload = UploadOf({content_});
  ASSERT_OK(SendXorb(upload.parts.hash, upload.xorb, 1));
  ASSERT_OK(database_->Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("UPDATE content_xorbs SET state = 2"));
    TRY(t.Execute("INSERT INTO content_collections (id, started) VALUES (99, 0)"));
    TRY(t.Execute("INSERT INTO content_marks (collection_id, sha256) VALUES (99, $1)", Sha256::Of("x")));
    TRY(t.Execute("INSERT INTO content_chunks (prefix, xorb_id) VALUES (1, 12345)"));
    return {};
  }));
  EXPECT_EQ(KindsOf(Verify()), (Kinds{kUnfinishedRemoval, kLeftRows}));
  EXPECT_EQ(KindsOf(Verify({.repair = true})), (Kinds{kUnfinishedRemoval, kLeftRows}));
  EXPECT_TRUE(Blobs().empty());
  EXPECT_TRUE(Verify().empty());
}

TEST_P(VerificationTest, RowsThatSaySomethingElseThanTheContentAreFound) {
  const auto file = Send(content_);
  ASSERT_OK(file);
  const auto change = [&](auto&& execute) { ASSERT_OK(database_->Write(execute)); };
  change([](Transaction& t) { return t.Execute("UPDATE content_files SET sha256 = $1", Sha256::Of("x")); });
  EXPECT_TRUE(Verify().empty());
  EXPECT_EQ(KindsOf(Verify({.read_files = true})), (Kinds{kDamagedFile}));
  change([&](Transaction& t) { return t.Execute("UPDATE content_files SET sha256 = $1", file->sha256); });
  change([](Transaction& t) { return t.Execute("UPDATE content_segments SET xorb_offset = xorb_offset + 1"); });
  EXPECT_EQ(KindsOf(Verify()), (Kinds{kDamagedFile}));
  change([](Transaction& t) { return t.Execute("UPDATE content_segments SET xorb_offset = xorb_offset - 1"); });
  change([](Transaction& t) { return t.Execute("DELETE FROM content_chunk_lists"); });
  EXPECT_EQ(KindsOf(Verify()), (Kinds{kDamagedXorb, kDamagedFile}));
  EXPECT_EQ(Send(content_).error().code, ErrorCode::kCorrupt);  // until somebody has looked
  EXPECT_EQ(KindsOf(Verify({.repair = true})), (Kinds{kDamagedXorb, kDamagedFile}));
  ASSERT_OK(Send(content_));
  EXPECT_TRUE(Verify({.read_files = true}).empty());
}

TEST_P(VerificationTest, ItCanBeGivenUp) {
  ASSERT_OK(Send(content_));
  const auto verified = store_->Verify({.progress =
                                            [](uint64_t done, uint64_t total) {
                                              EXPECT_EQ(done, total);
                                              return false;
                                            }},
                                       [](const Problem& problem) { ADD_FAILURE() << problem.message; });
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::kCancelled);
}

TEST_P(VerificationTest, KilledAtAnyMomentKeepsWhatWasAcknowledgedAndNothingHalf) {
  store_.reset();
  blobs_.reset();
  database_.reset();
  std::mt19937 random(1);
  std::vector<uint64_t> acknowledged;
  for (uint64_t round = 0; round < 6; round++) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t process = fork();
    ASSERT_GE(process, 0);
    if (process == 0) {
      const auto database = DatabaseTest::Open();
      const auto blobs = OpenLocalBlobStore(folder() / "blobs");
      const ContentStore store(*database, **blobs, {.now = [] { return Timestamp(); }});
      for (uint64_t seed = round * 1000;; seed++) {
        const auto writer = store.CreateFile();
        // Each shares its first half with others.
        const std::string content = RandomContent(200'000, seed % 7) + RandomContent(100'000, seed);
        if (writer->Write(content) && writer->Finish()) (void)!write(pipe_ends[1], &seed, sizeof(seed));
      }
    }
    close(pipe_ends[1]);
    uint64_t seed = 0;
    for (uint32_t left = 1 + random() % 20; left > 0 && read(pipe_ends[0], &seed, sizeof(seed)) == sizeof(seed);
         left--) {
      acknowledged.push_back(seed);
    }
    kill(process, SIGKILL);
    ASSERT_EQ(waitpid(process, nullptr, 0), process);
    close(pipe_ends[0]);
  }
  database_ = DatabaseTest::Open();
  auto blobs = OpenLocalBlobStore(folder() / "blobs");
  ASSERT_OK(blobs);
  blobs_ = *std::move(blobs);
  now_ = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()) +
         std::chrono::hours(25);
  Restart({});
  for (const Problem& problem : Verify({.repair = true, .read_files = true})) {
    EXPECT_EQ(problem.kind, kUnknownBlob) << problem.message;
  }
  EXPECT_TRUE(Verify().empty());
  EXPECT_GE(acknowledged.size(), 6u);
  for (const uint64_t seed : acknowledged) {
    const std::string content = RandomContent(200'000, seed % 7) + RandomContent(100'000, seed);
    const auto file = store_->FindBySha256(Sha256::Of(content));
    ASSERT_OK(file);
    ASSERT_TRUE(*file);
    EXPECT_EQ(Content((*file)->hash), content);
  }
}

BOTHY_ON_BOTH_DATABASES(VerificationTest);

}  // namespace
}  // namespace bothy::content
