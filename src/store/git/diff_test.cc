#include "store/git/diff.h"

#include <gmock/gmock.h>

#include "store/git/git_testing.h"

namespace bothy::git {
namespace {

using Diff = GitTest;

std::string NameStatus(const ChangeList& list) {
  std::string text;
  for (const Change& change : list.changes) {
    switch (change.kind) {
      case ChangeKind::kAdded: text += "A\t" + change.path; break;
      case ChangeKind::kDeleted: text += "D\t" + change.path; break;
      case ChangeKind::kModified:
        text += ((change.old_mode ^ change.mode) & 0170000) != 0 ? "T\t" + change.path : "M\t" + change.path;
        break;
      case ChangeKind::kRenamed: text += "R100\t" + change.old_path + "\t" + change.path; break;
    }
    text += '\n';
  }
  if (!text.empty()) text.pop_back();
  return text;
}

class DiffOfTwo : public GitTest {
 protected:
  void SetUp() override {
    GitTest::SetUp();
    std::string numbers;
    for (int i = 0; i < 50; i++) numbers += fmt::format("{}\n", i);
    std::string changed = numbers;
    changed.replace(changed.find("20\n"), 3, "twenty\n").replace(changed.find("45\n"), 3, "");
    before_ = Commit({{"same", "1"},
                      {"text", numbers},
                      {"no-end", "a\nb"},
                      {"gone", "gone\n"},
                      {"binary", std::string("a\0b", 3)},
                      {"d/moved", "content that moves\n"},
                      {"d/deep/er", "1\n"},
                      {"file-to-folder", "was a file\n"},
                      {"quote\"d ü", "1\n"},
                      {"to-empty", "x\n"}});
    CommitOptions options = Options();
    auto session = CommitSession::Begin(repository_, options);
    CommitSession& s = **session;
    EXPECT_OK(s.PutFile(Path("text"), changed));
    EXPECT_OK(s.PutFile(Path("no-end"), "a\nc"));
    EXPECT_OK(s.PutFile(Path("binary"), std::string("a\0c", 3)));
    EXPECT_OK(s.Delete(Path("gone")));
    EXPECT_OK(s.Delete(Path("d/moved")));
    EXPECT_OK(s.PutFile(Path("e/moved"), "content that moves\n"));
    EXPECT_OK(s.PutFile(Path("d/deep/er"), "2\n"));
    EXPECT_OK(s.Delete(Path("file-to-folder")));
    EXPECT_OK(s.PutFile(Path("file-to-folder/x"), "in a folder\n"));
    EXPECT_OK(s.PutFile(Path("quote\"d ü"), "2\n"));
    EXPECT_OK(s.PutFile(Path("to-empty"), ""));
    EXPECT_OK(s.PutFile(Path("new"), "new\nfile\n"));
    EXPECT_OK(s.PutFile(Path("new-empty"), ""));
    after_ = s.Finish()->commit;
  }
  Oid before_, after_;
};

TEST_F(DiffOfTwo, NamesWhatGitNames) {
  const auto list = CompareCommits(*repository_, before_, after_);
  ASSERT_OK(list);
  EXPECT_TRUE(list->complete);
  std::string expected =
      Git({"-c", "core.quotePath=false", "diff", "--name-status", "-M100%", before_.ToHex(), after_.ToHex()});
  const size_t quoted = expected.find("\"quote\\\"d ü\"");
  ASSERT_NE(quoted, std::string::npos);
  expected.replace(quoted, std::string("\"quote\\\"d ü\"").size(), "quote\"d ü");
  EXPECT_EQ(NameStatus(*list), expected);
  const auto backwards = CompareCommits(*repository_, after_, before_);
  EXPECT_EQ(backwards->changes.size(), list->changes.size());
  EXPECT_TRUE(CompareCommits(*repository_, after_, after_)->changes.empty());
  EXPECT_EQ(CompareCommits(*repository_, std::nullopt, after_)->changes.size(),
            Lines(Git({"ls-tree", "-r", "--name-only", after_.ToHex()})).size());
}

TEST_F(DiffOfTwo, PrintsWhatGitPrints) {
  const auto list = CompareCommits(*repository_, before_, after_);
  const auto diff = FormatDiff(*repository_, list->changes);
  ASSERT_OK(diff);
  EXPECT_TRUE(diff->complete);
  EXPECT_EQ(diff->text, Git({"-c", "core.quotePath=false", "diff", "--no-color", "--full-index", "-M100%",
                             before_.ToHex(), after_.ToHex()}) +
                            "\n");
}

TEST_F(DiffOfTwo, HasLimits) {
  const auto some = CompareCommits(*repository_, before_, after_, 3);
  EXPECT_EQ(some->changes.size(), 3u);
  EXPECT_FALSE(some->complete);
  const auto list = CompareCommits(*repository_, before_, after_);
  const auto cut = FormatDiff(*repository_, list->changes, {.text_bytes = 400});
  EXPECT_FALSE(cut->complete);
  EXPECT_LE(cut->text.size(), 400u);
  const auto whole_files_only = FormatDiff(*repository_, list->changes, {.file_bytes = 20});
  EXPECT_THAT(whole_files_only->text, testing::HasSubstr("Binary files a/text and b/text differ"));
}

}  // namespace
}  // namespace bothy::git
