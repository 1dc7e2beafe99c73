#include "base/testing.h"

#include <unistd.h>

#include <cstdlib>

#include "base/byte_source.h"

namespace bothy {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "bothy-test-XXXXXX").string();
  CHECK(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path Golden() { return std::filesystem::path(BOTHY_SOURCE_DIR) / "tests" / "golden"; }

std::optional<std::filesystem::path> TestData() {
  const char* folder = std::getenv("BOTHY_TEST_DATA");
  if (folder == nullptr || *folder == '\0') return std::nullopt;
  return folder;
}

std::filesystem::path TestModel(const std::filesystem::path& name) {
  if (const char* folder = std::getenv("BOTHY_TEST_MODELS"); folder != nullptr && *folder != '\0') {
    return std::filesystem::path(folder) / name;
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : "/") / ".cache" / "bothy" / "models" / name;
}

std::string ReadTestFile(const std::filesystem::path& path) {
  const auto file = OpenFile(path);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    return {};
  }
  auto text = (*file)->ReadAll(uint64_t{1} << 31);
  if (!text) {
    ADD_FAILURE() << text.error().message;
    return {};
  }
  return *text;
}

}  // namespace bothy

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
