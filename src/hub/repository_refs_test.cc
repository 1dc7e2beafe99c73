#include "hub/repository_refs.h"

#include "hub/commits.h"
#include "hub/repositories_testing.h"

namespace bothy {
namespace {

class RepositoryRefsTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    if (IsSkipped()) return;
    repository_ = Make(ada_, "demo");
    auto refs = RepositoryRefs::Open(*repositories_, repository_);
    ASSERT_OK(refs);
    refs_ = std::make_unique<RepositoryRefs>(*std::move(refs));
  }

  git::Oid CommitFile(const std::string& path, const std::string& content, const std::string& branch = "main") {
    const auto upload = CommitUpload::Begin(*repositories_, content_, ada_, repository_, {.revision = branch});
    EXPECT_OK(upload);
    EXPECT_OK((*upload)->Add(
        fmt::format("{{\"key\":\"header\",\"value\":{{\"summary\":\"c\"}}}}\n"
                    "{{\"key\":\"file\",\"value\":{{\"content\":\"{}\",\"path\":\"{}\",\"encoding\":\"utf-8\"}}}}\n",
                    content, path)));
    const auto outcome = (*upload)->Finish();
    EXPECT_OK(outcome);
    return outcome->commit;
  }

  int64_t Pushes(const std::string& ref) {
    return Count("SELECT COUNT(*) FROM repository_events WHERE action = 'push' AND ref = $1", ref);
  }

  Repository repository_;
  std::unique_ptr<RepositoryRefs> refs_;
};

BOTHY_ON_BOTH_DATABASES(RepositoryRefsTest);

TEST_P(RepositoryRefsTest, ABranchBeginsAtTheDefaultOneOrAtARevisionOrEmpty) {
  const git::Oid first = Head(repository_);
  const git::Oid second = CommitFile("a", "1");
  ASSERT_OK(refs_->CreateBranch(ada_, {.name = "one"}));
  ASSERT_OK(refs_->CreateBranch(ada_, {.name = "two/deep", .start = first.ToHex().substr(0, 8)}));
  ASSERT_OK(refs_->CreateBranch(ada_, {.name = "three", .empty = true}));
  EXPECT_EQ(*refs_->Resolve("one"), second);
  EXPECT_EQ(*refs_->Resolve("two/deep"), first);
  EXPECT_EQ(git::ListTree(*Git(repository_), *refs_->Resolve("three"), {})->entries.size(), 0u);
  EXPECT_EQ(*refs_->CountHistory(*refs_->Resolve("three")), 1u);
  EXPECT_EQ(refs_->List()->branches.size(), 4u);
  EXPECT_EQ(Pushes("refs/heads/one"), 1);
}

TEST_P(RepositoryRefsTest, ABranchThatIsThereIsMadeAgainOnlyToOverwriteIt) {
  const git::Oid first = Head(repository_);
  CommitFile("a", "1");
  ASSERT_OK(refs_->CreateBranch(ada_, {.name = "x"}));
  const auto again = refs_->CreateBranch(ada_, {.name = "x"});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(again.error().message, "Reference refs/heads/x already exists");
  ASSERT_OK(refs_->CreateBranch(ada_, {.name = "x", .start = first.ToHex(), .overwrite = true}));
  EXPECT_EQ(*refs_->Resolve("x"), first);
  EXPECT_EQ(refs_->CreateBranch(ada_, {.name = "y", .start = "none"}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(refs_->CreateBranch(ada_, {.name = "a..b"}).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(RepositoryRefsTest, TheDefaultBranchStays) {
  const auto deleted = refs_->DeleteBranch(ada_, "main");
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(deleted.error().message, "Cannot delete refs/heads/main");
  EXPECT_EQ(refs_->DeleteBranch(ada_, "none").error().code, ErrorCode::kNotFound);
  ASSERT_OK(refs_->CreateBranch(ada_, {.name = "x"}));
  ASSERT_OK(refs_->DeleteBranch(ada_, "x"));
  EXPECT_FALSE(refs_->Resolve("x"));
}

TEST_P(RepositoryRefsTest, TagsAreMadeOnceAndDeleted) {
  const git::Oid first = Head(repository_);
  ASSERT_OK(refs_->CreateTag(ada_, "v1", "main", "First"));
  ASSERT_OK(refs_->CreateTag(ada_, "v2", first.ToHex(), ""));
  EXPECT_EQ(*refs_->Resolve("v1"), first);
  EXPECT_EQ(refs_->List()->tags[0].message, "First");
  EXPECT_EQ(refs_->CreateTag(ada_, "v1", "main", "").error().message, "Reference refs/tags/v1 already exists");
  EXPECT_EQ(refs_->CreateTag(ada_, "v3", "none", "").error().code, ErrorCode::kNotFound);
  ASSERT_OK(refs_->DeleteTag(ada_, "v1"));
  EXPECT_EQ(refs_->DeleteTag(ada_, "v1").error().code, ErrorCode::kNotFound);
}

TEST_P(RepositoryRefsTest, SquashingLeavesOneCommitWithTheSameFiles) {
  CommitFile("a", "1");
  CommitFile("b", "2");
  const auto squashed = refs_->SuperSquash(ada_, "main", "All in one");
  ASSERT_OK(squashed);
  EXPECT_EQ(*refs_->CountHistory(*squashed), 1u);
  EXPECT_EQ(refs_->History(*squashed, {})->commits[0].title, "All in one");
  EXPECT_EQ(FileOf(repository_, "a"), "1");
  EXPECT_EQ(FileOf(repository_, "b"), "2");
  EXPECT_EQ(refs_->SuperSquash(ada_, "none", "x").error().code, ErrorCode::kNotFound);
}

TEST_P(RepositoryRefsTest, ComparesFromARevisionOrFromWhereTwoHaveParted) {
  ASSERT_OK(refs_->CreateBranch(ada_, {.name = "side"}));
  const git::Oid main = CommitFile("a", "1");
  const git::Oid side = CommitFile("b", "2", "side");
  const auto direct = refs_->Compare("main..side");
  ASSERT_OK(direct);
  EXPECT_EQ(direct->before, main);
  EXPECT_EQ(direct->after, side);
  ASSERT_EQ(direct->changes.changes.size(), 2u);
  const auto parted = refs_->Compare("main...side");
  ASSERT_OK(parted);
  ASSERT_EQ(parted->changes.changes.size(), 1u);
  EXPECT_EQ(parted->changes.changes[0].path, "b");
  EXPECT_NE(parted->diff.text.find("+2"), std::string::npos);
  EXPECT_EQ(refs_->Compare("main").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refs_->Compare("main..none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bothy
