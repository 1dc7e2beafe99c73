#include "hub/git_ignore.h"

#include <set>

#include "hub/git_rules_testing.h"

namespace bothy {
namespace {

class GitIgnoreTest : public GitRulesTest {
 protected:
  void ExpectAsGit(const std::string& text, const std::vector<std::string>& paths) {
    Write(".gitignore", text);
    const auto parts = Split(Git({"check-ignore", "--no-index", "-z", "--stdin"}, Joined(paths)));
    const std::set<std::string> ignored(parts.begin(), parts.end());
    const GitIgnore ignore(text);
    for (const std::string& path : paths) {
      EXPECT_EQ(ignore.Ignores(path), ignored.contains(path)) << "\"" << path << "\" by:\n" << text;
    }
  }
};

TEST_F(GitIgnoreTest, CachesAreIgnoredAndWhatIsNamedAgainIsNot) {
  const GitIgnore ignore("__pycache__/\n*.log\n!keep.log\n/build\n");
  EXPECT_TRUE(ignore.Ignores("a/__pycache__/x.pyc"));
  EXPECT_TRUE(ignore.Ignores("a/b.log"));
  EXPECT_FALSE(ignore.Ignores("a/keep.log"));
  EXPECT_TRUE(ignore.Ignores("build/x"));
  EXPECT_FALSE(ignore.Ignores("a/build/x"));
  EXPECT_FALSE(ignore.Ignores("__pycache__"));  // a file of that name
}

TEST_F(GitIgnoreTest, LinesAreReadAsGitReadsThem) {
  ExpectAsGit(
      "\xef\xbb\xbf# comment\r\n*.a  \r\nspace\\ \nb\\  \n\\#hash\n\\!not\n!\n "
      "\n/rooted\nd/e\nf/\n!f/keep\ng/*\n!g/keep\n"
      "end\\\n/\n//x\na**b\n**/h\ni/**\nj/**/k\nlast",
      {"x.a",      "x.a  ",    "space ", "space", "b ",      "b  ",  "#hash",  "!not", "# comment",
       "rooted",   "d/rooted", "d/e",    "x/d/e", "f",       "f/x",  "f/keep", "g/x",  "g/keep",
       "g/keep/x", "end",      "end\\",  "x",     "aXb",     "a/b",  "h",      "x/h",  "i",
       "i/x",      "i/x/y",    "j/k",    "j/l/k", "j/l/m/k", "last", "last/x", " ",    "!"});
}

TEST_F(GitIgnoreTest, RandomPatternsIgnoreAsInGit) {
  for (int round = 0; round < 40; round++) {
    std::string text;
    for (int i = 0; i < 6; i++) text += (Random(4) == 0 ? "!" : "") + RandomPattern() + (Random(6) == 0 ? "/\n" : "\n");
    std::vector<std::string> paths;
    for (int i = 0; i < 60; i++) paths.push_back(RandomPath());
    ExpectAsGit(text, paths);
    if (HasFailure()) return;
  }
}

TEST_F(GitIgnoreTest, APatternMadeToBacktrackIsMatchedInTimeBoundedByItsLength) {
  std::string pattern;
  for (int i = 0; i < 100; i++) pattern += "**/*a*a*";
  const GitIgnore ignore(pattern + "b");
  std::string path;
  for (int i = 0; i < 100; i++) path += std::string(30, 'a') + "/";
  EXPECT_FALSE(ignore.Ignores(path + "c"));  // by trying all ways it would not end
}

}  // namespace
}  // namespace bothy
