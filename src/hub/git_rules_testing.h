// What the tests of .gitattributes and .gitignore share: random patterns and paths, and what git itself says of them.
#pragma once

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/subprocess.h"
#include "base/testing.h"

namespace bothy {

class GitRulesTest : public testing::Test {
 protected:
  void SetUp() override { Git({"init", "-q"}, ""); }

  void Write(const std::string& path, std::string_view text) const {
    const auto file = folder_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }

  // Its output; `git check-ignore` ends with 1 where nothing is ignored.
  std::string Git(std::vector<std::string> arguments, const std::string& input) const {
    SubprocessOptions options;
    options.arguments = {"git"};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.environment = {fmt::format("PATH={}", getenv("PATH")), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1"};
    options.folder = folder_.path();
    auto process = Subprocess::Start(options);
    EXPECT_OK(process);
    std::string output;
    std::string_view rest = input;
    const auto status = (*process)->Exchange([&]() -> Result<std::string_view> { return std::exchange(rest, {}); },
                                             [&](std::string_view text) -> Result<void> {
                                               output += text;
                                               return {};
                                             });
    EXPECT_OK(status);
    EXPECT_LE(*status, 1) << (*process)->error_output();
    return output;
  }

  static std::string Joined(const std::vector<std::string>& paths) {
    std::string text;
    for (const std::string& path : paths) (text += path) += '\0';
    return text;
  }

  static std::vector<std::string> Split(const std::string& text) {
    std::vector<std::string> parts;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\0', begin), text.size());
      parts.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return parts;
  }

  std::string RandomPath() {
    std::string path = RandomText("ab.1A-", 1, 4);
    for (int i = Random(3); i > 0; i--) path += "/" + RandomText("ab.1A-", 1, 4);
    return path == "." || path == ".." ? "a" : path;
  }

  // Of pieces that patterns are made of, so that most of them match something. Not "a**/b": there git cuts off the "a"
  // before it looks for slashes around "**", and takes it for "**/b" against its own manual ("other consecutive
  // asterisks are considered regular asterisks").
  std::string RandomPattern() {
    static const std::vector<std::string> kPieces = {
        "a",   "b",           "A",       "1",     ".",     "*",    "*",   "?",      "/",     "/",
        "**/", "/**",         "**",      "[ab]",  "[!a]",  "[^1]", "-",   "[a-b1]", "[]-a]", "[a-",
        "\\a", "[[:digit:]]", "[[:x:]]", "[[:a]", "[\\a]", "\\*",  "[/]", "***"};
    std::string pattern;
    for (int i = 1 + Random(4); i > 0; i--) {
      pattern += kPieces[static_cast<size_t>(Random(static_cast<int>(kPieces.size())))];
    }
    const size_t special = pattern.find_first_of("*?[\\");
    const bool misread = special != std::string::npos && special > 0 && pattern[special - 1] != '/' &&
                         pattern.substr(special, 2) == "**";
    return misread ? RandomPattern() : pattern;
  }

  int Random(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }

  TemporaryFolder folder_;

 private:
  std::string RandomText(std::string_view letters, int from, int to) {
    std::string text;
    for (int i = from + Random(to - from + 1); i > 0; i--)
      text += letters[static_cast<size_t>(Random(static_cast<int>(letters.size())))];
    return text == "." || text == ".." ? "a" : text;
  }

  std::mt19937 random_{1};
};

}  // namespace bothy
