#include "client/partial_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/testing.h"

namespace bothy::client {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kPart = PartialFile::kPartBytes;

class PartialFileTest : public testing::Test {
 protected:
  std::unique_ptr<PartialFile> Open(uint64_t size) {
    auto file = PartialFile::Open(path_, size);
    EXPECT_OK(file);
    return *std::move(file);
  }
  static void Write(PartialFile& file, uint64_t offset, const std::string& text) {
    EXPECT_OK(file.Write(offset, std::as_bytes(std::span(text))));
  }

  const TemporaryFolder folder_;
  const fs::path path_ = folder_.path() / "x.incomplete", whole_ = folder_.path() / "x";
};

TEST_F(PartialFileTest, KnowsWhatHasComeWhenItIsOpenedAgain) {
  const uint64_t size = 2 * kPart + 5;
  {
    const auto file = Open(size);
    ASSERT_EQ(file->parts(), 3u);
    EXPECT_EQ(file->PartEnd(2), size);
    Write(*file, kPart, "abc");
    EXPECT_EQ(file->SetReached(1, kPart + 3).value(), 3u);
    EXPECT_EQ(file->SetReached(1, kPart + 2).value(), 0u);
    Write(*file, 2 * kPart, "vwxyz");  // not counted: as if it were lost
  }
  EXPECT_EQ(PartialFile::BytesOf(path_, size), 3u);
  const auto file = Open(size);
  EXPECT_EQ(file->Reached(0), 0u);
  EXPECT_EQ(file->Reached(1), kPart + 3);
  EXPECT_EQ(file->Reached(2), 2 * kPart);
  EXPECT_FALSE(file->Complete());
  EXPECT_EQ(file->SetReached(0, size).value(), size - 3);
  EXPECT_TRUE(file->Complete());
  ASSERT_OK(file->Finish(whole_));
  EXPECT_EQ(fs::file_size(whole_), size);
  EXPECT_EQ(ReadTestFile(whole_).substr(kPart, 3), "abc");
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(PartialFileTest, WhatIsNoStateOfItIsBegunAnew) {
  for (const std::string found : {"", "short", "0123456789ABCDEF0123456789", "1234567890\x0b\0\0\0bothy partial 1\n"}) {
    std::ofstream(path_, std::ios::binary) << found;
    EXPECT_EQ(PartialFile::BytesOf(path_, 10), 0u);
    EXPECT_EQ(Open(10)->BytesThere(), 0u);
    Open(10)->Discard();
  }
  Open(10);
  EXPECT_EQ(Open(11)->BytesThere(), 0u);
}

TEST_F(PartialFileTest, AnEmptyFileIsWhole) {
  const auto file = Open(0);
  EXPECT_TRUE(file->Complete());
  ASSERT_OK(file->Finish(whole_));
  EXPECT_EQ(fs::file_size(whole_), 0u);
}

TEST_F(PartialFileTest, FollowsNoLink) {
  std::ofstream(whole_) << "precious";
  fs::create_symlink(whole_, path_);
  EXPECT_FALSE(PartialFile::Open(path_, 3));
  EXPECT_EQ(ReadTestFile(whole_), "precious");
}

}  // namespace
}  // namespace bothy::client
