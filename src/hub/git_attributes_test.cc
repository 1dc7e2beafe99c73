#include "hub/git_attributes.h"

#include "hub/git_rules_testing.h"

namespace bothy {
namespace {

class GitAttributesTest : public GitRulesTest {
 protected:
  // Writes the files, adds them, and compares what both say of the paths.
  void ExpectAsGit(const std::vector<std::pair<std::string, std::string>>& files,
                   const std::vector<std::string>& paths) {
    GitAttributes attributes;
    for (const auto& [folder, text] : files) {
      Write(folder.empty() ? ".gitattributes" : folder + "/.gitattributes", text);
      attributes.Add(folder, text);
    }
    const auto parts = Split(Git({"check-attr", "-z", "--stdin", "filter", "text", "own"}, Joined(paths)));
    ASSERT_EQ(parts.size(), paths.size() * 9);
    for (size_t i = 0; i < parts.size(); i += 3) {
      EXPECT_EQ(attributes.Find(parts[i], parts[i + 1]), parts[i + 2])
          << parts[i + 1] << " of \"" << parts[i] << "\" by:\n"
          << files[0].second;
    }
  }
};

TEST_F(GitAttributesTest, TheHubsOwnFileSendsWeightsToLfsAndTextNot) {
  GitAttributes attributes;
  attributes.Add("", "*.safetensors filter=lfs diff=lfs merge=lfs -text\nsaved_model/**/* filter=lfs -text\n");
  EXPECT_TRUE(attributes.IsLarge("model.safetensors"));
  EXPECT_TRUE(attributes.IsLarge("a/b/model.safetensors"));
  EXPECT_TRUE(attributes.IsLarge("saved_model/variables/x"));
  EXPECT_FALSE(attributes.IsLarge("config.json"));
  EXPECT_FALSE(attributes.IsLarge("model.safetensors.index.json"));
  EXPECT_EQ(attributes.Find("model.safetensors", "text"), "unset");
  EXPECT_EQ(attributes.Find("model.safetensors", "eol"), "unspecified");
}

TEST_F(GitAttributesTest, LinesAreReadAsGitReadsThem) {
  ExpectAsGit({{"",
                "\xef\xbb\xbf# comment\n"
                "  *.a filter=lfs  text\r\n"
                "\"with space\" own=1\n"
                "\"tab\\t\\061\" own=2\n"
                "\"no end own=3\n"
                "!negative own=4\n"
                "\\#hash own=5\n"
                "folder/ own=6\n"
                "bad.line own=7 -=x\n"
                "both own=8 -own=9 !text\n"
                "empty own=\n" +
                    std::string(3000, 'x') + " own=10\nlast own=11"}},
              {"x.a", "with space", "tab\t1", "\"no", "negative", "!negative", "#hash", "folder", "folder/x",
               "bad.line", "both", "empty", "last", "d/last", "# comment"});
}

TEST_F(GitAttributesTest, LaterLinesAndDeeperFoldersHaveTheLastWord) {
  ExpectAsGit(
      {{"", "*.bin filter=lfs\nsmall.bin -filter\nd/*.txt filter=lfs\n"},
       {"d", "*.txt !filter own\n/x.bin filter=other\n"},
       {"d/e", "[attr]mine filter=lfs\n*.txt filter=deep mine\n"}},
      {"a.bin", "small.bin", "d/small.bin", "d/a.txt", "d/x.bin", "d/e/x.bin", "d/e/a.txt", "de/a.txt", "a.txt"});
}

TEST_F(GitAttributesTest, MacrosStandForWhatTheySay) {
  ExpectAsGit({{"",
                "[attr]large filter=lfs -text\n[attr]outer large own=1\n[attr]loop loop own=2\n"
                "*.l large\nno.l -large\n*.o outer filter=x\n*.p filter=x outer\n*.b binary\n*.q loop\n"
                "[attr] gap own=3\nt own=4\n"}},
              {"a.l", "no.l", "a.o", "a.p", "a.b", "a.q", "t", "gap"});
}

TEST_F(GitAttributesTest, RandomPatternsMatchAsInGit) {
  for (int round = 0; round < 40; round++) {
    std::string text;
    for (int i = 0; i < 8; i++) {
      std::string pattern = RandomPattern();
      text += fmt::format("{} {}own={}\n", pattern, Random(3) == 0 ? "filter=lfs " : "", i);
    }
    std::vector<std::string> paths;
    for (int i = 0; i < 60; i++) paths.push_back(RandomPath());
    ExpectAsGit({{"", text}}, paths);
    if (HasFailure()) return;
  }
}

TEST_F(GitAttributesTest, MacrosBeyondTheLimitArePassedOver) {
  std::string text;
  for (size_t i = 1; i <= GitAttributes::kMaxMacros; i++) text += fmt::format("[attr]m{} own={}\n", i, i);
  GitAttributes attributes;
  attributes.Add("", text + fmt::format("a m{}\nb m{}\n", GitAttributes::kMaxMacros - 1, GitAttributes::kMaxMacros));
  EXPECT_EQ(attributes.Find("a", "own"), "99");  // "binary" is one of the hundred
  EXPECT_EQ(attributes.Find("b", "own"), "unspecified");
}

}  // namespace
}  // namespace bothy
