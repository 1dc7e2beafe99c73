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

// Fails where a file of a registry's package has not been fetched; ./test fetches them all first.
#define BOTHY_NEEDS_TEST_MODEL(name)                      \
  if (!std::filesystem::exists(::bothy::TestModel(name))) \
  FAIL() << ::bothy::TestModel(name) << " is missing: tools/fetch_test_models gets it"

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

// A file that tools/fetch_test_models gets, in BOTHY_TEST_MODELS or ~/.cache/bothy/models.
std::filesystem::path TestModel(const std::filesystem::path& name);

// The whole file; the test fails where it cannot be read.
std::string ReadTestFile(const std::filesystem::path& path);

}  // namespace bothy
