#include "store/git/commit_session.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <filesystem>
#include <limits>
#include <thread>

#include "store/git/commits.h"
#include "store/git/git_testing.h"
#include "store/git/tree.h"

namespace bothy::git {
namespace {

using Session = GitTest;
using testing::HasSubstr;

TEST_F(Session, MakesACommitAsGitWould) {
  CommitOptions options = Options(CommitMessage("Add two files", "With a body.\n\nOf two paragraphs."));
  options.committer = {.name = "Bob <x>\n", .email = "", .time = 1'700'000'001, .offset_minutes = -90};
  auto session = CommitSession::Begin(repository_, options);
  ASSERT_OK(session);
  EXPECT_FALSE((*session)->head());
  ASSERT_OK((*session)->PutFile(Path("a/b.txt"), "hello\n"));
  ASSERT_OK((*session)->PutFile(Path("empty"), ""));
  const auto result = (*session)->Finish();
  ASSERT_OK(result);
  EXPECT_FALSE(result->parent);
  EXPECT_EQ(Git({"rev-parse", "main"}), result->commit.ToHex());
  EXPECT_EQ(Git({"show", "main:a/b.txt"}), "hello");
  EXPECT_EQ(Git({"ls-tree", "-r", "--name-only", "main"}), "a/b.txt\nempty");
  EXPECT_EQ(Git({"log", "--format=%an|%ae|%ad|%cn|%ce|%cd|%s|%b", "--date=raw"}),
            "Ada|ada@example.org|1700000060 +0200|Bob x|unknown|1700000001 -0130|Add two files|With a body.\n\nOf two "
            "paragraphs.\n");
  ExpectSound();
  const auto read = ReadCommit(*repository_, result->commit);
  ASSERT_OK(read);
  EXPECT_EQ(read->title, "Add two files");
  EXPECT_EQ(read->description, "With a body.\n\nOf two paragraphs.");
  EXPECT_EQ(read->author.email, "ada@example.org");
  EXPECT_EQ(read->committer.offset_minutes, -90);
}

TEST_F(Session, OffsetsOfTimeZonesStayWithinThoseOfTheEarth) {
  for (const auto& [minutes, expected] :
       {std::pair{840, "+1400"}, std::pair{841, "+1400"}, std::pair{-841, "-1400"},
        std::pair{std::numeric_limits<int>::min(), "-1400"}, std::pair{std::numeric_limits<int>::max(), "+1400"}}) {
    CommitOptions options = Options();
    options.author.offset_minutes = minutes;
    auto session = CommitSession::Begin(repository_, options);
    ASSERT_OK(session);
    ASSERT_OK((*session)->Finish());
    EXPECT_THAT(Git({"log", "-1", "--format=%ad", "--date=raw"}), testing::EndsWith(expected)) << minutes;
  }
}

TEST_F(Session, ManyObjectsBecomeOnePack) {
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  for (int i = 0; i < 300; i++) {
    ASSERT_OK(
        (*session)->PutFile(Path(fmt::format("d{}/f{}", i % 10, i)), std::string(static_cast<size_t>(i) * 31, 'x')));
  }
  ASSERT_OK((*session)->Finish());
  EXPECT_THAT(Git({"count-objects", "-v"}), testing::AllOf(HasSubstr("count: 0\n"), HasSubstr("packs: 1\n")));
  const std::string pack = Git({"cat-file", "--batch-all-objects", "--batch-check"});
  EXPECT_EQ(Lines(pack).size(), 300u + 10 + 1 + 1);
  for (const auto& entry : std::filesystem::directory_iterator(repository_->path() / "objects/pack")) {
    if (entry.path().extension() == ".idx") Git({"verify-pack", entry.path().string()});
  }
  ExpectSound();
  EXPECT_EQ(Git({"cat-file", "-s", "main:d9/f299"}), std::to_string(299 * 31));
}

TEST_F(Session, AnAbandonedOneLeavesNothing) {
  Commit({{"a", "1"}});
  const std::string before = Git({"cat-file", "--batch-all-objects", "--batch-check"});
  {
    auto session = CommitSession::Begin(repository_, Options());
    ASSERT_OK(session);
    for (int i = 0; i < 100; i++) ASSERT_OK((*session)->PutFile(Path(fmt::format("f{}", i)), std::to_string(i)));
  }
  EXPECT_EQ(Git({"cat-file", "--batch-all-objects", "--batch-check"}), before);
  EXPECT_TRUE(std::filesystem::is_empty(repository_->path() / "objects/pack"));
}

TEST_F(Session, AStaleParentIsRefusedAtOnceAndAtTheEnd) {
  const Oid first = Commit({{"a", "1"}});
  CommitOptions options = Options();
  options.expected_parent = first;
  auto session = CommitSession::Begin(repository_, options);
  ASSERT_OK(session);
  ASSERT_OK((*session)->PutFile(Path("b"), "mine"));
  const Oid second = Commit({{"a", "2"}});
  EXPECT_EQ((*session)->Finish().error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(CommitSession::Begin(repository_, options).error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(Resolve(*repository_, "main"), second);
}

TEST_F(Session, WithoutAParentItIsAppliedToWhereverTheBranchIs) {
  Commit({{"a", "1"}, {"gone", "1"}, {"d/x", "1"}});
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  ASSERT_OK((*session)->PutFile(Path("mine"), "1"));
  ASSERT_OK((*session)->Delete(Path("gone")));
  ASSERT_OK((*session)->PutFile(Path("d/y"), "1"));
  const Oid theirs = Commit({{"a", "2"}, {"gone", std::nullopt}, {"d/x", std::nullopt}});
  const auto result = (*session)->Finish();
  ASSERT_OK(result);
  EXPECT_EQ(result->parent, theirs);
  EXPECT_EQ(Git({"ls-tree", "-r", "--name-only", "main"}), "a\nd/y\nmine");
  EXPECT_EQ(Git({"show", "main:a"}), "2");
}

TEST_F(Session, ABranchMovedByAnotherProcessIsTakenFromThere) {
  Commit({{"a", "1"}});
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  ASSERT_OK((*session)->PutFile(Path("b"), "1"));
  const std::string theirs = Git({"commit-tree", "-p", "main", "-m", "theirs", "main^{tree}"});
  Git({"update-ref", "refs/heads/main", theirs});
  const auto result = (*session)->Finish();
  ASSERT_OK(result);
  EXPECT_EQ(result->parent->ToHex(), theirs);
}

TEST_F(Session, FromManyThreadsNothingIsLost) {
  Commit({{"start", ""}});
  constexpr int kThreads = 4, kCommits = 10;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCommits; i++) {
        CommitOptions options{.ref = "refs/heads/main", .author = kAda, .committer = kAda, .message = "x"};
        auto session = CommitSession::Begin(repository_, options);
        const bool good = session && (*session)->PutFile(Path(fmt::format("d{}/f{}", i % 3, t * 100 + i)), "x") &&
                          (*session)->Finish();
        if (!good) failures++;
        const auto head = Resolve(*repository_, "main");
        if (!head || !ListTree(*repository_, *head, {.recursive = true})) failures++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Lines(Git({"ls-tree", "-r", "--name-only", "main"})).size(), 1u + kThreads * kCommits);
  EXPECT_EQ(Git({"rev-list", "--count", "main"}), std::to_string(1 + kThreads * kCommits));
  ExpectSound();
}

TEST_F(Session, ModesOfFilesStay) {
  const std::string blob = Git({"hash-object", "-w", "--stdin"}, "#!/bin/sh\n");
  const std::string tree = Git({"mktree"}, fmt::format("100755 blob {}\trun.sh\n120000 blob {}\tlink\n", blob, blob));
  Git({"update-ref", "refs/heads/main", Git({"commit-tree", "-m", "x", tree})});
  Commit({{"run.sh", "#!/bin/bash\n"}, {"link", "now a file"}});
  EXPECT_EQ(Git({"ls-tree", "--format=%(objectmode) %(path)", "main"}), "100644 link\n100755 run.sh");
}

TEST_F(Session, AFileCannotTakeAFoldersPlaceNorTheOtherWayRound) {
  Commit({{"file", "1"}, {"folder/x", "1"}});
  const auto finish = [&](const std::function<void(CommitSession&)>& operations) {
    auto session = CommitSession::Begin(repository_, Options());
    operations(**session);
    return (*session)->Finish();
  };
  EXPECT_EQ(finish([](auto& s) { EXPECT_OK(s.PutFile(Path("file/below"), "2")); }).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(finish([](auto& s) { EXPECT_OK(s.PutFile(Path("folder"), "2")); }).error().code,
            ErrorCode::kInvalidArgument);
  // In one commit it is found at once.
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK((*session)->PutFile(Path("n"), "2"));
  EXPECT_EQ((*session)->PutFile(Path("n/x"), "2").error().code, ErrorCode::kInvalidArgument);
  ASSERT_OK((*session)->PutFile(Path("m/x"), "2"));
  EXPECT_EQ((*session)->PutFile(Path("m"), "2").error().code, ErrorCode::kInvalidArgument);
  // Where the first is deleted before, both work.
  EXPECT_OK(finish([](auto& s) {
    EXPECT_OK(s.Delete(Path("file")));
    EXPECT_OK(s.PutFile(Path("file/below"), "2"));
    EXPECT_OK(s.DeleteFolder(Path("folder")));
    EXPECT_OK(s.PutFile(Path("folder"), "2"));
  }));
  EXPECT_EQ(Git({"ls-tree", "-r", "--name-only", "main"}), "file/below\nfolder");
  ExpectSound();
}

TEST_F(Session, DeletesWhatIsThereAndNothingElse) {
  Commit({{"a/b/c", "1"}, {"a/d", "1"}, {"e", "1"}});
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  CommitSession& s = **session;
  for (const char* none : {"none", "a/none", "e/x", "a/b/c/d"}) {
    EXPECT_EQ(s.Delete(Path(none)).error().code, ErrorCode::kNotFound) << none;
    EXPECT_EQ(s.DeleteFolder(Path(none)).error().code, ErrorCode::kNotFound) << none;
  }
  EXPECT_EQ(s.DeleteFolder(Path("e")).error().code, ErrorCode::kNotFound);
  ASSERT_OK(s.Delete(Path("e")));
  EXPECT_EQ(s.Delete(Path("e")).error().code, ErrorCode::kNotFound);
  ASSERT_OK(s.PutFile(Path("e"), "again"));
  ASSERT_OK(s.Delete(Path("a/b")));  // a folder, as deletedFile of the clients may name one
  EXPECT_EQ(s.Delete(Path("a/b/c")).error().code, ErrorCode::kNotFound);
  ASSERT_OK(s.PutFile(Path("new/x"), "1"));
  ASSERT_OK(s.DeleteFolder(Path("new")));
  ASSERT_OK(s.Finish());
  EXPECT_EQ(Git({"ls-tree", "-r", "--name-only", "main"}), "a/d\ne");
  // The last file of a folder takes the folder along, and of the repository too.
  Commit({{"a/d", std::nullopt}});
  EXPECT_EQ(Git({"ls-tree", "--name-only", "main"}), "e");
  Commit({{"e", std::nullopt}});
  EXPECT_EQ(Git({"ls-tree", "main"}), "");
  ExpectSound();
}

// Looked for from the front of the folder each time, they would take half a minute.
TEST_F(Session, DeletesTheFilesOfALargeFolderOneByOne) {
  constexpr int kFiles = 50'000;
  const auto each = [](const auto& call) {
    for (int i = 0; i < kFiles; i++) ASSERT_OK(call(Path(fmt::format("d/f{}", i * 7 % kFiles))));
  };
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  each([&](const RepoPath& path) { return (*session)->PutFile(path, "x"); });
  ASSERT_OK((*session)->PutFile(Path("d/kept"), "x"));
  ASSERT_OK((*session)->Finish());
  session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  each([&](const RepoPath& path) { return (*session)->Delete(path); });
  ASSERT_OK((*session)->Finish());
  EXPECT_EQ(Git({"ls-tree", "-r", "--name-only", "main"}), "d/kept");
}

TEST_F(Session, CopiesFilesAndFoldersOfAnyCommit) {
  const Oid first = Commit({{"a/b/c", "old"}, {"f", "old"}});
  Commit({{"a/b/c", "new"}, {"f", std::nullopt}});
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  ASSERT_OK((*session)->Copy(first, "f", Path("back")));
  ASSERT_OK((*session)->Copy(first, "a", Path("copy/of/a")));
  ASSERT_OK((*session)->PutFile(Path("copy/of/a/b/more"), "more"));
  EXPECT_EQ((*session)->Copy(first, "none", Path("x")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ((*session)->Copy(first, "", Path("x")).error().code, ErrorCode::kNotFound);
  ASSERT_OK((*session)->Finish());
  EXPECT_EQ(Git({"ls-tree", "-r", "--name-only", "main"}), "a/b/c\nback\ncopy/of/a/b/c\ncopy/of/a/b/more");
  EXPECT_EQ(Git({"show", "main:copy/of/a/b/c"}), "old");
}

TEST_F(Session, TakesBlobsThatWereWrittenBeforeAndStreams) {
  Commit({{"a", "known"}});
  auto session = CommitSession::Begin(repository_, Options());
  ASSERT_OK(session);
  ASSERT_OK((*session)->PutBlob(Path("b"), *Oid::FromHex(Git({"rev-parse", "main:a"}))));
  EXPECT_EQ((*session)->PutBlob(Path("c"), *Oid::FromHex(Git({"rev-parse", "main"}))).error().code,
            ErrorCode::kInvalidArgument);
  Oid nothing;
  EXPECT_EQ((*session)->PutBlob(Path("c"), nothing).error().code, ErrorCode::kNotFound);
  auto stream = (*session)->StreamBlob(6);
  ASSERT_OK(stream);
  ASSERT_OK((*stream)->Write("abc"));
  EXPECT_EQ((*stream)->Finish().error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ((*stream)->Write("defg").error().code, ErrorCode::kInvalidArgument);
  ASSERT_OK((*stream)->Write("def"));
  const auto oid = (*stream)->Finish();
  ASSERT_OK(oid);
  ASSERT_OK((*session)->PutBlob(Path("s"), *oid));
  ASSERT_OK((*session)->Finish());
  EXPECT_EQ(Git({"show", "main:b"}) + Git({"show", "main:s"}), "knownabcdef");
  ExpectSound();
}

TEST_F(Session, ACommitThatChangesNothingIsMadeOnlyWhereAllowed) {
  const Oid first = Commit({{"a", "1"}});
  CommitOptions options = Options();
  options.allow_empty = false;
  auto session = CommitSession::Begin(repository_, options);
  ASSERT_OK((*session)->PutFile(Path("a"), "1"));
  const auto result = (*session)->Finish();
  ASSERT_OK(result);
  EXPECT_FALSE(result->made);
  EXPECT_EQ(result->commit, first);
  EXPECT_NE(Commit({{"a", "1"}}), first);
}

TEST_F(Session, NeedsABranchUnlessItIsToMakeOne) {
  CommitOptions options = Options();
  options.ref = "refs/heads/none";
  options.create_ref = false;
  EXPECT_EQ(CommitSession::Begin(repository_, options).error().code, ErrorCode::kNotFound);
  options.create_ref = true;
  auto session = CommitSession::Begin(repository_, options);
  ASSERT_OK((*session)->Finish());
  EXPECT_EQ(Git({"ls-tree", "none"}), "");
  ExpectSound();
}

TEST_F(Session, SuperSquashLeavesOneCommitWithTheSameFiles) {
  Commit({{"a", "1"}});
  Commit({{"b/c", "2"}});
  const std::string tree = Git({"rev-parse", "main^{tree}"});
  const auto squashed = SuperSquash(repository_, "refs/heads/main", "All in one", kAda);
  ASSERT_OK(squashed);
  EXPECT_EQ(Git({"rev-parse", "main"}), squashed->ToHex());
  EXPECT_EQ(Git({"rev-list", "--count", "main"}), "1");
  EXPECT_EQ(Git({"rev-parse", "main^{tree}"}), tree);
  EXPECT_EQ(SuperSquash(repository_, "refs/heads/none", "x", kAda).error().code, ErrorCode::kNotFound);
}

TEST_F(Session, WaitsForNobodyWhileObjectsAreDropped) {
  Commit({{"a", "1"}});
  const auto dropping = DropGuard::Take(*repository_);
  ASSERT_OK(dropping);
  EXPECT_EQ(CommitSession::Begin(repository_, Options()).error().code, ErrorCode::kUnavailable);
}

// A model: files as a map from path to content.
using Files = std::map<std::string, std::string>;

bool HasFolder(const Files& files, const std::string& path) {
  const auto below = files.lower_bound(path + "/");
  return below != files.end() && below->first.starts_with(path + "/");
}

bool IsBelowAFile(const Files& files, const std::string& path) {
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (files.contains(path.substr(0, slash))) return true;
  }
  return false;
}

TEST_F(Session, AnyOrderOfOperationsDoesWhatItDoesToAMap) {
  int run = 0;
  rc::check([&] {
    const auto made = GitRepository::Create(folder_.path() / fmt::format("r{}.git", run++));
    RC_ASSERT(made.has_value());
    Files files;
    const int commits = *rc::gen::inRange(1, 4);
    for (int c = 0; c < commits; c++) {
      CommitOptions options = Options();
      auto session = CommitSession::Begin(*made, options);
      RC_ASSERT(session.has_value());
      const int operations = *rc::gen::inRange(1, 12);
      for (int o = 0; o < operations; o++) {
        // Few names, so that they meet; "a.b" and "a0" sort around "a/".
        const auto segments = *rc::gen::container<std::vector<std::string>>(
            static_cast<size_t>(*rc::gen::inRange(1, 4)), rc::gen::element<std::string>("a", "b", "a.b", "a0"));
        std::string path = segments[0];
        for (size_t i = 1; i < segments.size(); i++) path += "/" + segments[i];
        if (*rc::gen::inRange(0, 3) == 0) {
          const bool there = files.contains(path) || HasFolder(files, path);
          RC_ASSERT((*session)->Delete(Path(path)).has_value() == there);
          std::erase_if(files, [&](const auto& f) { return f.first == path || f.first.starts_with(path + "/"); });
        } else if (!HasFolder(files, path) && !IsBelowAFile(files, path)) {
          const std::string content = std::to_string(*rc::gen::inRange(0, 5));
          RC_ASSERT((*session)->PutFile(Path(path), content).has_value());
          files[path] = content;
        }
      }
      const auto result = (*session)->Finish();
      RC_ASSERT(result.has_value());
      Files got;
      std::string cursor;
      const auto page = ListTree(**made, result->commit, {.recursive = true, .limit = kMaxListLimit});
      RC_ASSERT(page.has_value());
      for (const Entry& entry : page->entries) {
        if (entry.kind == EntryKind::kFile) got[entry.path] = *ReadBlob(**made, entry.oid, 100);
      }
      RC_ASSERT(got == files);
    }
    RC_ASSERT(GitIn((*made)->path(), {"fsck", "--full", "--strict", "--no-dangling", "--no-progress"}).empty());
  });
}

}  // namespace
}  // namespace bothy::git
