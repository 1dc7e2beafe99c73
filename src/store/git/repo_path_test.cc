#include "store/git/repo_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bothy::git {
namespace {

using testing::HasSubstr;

TEST(RepoPath, HoldsWhatPeopleNameFiles) {
  for (const std::string text :
       {"README.md", "a/b/c.txt", ".gitattributes", ".gitignore", "..a", "a..b", "a.", "git", "gi.t", "x/.github/y",
        "modèle/重み.safetensors", "with space/ leading", "a:b", "~", "-", "data/train-00000-of-00001.parquet"}) {
    const auto path = RepoPath::Parse(text);
    ASSERT_TRUE(path) << text << ": " << path.error().message;
    EXPECT_EQ(path->text(), text);
  }
}

TEST(RepoPath, RefusesWhatLeadsOutOfARepository) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "empty"},
      {"/", "empty"},
      {"/etc/passwd", "empty"},
      {"a//b", "empty"},
      {"a/", "empty"},
      {".", "\"..\""},
      {"..", "\"..\""},
      {"../a", "\"..\""},
      {"a/../../b", "\"..\""},
      {"a/.", "\"..\""},
      {"..\\ddd", "backslash"},
      {"a\\b", "backslash"},
      {".git", ".git"},
      {".git/config", ".git"},
      {"a/.GIT/hooks/post-checkout", ".git"},
      {".git ", ".git"},
      {".git.", ".git"},
      {".git . .", ".git"},
      {".git::$INDEX_ALLOCATION/config", ".git"},
      {"GIT~1/config", ".git"},
      {"git~1", ".git"},
      {".g\u200cit/config", ".git"},
      {"\ufeff.git", ".git"},
      {"...", "dots"},
      {".. /x", "dots"},
      {" ", "dots"},
      {"\u200c", "dots"},
      {std::string("a\0b", 3), "control"},
      {"a\nb", "control"},
      {"a\x7f", "control"},
      {"a\xc2\x85", "control"},
      {"a\xff", "UTF-8"},
      {"a\xc0\xaf..", "UTF-8"},
      {"a\xed\xa0\x80", "UTF-8"},
      {"a\xe2\x82", "UTF-8"},
  };
  for (const auto& [text, why] : cases) {
    const auto path = RepoPath::Parse(text);
    ASSERT_FALSE(path) << text;
    EXPECT_EQ(path.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(path.error().message, HasSubstr(why)) << text;
  }
}

TEST(RepoPath, HasLimitsOfNameLengthAndDepth) {
  EXPECT_TRUE(RepoPath::Parse(std::string(RepoPath::kMaxSegmentBytes, 'a')));
  EXPECT_FALSE(RepoPath::Parse(std::string(RepoPath::kMaxSegmentBytes + 1, 'a')));

  std::string deep = "a";
  for (size_t i = 1; i < RepoPath::kMaxDepth; i++) deep += "/a";
  EXPECT_TRUE(RepoPath::Parse(deep));
  EXPECT_FALSE(RepoPath::Parse(deep + "/a"));

  std::string segment(199, 'a');
  std::string text = segment;
  while (text.size() + 1 + segment.size() <= RepoPath::kMaxBytes) text += "/" + segment;
  text += "/" + std::string(RepoPath::kMaxBytes - text.size() - 1, 'b');
  EXPECT_TRUE(RepoPath::Parse(text));
  EXPECT_FALSE(RepoPath::Parse(text + "b"));
}

TEST(RepoPath, MessagesShowNoControlCharacters) {
  EXPECT_THAT(RepoPath::Parse("a\x1b[31m\xff").error().message, HasSubstr("\"a?[31m?\""));
}

TEST(RepoPath, KnowsItsNameAndFolder) {
  EXPECT_EQ(RepoPath::Parse("a/b/c")->name(), "c");
  EXPECT_EQ(RepoPath::Parse("a/b/c")->folder(), "a/b");
  EXPECT_EQ(RepoPath::Parse("c")->name(), "c");
  EXPECT_EQ(RepoPath::Parse("c")->folder(), "");
}

}  // namespace
}  // namespace bothy::git
