#include "store/git/repository.h"

#include <gmock/gmock.h>

#include <fstream>

#include "store/git/git_testing.h"
#include "store/git/handle_pool.h"
#include "store/git/pack_writer.h"
#include "store/git/tree.h"

namespace bothy::git {
namespace {

namespace fs = std::filesystem;

using Repository = GitTest;

TEST_F(Repository, IsOneThatGitKnows) {
  EXPECT_EQ(Git({"rev-parse", "--is-bare-repository"}), "true");
  EXPECT_EQ(Git({"symbolic-ref", "HEAD"}), "refs/heads/main");
  ExpectSound();
  EXPECT_EQ(DefaultBranch(*repository_), "main");
}

TEST_F(Repository, CannotBeMadeWhereSomethingIs) {
  EXPECT_EQ(GitRepository::Create(repository_->path()).error().code, ErrorCode::kAlreadyExists);
  fs::create_directory(folder_.path() / "empty");
  EXPECT_EQ(GitRepository::Create(folder_.path() / "empty").error().code, ErrorCode::kAlreadyExists);
  // Nothing is left of the tries.
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("a.git", "empty"));
  }
}

TEST_F(Repository, IsSharedByAllWhoOpenIt) {
  const auto again = GitRepository::Open(folder_.path() / "." / "a.git");
  ASSERT_OK(again);
  EXPECT_EQ(*again, repository_);
}

TEST_F(Repository, IsNotFoundWhereThereIsNone) {
  EXPECT_EQ(GitRepository::Open(folder_.path() / "b.git").error().code, ErrorCode::kNotFound);
  fs::create_directory(folder_.path() / "empty");
  EXPECT_EQ(GitRepository::Open(folder_.path() / "empty").error().code, ErrorCode::kNotFound);
}

TEST_F(Repository, CanBeRenamedAndRemovedButNotUnderAWriter) {
  const fs::path there = folder_.path() / "ns" / "b.git";
  {
    const auto guard = WriteGuard::Take(*repository_);
    ASSERT_OK(guard);
    EXPECT_EQ(GitRepository::Rename(repository_->path(), there).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(GitRepository::Remove(repository_->path()).error().code, ErrorCode::kUnavailable);
  }
  ASSERT_OK(GitRepository::Rename(repository_->path(), there));
  EXPECT_FALSE(fs::exists(folder_.path() / "a.git"));
  EXPECT_OK(GitRepository::Open(there));
  ASSERT_OK(GitRepository::Create(folder_.path() / "a.git"));
  EXPECT_EQ(GitRepository::Rename(there, folder_.path() / "a.git").error().code, ErrorCode::kAlreadyExists);
  ASSERT_OK(GitRepository::Remove(there));
  EXPECT_TRUE(fs::is_empty(folder_.path() / "ns"));
}

size_t OpenFiles() {
  return static_cast<size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

TEST_F(Repository, ManyThatAreOpenKeepFewFilesOpen) {
  std::map<std::string, std::optional<std::string>> files;
  for (int i = 0; i < 20; i++) files[fmt::format("f{}", i)] = std::to_string(i);
  const Oid commit = Commit(files);  // a pack
  const size_t before = OpenFiles();
  std::vector<std::shared_ptr<GitRepository>> open;
  for (size_t i = 0; i < HandlePool::kMaxIdle + 40; i++) {
    const fs::path path = folder_.path() / fmt::format("r{}.git", i);
    fs::copy(repository_->path(), path, fs::copy_options::recursive);
    const auto repository = GitRepository::Open(path);
    ASSERT_OK(repository);
    EXPECT_EQ(ReadBlob(**repository, (*FindEntry(**repository, commit, "f7"))->oid, 10), "7");
    open.push_back(*repository);
  }
  EXPECT_LE(OpenFiles(), before + HandlePool::kMaxIdle);
  open.clear();
  EXPECT_LE(OpenFiles(), before);
}

TEST_F(Repository, OfManyPacksKeepsFewOfThemOpen) {
  constexpr size_t kPacks = 300;
  std::vector<Oid> blobs;
  for (size_t i = 0; i < kPacks; i++) {
    const Oid blob = *Oid::FromHex(Git({"hash-object", "--stdin"}, std::to_string(i)));
    auto pack = PackWriter::Create(repository_->path() / "objects" / "pack");
    ASSERT_OK(pack);
    ASSERT_OK((*pack)->Add(ObjectKind::kBlob, blob, std::to_string(i)));
    ASSERT_OK((*pack)->Finish());
    blobs.push_back(blob);
  }
  const size_t before = OpenFiles();
  for (size_t i = 0; i < kPacks; i++) EXPECT_EQ(ReadBlob(*repository_, blobs[i], 10), std::to_string(i));
  EXPECT_LE(OpenFiles(), before + 256);
  for (size_t i = 0; i < kPacks; i++) EXPECT_EQ(ReadBlob(*repository_, blobs[i], 10), std::to_string(i));
}

TEST_F(Repository, LosesWhatKilledWritersHaveLeft) {
  Commit({{"a", "1"}});
  const fs::path path = repository_->path();
  fs::create_directories(path / "objects" / "tmp_objdir-incoming-abc" / "pack");
  const std::vector<std::string> names = {
      "refs/heads/main.lock",      "packed-refs.lock",
      "objects/pack/tmp_pack_abc", "objects/pack/.tmp-123-pack-abc.pack",
      "objects/tmp_object_git2_x", "objects/tmp_objdir-incoming-abc/pack/tmp_pack_abc"};
  for (const std::string& name : names) std::ofstream(path / name) << "half";
  ASSERT_OK(repository_->RemoveLeftovers());
  for (const std::string& name : names) EXPECT_FALSE(fs::exists(path / name)) << name;
  EXPECT_FALSE(fs::exists(path / "objects/tmp_objdir-incoming-abc"));
  ExpectSound();
  Commit({{"a", "2"}});
  EXPECT_EQ(Git({"show", "main:a"}), "2");
}

TEST_F(Repository, KeepsBranchesThatAreCalledLikeLeftovers) {
  const Oid commit = Commit({{"a", "1"}});
  const std::vector<std::string> names = {"tmp_x", "tmp_objdir-incoming/x", "x_git2_y", "objects/tmp_x"};
  for (const std::string& name : names) ASSERT_OK(CreateBranch(*repository_, name, commit));
  ASSERT_OK(repository_->RemoveLeftovers());
  for (const std::string& name : names) EXPECT_EQ(Git({"rev-parse", "refs/heads/" + name}), commit.ToHex());
}

}  // namespace
}  // namespace bothy::git
