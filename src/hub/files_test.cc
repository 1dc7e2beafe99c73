#include "hub/files.h"

#include "hub/repositories_testing.h"
#include "store/git/git_testing.h"

namespace bothy {
namespace {

const std::string kHere(64, 'a');
const std::string kGone(64, 'b');

class FilesTest : public git::GitTest {
 protected:
  void SetUp() override {
    GitTest::SetUp();
    content_.Add(1, kHere, "large content");
    first_ = Commit({{"a.txt", "hello"}, {"d/x", "1"}, {"d/e/y", "22"}});
    second_ = Commit({{"here.bin", git::FormatPointer({.sha256 = kHere, .size = 13})},
                      {"gone.bin", git::FormatPointer({.sha256 = kGone, .size = 7})},
                      {"d/x", "333"}});
    files_ = std::make_unique<RepositoryFiles>(repository_, content_);
  }

  static std::vector<std::string> Paths(const std::vector<RepositoryEntry>& entries) {
    std::vector<std::string> paths;
    for (const auto& entry : entries) paths.push_back(entry.path);
    return paths;
  }

  LargeContentInMemory content_;
  std::unique_ptr<RepositoryFiles> files_;
  git::Oid first_;
  git::Oid second_;
};

using Strings = std::vector<std::string>;

TEST_F(FilesTest, AFileIsDescribedByWhatGitAndTheContentSay) {
  const auto text = files_->FindFile(second_, "a.txt");
  ASSERT_OK(text);
  EXPECT_EQ(text->ETag(), Git({"rev-parse", "main:a.txt"}));
  EXPECT_EQ(text->size, 5u);
  EXPECT_FALSE(text->pointer || text->xet_hash);
  const auto large = files_->FindFile(second_, "here.bin");
  ASSERT_OK(large);
  EXPECT_EQ(large->ETag(), kHere);
  EXPECT_EQ(large->oid.ToHex(), Git({"rev-parse", "main:here.bin"}));
  EXPECT_EQ(large->size, 13u);
  EXPECT_EQ(large->pointer_size, git::FormatPointer(*large->pointer).size());
  EXPECT_EQ(large->xet_hash, std::string(64, 'e'));
  EXPECT_EQ(files_->FindFile(second_, "gone.bin")->xet_hash, std::nullopt);
}

TEST_F(FilesTest, OnlyWhatIsNotThereIsNotFound) {
  for (const char* path : {"none", "d", "d/none", "a.txt/x", "", "../a.txt"}) {
    EXPECT_EQ(files_->FindFile(second_, path).error().code, ErrorCode::kNotFound) << path;
  }
  EXPECT_EQ(files_->Resolve("none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(*files_->Resolve("main"), second_);
}

TEST_F(FilesTest, TreesAreListedWithLargeFilesInPages) {
  const auto root = files_->ListTree(second_, {});
  ASSERT_OK(root);
  EXPECT_EQ(Paths(root->entries), (Strings{"a.txt", "d", "gone.bin", "here.bin"}));
  EXPECT_TRUE(root->entries[1].is_folder);
  EXPECT_EQ(root->entries[2].xet_hash, std::nullopt);
  EXPECT_NE(root->entries[3].xet_hash, std::nullopt);
  Strings all;
  TreeOptions options{.recursive = true, .limit = 2};
  do {
    const auto page = files_->ListTree(second_, options);
    ASSERT_OK(page);
    EXPECT_LE(page->entries.size(), 2u);
    for (const auto& path : Paths(page->entries)) all.push_back(path);
    options.cursor = page->cursor;
  } while (!options.cursor.empty());
  EXPECT_EQ(all, (Strings{"a.txt", "d", "d/e", "d/e/y", "d/x", "gone.bin", "here.bin"}));
  EXPECT_EQ(files_->ListTree(second_, {.folder = "none"}).error().code, ErrorCode::kNotFound);
}

TEST_F(FilesTest, LastCommitsComeWhereAskedFor) {
  const auto page = files_->ListTree(second_, {.expand = true});
  ASSERT_OK(page);
  EXPECT_EQ(page->entries[0].last_commit->oid, first_);
  EXPECT_EQ(page->entries[1].last_commit->oid, second_);
  EXPECT_EQ(page->entries[1].last_commit->title, "A commit");
  EXPECT_EQ(files_->ListTree(second_, {})->entries[0].last_commit.has_value(), false);
}

TEST_F(FilesTest, PathsAreFoundInTheOrderAskedForAndMissingOnesLeftOut) {
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

TEST_F(FilesTest, ContentIsReadFromWhereItLies) {
  EXPECT_EQ(*files_->ReadSmall(second_, "a.txt", 5), "hello");
  EXPECT_EQ(*files_->ReadSmall(second_, "a.txt", 4), std::nullopt);
  EXPECT_EQ(*files_->ReadSmall(second_, "here.bin", 13), "large content");
  EXPECT_EQ(*files_->ReadSmall(second_, "gone.bin", 100), std::nullopt);
  EXPECT_EQ(*files_->ReadSmall(second_, "none", 100), std::nullopt);
  EXPECT_EQ(files_->Open(*files_->FindFile(second_, "gone.bin"), 100).error().code, ErrorCode::kNotFound);
}

TEST_F(FilesTest, ATreeIsAsLargeAsTheContentOfItsFiles) {
  EXPECT_EQ(*files_->TreeSize(second_, ""), 5u + 2 + 3 + 13 + 7);
  EXPECT_EQ(*files_->TreeSize(second_, "d"), 5u);
  EXPECT_EQ(files_->TreeSize(second_, "none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bothy
