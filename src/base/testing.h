// What the tests of every folder share: matchers for Result, temporary folders, and where real data lies.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"

#define ASSERT_OK(result) \
  if (const auto& assert_ok_ = (result); !assert_ok_) FAIL() << #result << ": " << assert_ok_.error().message
#define EXPECT_OK(result) \
  if (const auto& expect_ok_ = (result); !expect_ok_) ADD_FAILURE() << #result << ": " << expect_ok_.error().message

// Skips a test that needs real data from outside the clone; ./test counts it as not run.
#define BOTHY_NEEDS_TEST_DATA() \
  if (!::bothy::TestData()) GTEST_SKIP() << "needs BOTHY_TEST_DATA"

namespace bothy {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// tests/golden of the clone: outputs of reference libraries, committed.
std::filesystem::path Golden();

// The folder that BOTHY_TEST_DATA names, which holds kit/ and golden/; nothing where it is not set.
std::optional<std::filesystem::path> TestData();

// The whole file; the test fails where it cannot be read.
std::string ReadTestFile(const std::filesystem::path& path);

}  // namespace bothy
