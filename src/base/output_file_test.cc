#include "base/output_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/testing.h"

namespace bothy {
namespace {

size_t FilesIn(const std::filesystem::path& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(OutputFile, AFileIsThereOnlyAfterCommit) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a";
  std::ofstream(path) << "old";
  const auto file = OutputFile::Create(path);
  ASSERT_OK(file);
  const std::string large(3'000'001, 'x');
  ASSERT_OK((*file)->Write("begin"));
  ASSERT_OK((*file)->Write(large));
  ASSERT_OK((*file)->Write("end"));
  EXPECT_EQ((*file)->offset(), large.size() + 8);
  EXPECT_EQ(ReadTestFile(path), "old");
  ASSERT_OK((*file)->Commit());
  EXPECT_EQ(ReadTestFile(path), "begin" + large + "end");
  EXPECT_EQ(FilesIn(folder.path()), 1u);
}

TEST(OutputFile, WithoutCommitNothingIsLeft) {
  const TemporaryFolder folder;
  {
    const auto file = OutputFile::Create(folder.path() / "a");
    ASSERT_OK(file);
    ASSERT_OK((*file)->Write("half"));
    EXPECT_EQ(FilesIn(folder.path()), 1u);
  }
  EXPECT_EQ(FilesIn(folder.path()), 0u);
}

TEST(OutputFile, ALinkStaysALinkAndItsFileIsReplaced) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "far");
  std::ofstream(folder.path() / "far" / "file") << "old";
  std::filesystem::create_symlink(folder.path() / "far" / "file", folder.path() / "link");
  const auto file = OutputFile::Create(folder.path() / "link");
  ASSERT_OK(file);
  ASSERT_OK((*file)->Write("new"));
  ASSERT_OK((*file)->Commit());
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "link"));
  EXPECT_EQ(ReadTestFile(folder.path() / "far" / "file"), "new");
}

TEST(OutputFile, FoldersDevicesAndMissingFoldersAreRefused) {
  const TemporaryFolder folder;
  EXPECT_EQ(OutputFile::Create(folder.path()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OutputFile::Create("/dev/null").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OutputFile::Create(folder.path() / "none" / "a").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bothy
