#include "store/git/new_objects.h"

#include <set>

#include "store/git/git_testing.h"

namespace bothy::git {
namespace {

class NewObjectsTest : public GitTest {
 protected:
  // A commit that no ref leads to, as after a pack has come in and before its refs move.
  Oid Loose(const std::map<std::string, std::optional<std::string>>& files) {
    Git({"update-ref", "refs/heads/tmp", Git({"rev-parse", "main"})});
    const Oid commit = Commit(files, "refs/heads/tmp");
    Git({"update-ref", "-d", "refs/heads/tmp"});
    return commit;
  }

  Result<void> Walk(const Oid& tip) {
    blobs_.clear();
    paths_.clear();
    return ForEachNewObject(*repository_, std::span(&tip, 1),
                            {.blob = [&](const NewBlob& blob) -> Result<void> {
                               blobs_[blob.path] = blob;
                               return {};
                             },
                             .path = [&](std::string_view path) -> Result<void> {
                               paths_.emplace(path);
                               return {};
                             }});
  }

  std::map<std::string, NewBlob> blobs_;
  std::set<std::string> paths_;
};

TEST_F(NewObjectsTest, GivesWhatNoRefLeadsTo) {
  Commit({{"old", "old"}, {"same/x", "x"}, {"d/old", "1"}});
  const Pointer pointer{.sha256 = std::string(64, 'a'), .size = 100};
  const Oid tip = Loose({{"new", "four"}, {"d/e/new", FormatPointer(pointer)}, {"copy", "old"}});
  ASSERT_OK(Walk(tip));
  ASSERT_EQ(blobs_.size(), 2u);
  EXPECT_EQ(blobs_.at("new").size, 4u);
  EXPECT_EQ(blobs_.at("new").pointer, std::nullopt);
  EXPECT_EQ(blobs_.at("d/e/new").pointer, pointer);
  EXPECT_EQ(paths_, (std::set<std::string>{"old", "same", "d", "d/old", "d/e", "d/e/new", "new", "copy"}));
  EXPECT_EQ(blobs_.at("new").oid.ToHex(), Git({"rev-parse", tip.ToHex() + ":new"}));
}

TEST_F(NewObjectsTest, GivesNothingOfWhatIsThere) {
  const Oid commit = Commit({{"a", "1"}});
  ASSERT_OK(Walk(commit));
  EXPECT_TRUE(blobs_.empty());
  EXPECT_TRUE(paths_.empty());
}

TEST_F(NewObjectsTest, GivesWhatAnOlderCommitOfSeveralBrings) {
  Commit({{"a", "1"}});
  Git({"update-ref", "refs/heads/tmp", "main"});
  Commit({{"large", "to be deleted"}}, "refs/heads/tmp");
  const Oid tip = Commit({{"large", std::nullopt}, {"b", "2"}}, "refs/heads/tmp");
  Git({"update-ref", "-d", "refs/heads/tmp"});
  ASSERT_OK(Walk(tip));
  EXPECT_TRUE(blobs_.contains("large"));
  EXPECT_TRUE(blobs_.contains("b"));
}

TEST_F(NewObjectsTest, ACommitIsReachableFromAnyRef) {
  const Oid first = Commit({{"a", "1"}});
  const Oid second = Commit({{"a", "2"}});
  const Oid loose = Loose({{"a", "3"}});
  Git({"update-ref", "refs/pr/1", Loose({{"a", "4"}}).ToHex()});
  EXPECT_TRUE(*IsReachable(*repository_, first));
  EXPECT_TRUE(*IsReachable(*repository_, second));
  EXPECT_TRUE(*IsReachable(*repository_, *Oid::FromHex(Git({"rev-parse", "refs/pr/1"}))));
  EXPECT_FALSE(*IsReachable(*repository_, loose));
  Git({"tag", "-a", "-m", "tag", "v1", loose.ToHex()});
  EXPECT_TRUE(*IsReachable(*repository_, loose));
  EXPECT_FALSE(IsReachable(*repository_, *Oid::FromHex(std::string(40, '1'))));
}

TEST_F(NewObjectsTest, SaysWhereATipIsMissing) {
  const auto walked = Walk(*Oid::FromHex(std::string(40, '1')));
  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bothy::git
