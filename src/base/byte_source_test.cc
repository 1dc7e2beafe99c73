#include "base/byte_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/testing.h"

namespace bothy {
namespace {

TEST(ByteSource, ReadsAFileAtAnyOffset) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "a") << "0123456789";
  const auto file = OpenFile(folder.path() / "a");
  ASSERT_OK(file);
  EXPECT_EQ((*file)->size(), 10u);
  std::string out(4, ' ');
  ASSERT_OK((*file)->Read(6, std::as_writable_bytes(std::span(out))));
  EXPECT_EQ(out, "6789");
}

TEST(ByteSource, AReadPastTheEndNamesTheFileAndTheOffset) {
  const auto source = MemorySource("m.bin", "0123");
  std::string out(2, ' ');
  const auto result = source->Read(3, std::as_writable_bytes(std::span(out)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kOutOfRange);
  EXPECT_EQ(result.error().message, "m.bin: offset 3: expected 2 more bytes, the file ends at 4");
  EXPECT_FALSE(source->Read(~uint64_t{0}, std::as_writable_bytes(std::span(out))));
}

TEST(ByteSource, ReadAllKeepsToItsLimit) {
  const auto source = MemorySource("m.bin", "0123");
  EXPECT_EQ(source->ReadAll(4), "0123");
  EXPECT_EQ(source->ReadAll(3).error().code, ErrorCode::kResourceExhausted);
}

TEST(ByteSource, AFileCutShortWhileOpenIsAnErrorNotASignal) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a";
  std::ofstream(path) << "0123456789";
  const auto file = OpenFile(path);
  ASSERT_OK(file);
  ASSERT_EQ(truncate(path.c_str(), 3), 0);
  EXPECT_EQ((*file)->ReadAll(100).error().code, ErrorCode::kCorrupt);
}

TEST(ByteSource, FoldersAndMissingFilesAreRefused) {
  const TemporaryFolder folder;
  EXPECT_EQ(OpenFile(folder.path()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(OpenFile(folder.path() / "none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bothy
