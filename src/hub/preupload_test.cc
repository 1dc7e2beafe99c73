#include "hub/preupload.h"

#include "store/git/git_testing.h"

namespace bothy {
namespace {

using git::GitTest;
using git::Oid;

class PreuploadTest : public GitTest {
 protected:
  Result<std::vector<PreuploadAnswer>> Ask(const std::optional<Oid>& commit, std::vector<PreuploadFile> files) {
    return Preupload(*repository_, commit, {.files = std::move(files)});
  }
};

std::string Repeated(size_t count, std::string_view line) {
  std::string text;
  for (size_t i = 0; i < count; i++) text += line;
  return text;
}

TEST_F(PreuploadTest, SizeAttributesAndBytesDecideWhatIsLarge) {
  const Oid commit =
      Commit({{".gitattributes", "*.bin filter=lfs\n"}, {"d/.gitattributes", "*.txt filter=lfs\n*.bin -filter\n"}});
  const auto answers = Ask(commit, {{"a.txt", 5, "hello"},
                                    {"a.bin", 5, "hello"},
                                    {"empty.bin", 0, ""},
                                    {"d/a.txt", 5, "hello"},
                                    {"d/a.bin", 5, "hello"},
                                    {"binary", 5, std::string("a\0b", 3)},
                                    {"limit", kMaxRegularFileBytes, "text"},
                                    {"over", kMaxRegularFileBytes + 1, "text"}});
  ASSERT_OK(answers);
  std::map<std::string, bool> large;
  for (const auto& answer : *answers) large[answer.path] = answer.large;
  EXPECT_EQ(large, (std::map<std::string, bool>{{"a.txt", false},
                                                {"a.bin", true},
                                                {"empty.bin", false},
                                                {"d/a.txt", true},
                                                {"d/a.bin", false},
                                                {"binary", true},
                                                {"limit", false},
                                                {"over", true}}));
}

TEST_F(PreuploadTest, RulesThatComeWithTheUploadTakeThePlaceOfThoseThatAreThere) {
  const Oid commit = Commit({{".gitattributes", "*.a filter=lfs\n"}, {".gitignore", "*.log\n"}});
  const auto before = Ask(commit, {{"x.a", 1, "x"}, {"x.b", 1, "x"}, {"x.log", 1, "x"}, {"x.tmp", 1, "x"}});
  ASSERT_OK(before);
  EXPECT_TRUE((*before)[0].large && !(*before)[1].large);
  EXPECT_TRUE((*before)[2].ignored && !(*before)[3].ignored);
  const auto after = Preupload(*repository_, commit,
                               {.files = {{"x.a", 1, "x"}, {"x.b", 1, "x"}, {"x.log", 1, "x"}, {"x.tmp", 1, "x"}},
                                .git_attributes = "*.b filter=lfs\n",
                                .git_ignore = "*.tmp\n"});
  ASSERT_OK(after);
  EXPECT_TRUE(!(*after)[0].large && (*after)[1].large);
  EXPECT_TRUE(!(*after)[2].ignored && (*after)[3].ignored);
}

TEST_F(PreuploadTest, TellsWhatIsThereAlready) {
  const std::string sha256(64, 'a');
  const Oid commit =
      Commit({{"text", "hello"}, {"large", git::FormatPointer({.sha256 = sha256, .size = 100})}, {"folder/x", "x"}});
  const auto answers =
      Ask(commit, {{"new", 1, "x"}, {"large", 1, "x"}, {"text", 1, "x"}, {"folder", 1, "x"}, {"text", 1, "x"}});
  ASSERT_OK(answers);
  EXPECT_EQ((*answers)[0].oid, std::nullopt);
  EXPECT_EQ((*answers)[1].oid, sha256);
  EXPECT_EQ((*answers)[2].oid, Git({"rev-parse", "main:text"}));
  EXPECT_EQ((*answers)[3].oid, std::nullopt);
  EXPECT_EQ((*answers)[4].oid, (*answers)[2].oid);
}

TEST_F(PreuploadTest, OnlyLargeFilesOfNewPathsOrSizesAddToTheRepository) {
  const Oid commit = Commit({{"large.bin", git::FormatPointer({.sha256 = std::string(64, 'a'), .size = 100})},
                             {".gitattributes", "*.bin filter=lfs\n"},
                             {".gitignore", "*.tmp.bin\n"}});
  const auto answers = Ask(commit, {{"large.bin", 100, "x"},
                                    {"large.bin", 101, "x"},
                                    {"new.bin", 100, "x"},
                                    {"text", 100, "x"},
                                    {"a.tmp.bin", 100, "x"}});
  ASSERT_OK(answers);
  const std::vector<uint64_t> expected = {0, 101, 100, 0, 0};
  for (size_t i = 0; i < expected.size(); i++) EXPECT_EQ((*answers)[i].more_bytes, expected[i]) << i;
}

TEST_F(PreuploadTest, AnEmptyRepositoryHasNoRules) {
  const auto answers = Ask(std::nullopt, {{"a.bin", 5, "hello"}});
  ASSERT_OK(answers);
  EXPECT_FALSE(answers->front().large);
}

TEST_F(PreuploadTest, PathsThatNoRepositoryCanHoldAreRefused) {
  for (const char* path : {"", "../a", "..\\ddd", "a//b", ".git/config"}) {
    const auto answers = Ask(std::nullopt, {{path, 1, "x"}});
    ASSERT_FALSE(answers) << path;
    EXPECT_EQ(answers.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(PreuploadTest, AsManyFilesAsTheLimitAndNotOneMore) {
  std::vector<PreuploadFile> files(PreuploadRequest::kMaxFiles, {"a", 1, "x"});
  EXPECT_OK(Ask(std::nullopt, files));
  files.push_back({"a", 1, "x"});
  EXPECT_EQ(Ask(std::nullopt, files).error().code, ErrorCode::kResourceExhausted);
}

TEST_F(PreuploadTest, ARuleFileOverTheLimitIsPassedOverAndManyAreRefused) {
  const std::string limit =
      "*.x filter=lfs\n" + Repeated(PreuploadRequest::kMaxRuleFileBytes / 64, std::string(63, '#') + "\n");
  const std::string fits = limit.substr(0, PreuploadRequest::kMaxRuleFileBytes);
  EXPECT_TRUE(Ask(Commit({{".gitattributes", fits}}), {{"a.x", 1, "x"}})->front().large);
  EXPECT_FALSE(Ask(Commit({{".gitattributes", fits + "#"}}), {{"a.x", 1, "x"}})->front().large);
  std::map<std::string, std::optional<std::string>> files;
  std::vector<PreuploadFile> asked;
  for (const char* folder : {"a", "b", "c", "d", "e"}) {
    files[fmt::format("{}/.gitattributes", folder)] = fits;
    asked.push_back({fmt::format("{}/x", folder), 1, "x"});
  }
  const Oid commit = Commit(files);
  EXPECT_EQ(Ask(commit, asked).error().code, ErrorCode::kResourceExhausted);
  asked.pop_back();  // four times the limit of one is the limit of all
  EXPECT_OK(Ask(commit, asked));
}

TEST_F(PreuploadTest, MoreMatchingThanTheLimitIsRefused) {
  const std::string rules = Repeated(PreuploadRequest::kMaxRuleFileBytes / 4, "a b\n");
  std::vector<PreuploadFile> files(16, {std::string(255, 'a') + "/" + std::string(255, 'b') + "/" +
                                            std::string(255, 'c') + "/" + std::string(255, 'd') + "/",
                                        1, "x"});
  for (auto& file : files) file.path.back() = 'x';
  // 256 KiB of rules and 1 KiB a path: the limit of 2^32 is reached by 16 of them.
  for (auto& file : files) file.path.resize(1020);
  EXPECT_OK(Preupload(*repository_, std::nullopt, {.files = files, .git_attributes = rules}));
  files.resize(17, files.front());
  EXPECT_EQ(Preupload(*repository_, std::nullopt, {.files = files, .git_attributes = rules}).error().code,
            ErrorCode::kResourceExhausted);
}

TEST(LooksBinary, ZeroBytesAndWhatIsNoUtf8) {
  EXPECT_FALSE(LooksBinary("", true));
  EXPECT_FALSE(LooksBinary("text\r\n\t\x1b[0m", true));
  EXPECT_FALSE(LooksBinary("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", true));
  EXPECT_TRUE(LooksBinary(std::string_view("a\0", 2), true));
  EXPECT_TRUE(LooksBinary("\xff\xfe", true));
  EXPECT_TRUE(LooksBinary("\xe2\x82\xff more", false));
  for (const std::string_view cut : {"a\xc3", "a\xe2\x82", "a\xf0\x9f\x98"}) {
    EXPECT_FALSE(LooksBinary(cut, false));
    EXPECT_TRUE(LooksBinary(cut, true));
  }
}

}  // namespace
}  // namespace bothy
