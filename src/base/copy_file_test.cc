#include "base/copy_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "base/testing.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

void Write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

TEST(CopyFile, GivesTheSameBytesAndPermissionsUnderAnotherName) {
  const TemporaryFolder folder;
  const std::string text(3'000'001, 'x');
  Write(folder.path() / "a", text);
  fs::permissions(folder.path() / "a", fs::perms::owner_read);
  const auto copied = CopyFile(folder.path() / "a", folder.path() / "b");
  ASSERT_OK(copied);
  EXPECT_EQ(*copied, text.size());
  EXPECT_EQ(ReadTestFile(folder.path() / "b"), text);
  EXPECT_EQ(fs::status(folder.path() / "b").permissions(), fs::perms::owner_read);
  EXPECT_FALSE(fs::equivalent(folder.path() / "a", folder.path() / "b"));
  EXPECT_OK(SyncFileSystem(folder.path()));
}

// Files of /proc say that they have no bytes, and copy_file_range gives none.
TEST(CopyFile, CopiesByHandWhatTheKernelDoesNotCopy) {
  const TemporaryFolder folder;
  ASSERT_OK(CopyFile("/proc/sys/kernel/ostype", folder.path() / "copy"));
  EXPECT_EQ(ReadTestFile(folder.path() / "copy"), "Linux\n");
}

TEST(CopyFile, CopiesAnEmptyFile) {
  const TemporaryFolder folder;
  Write(folder.path() / "a", "");
  const auto copied = CopyFile(folder.path() / "a", folder.path() / "b");
  ASSERT_OK(copied);
  EXPECT_EQ(*copied, 0U);
  EXPECT_TRUE(fs::exists(folder.path() / "b"));
}

TEST(CopyFile, TellsWhatIsMissingFromWhatIsInTheWay) {
  const TemporaryFolder folder;
  Write(folder.path() / "a", "a");
  Write(folder.path() / "b", "b");
  const auto missing = CopyFile(folder.path() / "none", folder.path() / "c");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto taken = CopyFile(folder.path() / "a", folder.path() / "b");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(ReadTestFile(folder.path() / "b"), "b");
  const auto no_folder = CopyFile(folder.path() / "a", folder.path() / "none" / "c");
  ASSERT_FALSE(no_folder);
  EXPECT_EQ(no_folder.error().code, ErrorCode::kInternal);
  EXPECT_FALSE(CopyFile(folder.path(), folder.path() / "d"));
}

TEST(CopyFile, LeavesNothingWhereItIsGivenUp) {
  const TemporaryFolder folder;
  Write(folder.path() / "a", std::string(100, 'x'));
  const auto copied = CopyFile(folder.path() / "a", folder.path() / "b", [](uint64_t done, uint64_t total) {
    EXPECT_EQ(done, 100U);
    EXPECT_EQ(total, 100U);
    return false;
  });
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(fs::exists(folder.path() / "b"));
}

}  // namespace
}  // namespace bothy
