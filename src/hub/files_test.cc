#include "hub/files.h"

#include "hub/repositories_testing.h"

namespace bothy {
namespace {

const std::string kHere(64, 'a');
const std::string kGone(64, 'b');

class FilesTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    if (IsSkipped()) return;
    repository_ = Make(ada_, "demo");
    content_.Add(ada_.user_id, kHere, "large content");
    first_ = CommitFiles(repository_, {{"a.txt", "hello"}, {"d/x", "1"}, {"d/e/y", "22"}});
    second_ = CommitFiles(repository_, {{"here.bin", git::FormatPointer({.sha256 = kHere, .size = 13})},
                                        {"gone.bin", git::FormatPointer({.sha256 = kGone, .size = 7})},
                                        {"d/x", "333"}});
    auto files = RepositoryFiles::Open(*repositories_, repository_, content_);
    ASSERT_OK(files);
    files_ = std::make_unique<RepositoryFiles>(*std::move(files));
  }

  static std::vector<std::string> Paths(const std::vector<RepositoryEntry>& entries) {
    std::vector<std::string> paths;
    for (const auto& entry : entries) paths.push_back(entry.path);
    return paths;
  }

  Repository repository_;
  std::unique_ptr<RepositoryFiles> files_;
  git::Oid first_;
  git::Oid second_;
};

BOTHY_ON_BOTH_DATABASES(FilesTest);

using Strings = std::vector<std::string>;

TEST_P(FilesTest, AFileIsDescribedByWhatGitAndTheContentSay) {
  const auto text = files_->FindFile(second_, "a.txt");
  ASSERT_OK(text);
  EXPECT_EQ(text->ETag(), "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0");  // git hash-object
  EXPECT_EQ(text->size, 5u);
  EXPECT_FALSE(text->pointer || text->xet_hash);
  const auto large = files_->FindFile(second_, "here.bin");
  ASSERT_OK(large);
  EXPECT_EQ(large->ETag(), kHere);
  EXPECT_EQ(large->oid, git::FindEntry(*Git(repository_), second_, "here.bin")->value().oid);
  EXPECT_EQ(large->size, 13u);
  EXPECT_EQ(large->pointer_size, git::FormatPointer(*large->pointer).size());
  EXPECT_EQ(large->xet_hash, std::string(64, 'e'));
  EXPECT_EQ(files_->FindFile(second_, "gone.bin")->xet_hash, std::nullopt);
}

TEST_P(FilesTest, OnlyWhatIsNotThereIsNotFound) {
  for (const char* path : {"none", "d", "d/none", "a.txt/x", "", "../a.txt"}) {
    EXPECT_EQ(files_->FindFile(second_, path).error().code, ErrorCode::kNotFound) << path;
  }
  EXPECT_EQ(files_->Resolve("none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(*files_->Resolve("main"), second_);
}

TEST_P(FilesTest, TreesAreListedWithLargeFilesInPages) {
  const auto root = files_->ListTree(second_, {});
  ASSERT_OK(root);
  EXPECT_EQ(Paths(root->entries), (Strings{".gitattributes", "a.txt", "d", "gone.bin", "here.bin"}));
  EXPECT_TRUE(root->entries[2].is_folder);
  EXPECT_EQ(root->entries[3].xet_hash, std::nullopt);
  EXPECT_NE(root->entries[4].xet_hash, std::nullopt);
  Strings all;
  TreeOptions options{.recursive = true, .limit = 2};
  do {
    const auto page = files_->ListTree(second_, options);
    ASSERT_OK(page);
    EXPECT_LE(page->entries.size(), 2u);
    for (const auto& path : Paths(page->entries)) all.push_back(path);
    options.cursor = page->cursor;
  } while (!options.cursor.empty());
  EXPECT_EQ(all, (Strings{".gitattributes", "a.txt", "d", "d/e", "d/e/y", "d/x", "gone.bin", "here.bin"}));
  EXPECT_EQ(files_->ListTree(second_, {.folder = "none"}).error().code, ErrorCode::kNotFound);
}

TEST_P(FilesTest, LastCommitsComeWhereAskedFor) {
  const auto page = files_->ListTree(second_, {.expand = true});
  ASSERT_OK(page);
  EXPECT_EQ(page->entries[1].last_commit->oid, first_);
  EXPECT_EQ(page->entries[2].last_commit->oid, second_);
  EXPECT_EQ(page->entries[2].last_commit->title, "files");
  EXPECT_EQ(files_->ListTree(second_, {})->entries[0].last_commit.has_value(), false);
}

TEST_P(FilesTest, PathsAreFoundInTheOrderAskedForAndMissingOnesLeftOut) {
  const Strings asked = {"here.bin", "none", "d/x", "d"};
  const auto found = files_->FindPaths(second_, asked, /*expand=*/true);
  ASSERT_OK(found);
  EXPECT_EQ(Paths(*found), (Strings{"here.bin", "d/x", "d"}));
  EXPECT_EQ((*found)[1].last_commit->oid, second_);
  const Strings limit(RepositoryFiles::kMaxPaths, "a.txt");
  EXPECT_OK(files_->FindPaths(second_, limit, false));
  EXPECT_EQ(files_->FindPaths(second_, Strings(RepositoryFiles::kMaxPaths + 1, "a.txt"), false).error().code,
            ErrorCode::kResourceExhausted);
}

TEST_P(FilesTest, ContentIsReadFromWhereItLies) {
  EXPECT_EQ(*files_->ReadSmall(second_, "a.txt", 5), "hello");
  EXPECT_EQ(*files_->ReadSmall(second_, "a.txt", 4), std::nullopt);
  EXPECT_EQ(*files_->ReadSmall(second_, "here.bin", 13), "large content");
  EXPECT_EQ(*files_->ReadSmall(second_, "gone.bin", 100), std::nullopt);
  EXPECT_EQ(*files_->ReadSmall(second_, "none", 100), std::nullopt);
  EXPECT_EQ(files_->Open(*files_->FindFile(second_, "gone.bin"), 100).error().code, ErrorCode::kNotFound);
}

TEST_P(FilesTest, WhatWasRemovedForGoodIsNotThereThoughItsPointerIs) {
  Execute("DELETE FROM repository_content WHERE sha256 = $1", kHere);
  EXPECT_EQ(files_->FindFile(second_, "here.bin").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->ListTree(second_, {})->entries[4].xet_hash, std::nullopt);
  EXPECT_EQ(*files_->ReadSmall(second_, "here.bin", 100), std::nullopt);
}

TEST_P(FilesTest, ATreeIsAsLargeAsTheContentOfItsFiles) {
  const uint64_t attributes = FileOf(repository_, ".gitattributes")->size();
  EXPECT_EQ(*files_->TreeSize(second_, ""), attributes + 5 + 2 + 3 + 13 + 7);
  EXPECT_EQ(*files_->TreeSize(second_, "d"), 5u);
  EXPECT_EQ(files_->TreeSize(second_, "none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bothy
