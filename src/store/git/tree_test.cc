#include "store/git/tree.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "store/git/git_testing.h"

namespace bothy::git {
namespace {

using Tree = GitTest;
using testing::ElementsAre;

const std::string kPointer =
    "version https://git-lfs.github.com/spec/v1\noid sha256:"
    "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

std::string Line(const Entry& entry) {  // as git ls-tree -l --format=... below
  const std::string_view type = entry.kind == EntryKind::kFolder      ? "tree"
                                : entry.kind == EntryKind::kSubmodule ? "commit"
                                                                      : "blob";
  const std::string mode = entry.kind == EntryKind::kFolder      ? "040000"
                           : entry.kind == EntryKind::kSubmodule ? "160000"
                           : entry.kind == EntryKind::kLink      ? "120000"
                           : entry.executable                    ? "100755"
                                                                 : "100644";
  return fmt::format("{} {} {} {} {}", mode, type, entry.oid.ToHex(), type == "blob" ? std::to_string(entry.size) : "-",
                     entry.path);
}

class TreeOfEveryKind : public GitTest {
 protected:
  void SetUp() override {
    GitTest::SetUp();
    const auto work = folder_.path() / "work";
    GitIn(folder_.path(), {"clone", "-q", repository_->path().string(), "work"});
    // "a.b", "a/", "a0" is where folders sort unlike files of their name.
    for (const char* path : {"a.b", "a/x", "a/y/deep", "a/y.z", "a0", "b/only", "z"}) {
      std::filesystem::create_directories((work / path).parent_path());
      std::ofstream(work / path) << path;
    }
    std::ofstream(work / "model.bin") << kPointer;
    std::ofstream(work / "run.sh") << "#!/bin/sh\n";
    std::filesystem::permissions(work / "run.sh", std::filesystem::perms::owner_all);
    std::filesystem::create_symlink("a/x", work / "link");
    GitIn(work, {"add", "."});
    GitIn(work, {"update-index", "--add", "--cacheinfo", "160000,1234567890123456789012345678901234567890,module"});
    GitIn(work, {"commit", "-q", "-m", "All kinds"});
    GitIn(work, {"push", "-q", "origin", "HEAD:refs/heads/main"});
    commit_ = *Resolve(*repository_, "main");
  }

  std::string LsTree(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"ls-tree",
                                          "--format=%(objectmode) %(objecttype) %(objectname) %(objectsize) %(path)"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Git(arguments);
  }

  std::vector<std::string> List(ListOptions options) const {
    std::vector<std::string> lines;
    do {
      auto page = ListTree(*repository_, commit_, options);
      EXPECT_OK(page);
      if (!page) break;
      EXPECT_LE(page->entries.size(), options.limit);
      for (const Entry& entry : page->entries) lines.push_back(Line(entry));
      options.cursor = page->cursor;
    } while (!options.cursor.empty());
    return lines;
  }

  Oid commit_;
};

TEST_F(TreeOfEveryKind, IsListedAsGitListsItWhateverThePageIs) {
  for (size_t limit = 1; limit <= 20; limit++) {
    EXPECT_EQ(List({.limit = limit}), Lines(LsTree({"main"})));
    EXPECT_EQ(List({.recursive = true, .limit = limit}), Lines(LsTree({"-r", "-t", "main"})));
    EXPECT_EQ(List({.folder = "a", .limit = limit}), Lines(LsTree({"main", "a/"})));
    // git ls-tree -t prints the folders above too.
    EXPECT_EQ(List({.folder = "a/y", .recursive = true, .limit = limit}),
              std::vector{Lines(LsTree({"-r", "-t", "main", "a/y/"})).back()});
  }
}

TEST_F(TreeOfEveryKind, SaysWhatPointersPointTo) {
  const auto entry = FindEntry(*repository_, commit_, "model.bin");
  ASSERT_OK(entry);
  ASSERT_TRUE(*entry);
  ASSERT_TRUE((*entry)->pointer);
  EXPECT_EQ((*entry)->pointer->size, 12345u);
  EXPECT_EQ((*entry)->content_size(), 12345u);
  EXPECT_EQ((*entry)->size, kPointer.size());
  EXPECT_FALSE((*FindEntry(*repository_, commit_, "a.b"))->pointer);
}

TEST_F(TreeOfEveryKind, FindsPathsAndLeavesOutWhatIsNotThere) {
  const std::vector<std::string> paths = {"z",        "none",   "a/y",      "a/x/below", "",
                                          "module/x", "run.sh", "a/y/deep", "../a",      "a//x"};
  const auto entries = FindEntries(*repository_, commit_, paths);
  ASSERT_OK(entries);
  std::vector<std::string> found;
  for (const Entry& entry : *entries) found.push_back(entry.path);
  EXPECT_THAT(found, ElementsAre("z", "a/y", "run.sh", "a/y/deep"));
  EXPECT_TRUE((*entries)[2].executable);
}

TEST_F(TreeOfEveryKind, AnyCursorGivesAPage) {
  for (const std::string cursor : {"/", "//", "a", "a/", "a/y/deep/", "zzz", "none/x", "\xff", ".."}) {
    EXPECT_OK(ListTree(*repository_, commit_, {.recursive = true, .cursor = cursor}));
  }
}

TEST_F(TreeOfEveryKind, MissingFoldersAreNotFound) {
  for (const std::string folder : {"none", "a/none", "z", "module"}) {
    EXPECT_EQ(ListTree(*repository_, commit_, {.folder = folder}).error().code, ErrorCode::kNotFound) << folder;
  }
}

TEST_F(Tree, ABlobIsReadWithinALimitAndStreamedWithoutOne) {
  std::string content(kMaxBlobInMemory + 1000, 'x');
  for (size_t i = 0; i < content.size(); i += 4096) content[i] = static_cast<char>(i / 4096);
  Commit({{"small", "abc"}, {"large", content}});
  const auto small = FindEntry(*repository_, *Resolve(*repository_, "main"), "small");
  const auto large = FindEntry(*repository_, *Resolve(*repository_, "main"), "large");
  EXPECT_EQ(ReadBlob(*repository_, (*small)->oid, 3), "abc");
  EXPECT_EQ(ReadBlob(*repository_, (*small)->oid, 2).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ((*OpenBlob(*repository_, (*small)->oid, 3))->size(), 3u);
  for (const auto& [entry, expected] : {std::pair{*small, std::string("abc")}, {*large, content}}) {
    std::string got;
    EXPECT_OK(StreamBlob(*repository_, entry->oid, [&](std::string_view piece) -> Result<void> {
      got += piece;
      return {};
    }));
    EXPECT_TRUE(got == expected);
  }
}

TEST_F(Tree, BrokenObjectsAreErrorsAndNoCrashes) {
  const Oid commit = Commit({{"a/b", "1"}});
  const std::string tree = Git({"rev-parse", "main^{tree}"});
  const auto object = repository_->path() / "objects" / tree.substr(0, 2) / tree.substr(2);
  const std::string good = ReadTestFile(object);
  std::filesystem::permissions(object, std::filesystem::perms::owner_all);
  const std::string other = Git({"hash-object", "-w", "--stdin"}, "other");
  const std::string swapped = ReadTestFile(repository_->path() / "objects" / other.substr(0, 2) / other.substr(2));
  for (const std::string& bytes : {std::string(), std::string("rubbish"), good.substr(0, good.size() / 2), swapped}) {
    std::ofstream(object, std::ios::binary) << bytes;
    const auto again = GitRepository::Open(repository_->path());
    EXPECT_FALSE(ListTree(*repository_, commit, {})) << bytes.size();
    EXPECT_FALSE(FindEntry(*repository_, commit, "a/b"));
  }
  std::filesystem::remove(object);
  EXPECT_FALSE(ListTree(*repository_, commit, {}));
  // Trees that git itself would not make: written as they are.
  for (const std::string& bytes :
       {std::string("100644 a"), std::string("100644 a\0short", 14), std::string("x a\0", 4),
        std::string("100644 \0aaaaaaaaaaaaaaaaaaaa", 28), std::string("100644 a/b\0aaaaaaaaaaaaaaaaaaaa", 31)}) {
    const std::string bad = Git({"hash-object", "-t", "tree", "--literally", "-w", "--stdin"}, bytes);
    const std::string text = fmt::format("tree {}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nx\n", bad);
    const auto bad_commit = Oid::FromHex(Git({"hash-object", "-t", "commit", "--literally", "-w", "--stdin"}, text));
    const auto page = ListTree(*repository_, *bad_commit, {});
    ASSERT_FALSE(page) << bytes;
    EXPECT_EQ(page.error().code, ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace bothy::git
