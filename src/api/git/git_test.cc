// The git program against the hub.
#include "api/git/git_server_testing.h"
#include "api/git/pkt_line.h"
#include "hub/commits.h"
#include "net/raw_client.h"

namespace bothy::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GitTest : public GitServerTest {
 protected:
  void SetUp() override {
    GitServerTest::SetUp();
    repository_ = Make(ada_, "demo");
    MustGit("", {"clone", "-q", Address(ada_, "ada/demo"), "work"});
  }

  // To where git pushes.
  net::RawResponse Post(std::string_view type, const std::string& body) {
    net::RawClient client(server_->port());
    return client.Ask(
        fmt::format("POST /ada/demo/git-receive-pack HTTP/1.1\r\nHost: a\r\n"
                    "Authorization: Bearer {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
                    ada_.token, type, body.size(), body));
  }
  static constexpr std::string_view kPushType = "application/x-git-receive-pack-request";

  std::string Head(const std::string& in = "work") { return MustGit(in, {"rev-parse", "HEAD"}); }

  Repository repository_;
};

TEST_F(GitTest, ClonesWithAndWithoutTheEndingAndWithoutALogin) {
  for (const char* path : {"ada/demo", "ada/demo.git"}) {
    MustGit("", {"clone", "-q", Address(path), path});
    EXPECT_EQ(Head(path), RefOf(repository_, "refs/heads/main")) << path;
    EXPECT_THAT(Read(std::string(path) + "/.gitattributes"), HasSubstr("filter=lfs"));
  }
}

TEST_F(GitTest, DatasetsAndSpacesHaveAddressesOfTheirOwn) {
  for (const auto& [kind, prefix] :
       {std::pair(RepositoryKind::kDataset, "datasets"), std::pair(RepositoryKind::kSpace, "spaces")}) {
    const Repository made = Make(ada_, "demo", false, kind);
    MustGit("", {"clone", "-q", Address(fmt::format("{}/ada/demo", prefix)), prefix});
    EXPECT_EQ(Head(prefix), RefOf(made, "refs/heads/main"));
  }
}

TEST_F(GitTest, EveryVersionOfTheProtocolClones) {
  for (const std::string version : {"0", "1", "2"}) {
    MustGit("", {"-c", "protocol.version=" + version, "clone", "-q", Address("ada/demo"), "v" + version});
    EXPECT_EQ(Head("v" + version), RefOf(repository_, "refs/heads/main"));
  }
}

TEST_F(GitTest, WhatIsPushedIsPulledElsewhere) {
  MustGit("", {"clone", "-q", Address("ada/demo"), "other"});
  Commit("work", "a.txt", "one");
  Commit("work", "b.txt", "two");
  MustGit("work", {"push", "-q", "origin", "main"});
  EXPECT_EQ(RefOf(repository_, "refs/heads/main"), Head());
  MustGit("other", {"pull", "-q"});
  EXPECT_EQ(Head("other"), Head());
  EXPECT_EQ(Read("other/b.txt"), "two");
}

TEST_F(GitTest, ALargePushComesInChunks) {
  for (int i = 0; i < 5; i++) Write(fmt::format("work/{}.txt", i), RandomBytes(700'000, static_cast<uint32_t>(i)));
  MustGit("work", {"add", "."});
  MustGit("work", {"commit", "-q", "-m", "much"});
  MustGit("work", {"push", "-q", "origin", "main"});  // 3.5 MB, where git sends 1 MB at most in one piece
  MustGit("", {"clone", "-q", Address("ada/demo"), "other"});
  EXPECT_EQ(Read("other/4.txt"), Read("work/4.txt"));
}

// git compresses requests of more than 1024 bytes: some 20 names of commits.
TEST_F(GitTest, ManyBranchesAreFetchedAtOnce) {
  for (int i = 0; i < 60; i++) {
    MustGit("work", {"checkout", "-q", "-b", fmt::format("b{}", i), "main"});
    Commit("work", "a.txt", fmt::format("{}", i));
  }
  MustGit("work", {"push", "-q", "origin", "--all"});
  MustGit("", {"clone", "-q", Address("ada/demo"), "other"});
  EXPECT_EQ(MustGit("other", {"show", "origin/b59:a.txt"}), "59");
  Commit("work", "a.txt", "last");
  MustGit("work", {"push", "-q", "origin", "b59"});
  MustGit("other", {"-c", "protocol.version=0", "fetch", "-q"});
  EXPECT_EQ(MustGit("other", {"show", "origin/b59:a.txt"}), "last");
}

TEST_F(GitTest, BranchesAndTagsAreMadeMovedAndDeleted) {
  MustGit("work", {"branch", "dev"});
  MustGit("work", {"tag", "light"});
  MustGit("work", {"tag", "-a", "v1", "-m", "the first"});
  MustGit("work", {"push", "-q", "origin", "dev", "light", "v1"});
  EXPECT_EQ(RefOf(repository_, "refs/heads/dev"), Head());
  EXPECT_EQ(RefOf(repository_, "refs/tags/light"), Head());
  EXPECT_EQ(RefOf(repository_, "refs/tags/v1^{commit}"), Head());
  EXPECT_NE(RefOf(repository_, "refs/tags/v1"), Head());

  MustGit("work", {"commit", "-q", "--amend", "-m", "another"});
  EXPECT_THAT(Git("work", {"push", "origin", "HEAD:dev"}).errors, HasSubstr("non-fast-forward"));
  MustGit("work", {"push", "-q", "--force", "origin", "HEAD:dev"});
  EXPECT_EQ(RefOf(repository_, "refs/heads/dev"), Head());
  MustGit("work", {"push", "-q", "origin", ":dev", ":light", ":v1"});
  for (const char* ref : {"refs/heads/dev", "refs/tags/light", "refs/tags/v1"}) EXPECT_EQ(RefOf(repository_, ref), "");
}

TEST_F(GitTest, TheDefaultBranchStays) {
  const Ran ran = Git("work", {"push", "origin", ":main"});
  EXPECT_NE(ran.status, 0);
  EXPECT_THAT(ran.errors, HasSubstr("remote: refs/heads/main: the default branch cannot be deleted"));
  EXPECT_EQ(RefOf(repository_, "refs/heads/main"), Head());
}

TEST_F(GitTest, AShallowCloneFetchesAndPushes) {
  for (int i = 0; i < 4; i++) Commit("work", "a.txt", fmt::format("{}", i));
  MustGit("work", {"push", "-q", "origin", "main"});
  MustGit("", {"clone", "-q", "--depth", "1", Address(ada_, "ada/demo"), "shallow"});
  EXPECT_EQ(MustGit("shallow", {"rev-list", "--count", "HEAD"}), "1");
  Commit("shallow", "b.txt", "new");
  MustGit("shallow", {"push", "-q", "origin", "main"});
  EXPECT_EQ(RefOf(repository_, "refs/heads/main"), Head("shallow"));
  MustGit("shallow", {"fetch", "-q", "--unshallow"});
  EXPECT_EQ(MustGit("shallow", {"rev-list", "--count", "HEAD"}), "6");
}

TEST_F(GitTest, APartialCloneFetchesFilesWhenTheyAreNeeded) {
  Commit("work", "a.txt", "first");
  Commit("work", "a.txt", "second");
  MustGit("work", {"push", "-q", "origin", "main"});
  for (const std::string version : {"0", "2"}) {
    MustGit("", {"-c", "protocol.version=" + version, "clone", "-q", "--no-checkout", "--filter=blob:none",
                 Address("ada/demo"), "partial" + version});
    EXPECT_THAT(MustGit("partial" + version, {"rev-list", "--objects", "--missing=print", "HEAD"}), HasSubstr("?"));
    EXPECT_EQ(MustGit("partial" + version, {"-c", "protocol.version=" + version, "show", "HEAD~1:a.txt"}), "first");
  }
}

TEST_F(GitTest, AFileThatBelongsOutsideOfGitIsRefusedWithTheReason) {
  const std::string before = Head();
  Commit("work", "big.txt", RandomBytes((10 << 20) + 1, 1));
  const Ran ran = Git("work", {"push", "origin", "main", "main:other"});
  EXPECT_NE(ran.status, 0);
  EXPECT_THAT(ran.errors, HasSubstr("remote: \"big.txt\" has 10485761 bytes"));
  EXPECT_THAT(ran.errors, HasSubstr("[remote rejected] main -> main (declined"));
  EXPECT_EQ(RefOf(repository_, "refs/heads/main"), before);
  EXPECT_EQ(RefOf(repository_, "refs/heads/other"), "");
}

TEST_F(GitTest, APushThatSomebodyElseWasFasterThanIsRefused) {
  MustGit("", {"clone", "-q", Address(ada_, "ada/demo"), "other"});
  // Between what the server says and what git sends: a hook that runs just there.
  Commit("other", "b.txt", "faster");
  std::filesystem::create_directories(folder_.path() / "work/.git/hooks");
  const std::string hook = "work/.git/hooks/pre-push";
  Write(hook, fmt::format("#!/bin/sh\nunset GIT_DIR\ncd {} && git push -q origin main\n",
                          (folder_.path() / "other").string()));
  std::filesystem::permissions(folder_.path() / hook, std::filesystem::perms::owner_all);
  Commit("work", "a.txt", "slower");
  for (const bool atomic : {false, true}) {
    std::vector<std::string> arguments = {"push", "origin", "main", "main:side"};
    if (atomic) {
      arguments.insert(arguments.begin() + 1, "--atomic");
      MustGit("work", {"fetch", "-q"});
      MustGit("work", {"rebase", "-q", "origin/main"});
      Commit("other", "b.txt", "faster again");
    }
    const Ran ran = Git("work", arguments);
    EXPECT_NE(ran.status, 0);
    EXPECT_THAT(ran.errors, HasSubstr("[remote rejected] main -> main"));
    EXPECT_EQ(RefOf(repository_, "refs/heads/main"), Head("other"));
    EXPECT_EQ(RefOf(repository_, "refs/heads/side") == "", atomic) << ran.errors;
    if (!atomic) MustGit("work", {"push", "-q", "--no-verify", "origin", ":side"});
  }
}

TEST_F(GitTest, ManyRefsMoveTogether) {
  MustGit("work", {"branch", "a"});
  MustGit("work", {"branch", "b"});
  MustGit("work", {"push", "-q", "--atomic", "origin", "a", "b"});
  EXPECT_EQ(RefOf(repository_, "refs/heads/b"), Head());
  MustGit("work", {"push", "-q", "--atomic", "origin", ":a", "b:c"});
  EXPECT_EQ(RefOf(repository_, "refs/heads/a"), "");
  EXPECT_EQ(RefOf(repository_, "refs/heads/c"), Head());
}

TEST_F(GitTest, PrivateRepositoriesAreAskedForAPassword) {
  Make(ada_, "secret", true);
  for (const char* path : {"ada/secret", "ada/nothing"}) {
    // 401 makes git ask, which it must not in a test.
    EXPECT_THAT(Git("", {"clone", Address(path), "x"}).errors, HasSubstr("could not read Username")) << path;
    EXPECT_THAT(Git("", {"clone", Address(bob_, path), "x"}).errors, HasSubstr("Repository not found")) << path;
  }
  MustGit("", {"clone", "-q", Address(ada_, "ada/secret"), "secret"});
  net::RawClient client(server_->port());
  client.Send("GET /ada/secret/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("WWW-Authenticate: Basic realm="));
}

TEST_F(GitTest, WhoMayOnlyReadPushesToAPullRequestOfTheirOwnOnly) {
  const auto open = [&](const Actor& actor) -> Result<std::string> {
    const auto upload = TRY(CommitUpload::Begin(hub_->repositories(), hub_->large_content(), actor, repository_,
                                                {.revision = "main", .create_pull_request = true}));
    TRY(
        upload->Add("{\"key\":\"header\",\"value\":{\"summary\":\"s\",\"description\":\"\"}}\n"
                    "{\"key\":\"file\",\"value\":{\"path\":\"a\",\"content\":\"YQ==\",\"encoding\":\"base64\"}}"));
    return fmt::format("refs/pr/{}", *TRY(upload->Finish()).pull_request);
  };
  const auto opened = open(bob_.actor);
  ASSERT_OK(opened);
  const std::string& ref = *opened;
  const auto of_ada = open(ada_.actor);
  ASSERT_OK(of_ada);

  MustGit("", {"clone", "-q", Address(bob_, "ada/demo"), "bob"});
  const std::string before = RefOf(repository_, "refs/heads/main");
  Commit("bob", "a.txt", "mine");
  const Ran ran = Git("bob", {"push", "origin", "main"});
  EXPECT_NE(ran.status, 0);
  EXPECT_THAT(ran.errors, HasSubstr("remote: refs/heads/main: You don't have the rights"));
  EXPECT_EQ(RefOf(repository_, "refs/heads/main"), before);
  MustGit("bob", {"push", "-q", "--force", "origin", "HEAD:" + ref});
  EXPECT_EQ(RefOf(repository_, ref), Head("bob"));
  const std::string before_bob = RefOf(repository_, *of_ada);
  EXPECT_THAT(Git("bob", {"push", "--force", "origin", "HEAD:" + *of_ada}).errors,
              HasSubstr("remote: " + *of_ada + " was opened by somebody else"));
  EXPECT_EQ(RefOf(repository_, *of_ada), before_bob);
  MustGit("work", {"push", "-q", "--force", "origin", "HEAD:" + ref});  // whoever may write may do this, too
  EXPECT_NE(Git("bob", {"push", "origin", "HEAD:refs/pr/99"}).status, 0);
  EXPECT_THAT(Git("bob", {"push", Address("ada/demo"), "main"}).errors, HasSubstr("could not read Username"));
}

TEST_F(GitTest, AMovedRepositoryIsFoundByItsOldName) {
  ASSERT_OK(hub_->repositories().Move(ada_.actor, repository_, ada_.actor.user_id, "ada", "renamed"));
  Commit("work", "a.txt", "new");
  MustGit("work", {"push", "-q", "origin", "main"});
  MustGit("", {"clone", "-q", Address("ada/demo"), "other"});
  EXPECT_EQ(Head("other"), Head());
}

TEST_F(GitTest, ABranchCannotBeMovedToWhatIsNotThere) {
  std::string push;
  AppendPacket(push,
               fmt::format("{} {} refs/heads/x{}report-status", std::string(40, '0'), std::string(40, 'b'), '\0'));
  push += kFlushPacket;
  // A pack of no objects.
  push += std::string("PACK\0\0\0\2\0\0\0\0", 12) +
          "\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";
  const auto answer = Post(kPushType, push);
  EXPECT_THAT(answer.body, HasSubstr("unpack ok"));
  EXPECT_THAT(answer.body, HasSubstr("ng refs/heads/x "));
  EXPECT_EQ(RefOf(repository_, "refs/heads/x"), "");
}

TEST_F(GitTest, ABrokenPackIsNotTaken) {
  std::string update;
  AppendPacket(update, fmt::format("{} {} refs/heads/x{}report-status", std::string(40, '0'), Head(), '\0'));
  const auto answer = Post(kPushType, update + "0000PACK and nothing that could be one");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("unpack "));
  EXPECT_THAT(answer.body, Not(HasSubstr("unpack ok")));
  EXPECT_THAT(answer.body, HasSubstr("ng refs/heads/x the pack was not taken"));
  EXPECT_EQ(Post(kPushType, "0000").status, 200);
  EXPECT_EQ(Post(kPushType, "zzzz").status, 422);
  EXPECT_EQ(Post(kPushType, update).status, 422);
  EXPECT_EQ(Post("text/plain", "0000").status, 415);
  const auto git = hub_->repositories().Open(repository_);
  ASSERT_OK(git);
  for (const auto& entry : std::filesystem::directory_iterator((*git)->path() / "objects")) {
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("tmp_")));
  }
}

}  // namespace
}  // namespace bothy::api
