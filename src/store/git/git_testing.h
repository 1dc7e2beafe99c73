// What the tests of store/git share: repositories in temporary folders, and the git program to compare with.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/subprocess.h"
#include "base/testing.h"
#include "store/git/commit_session.h"
#include "store/git/refs.h"
#include "store/git/repository.h"

namespace bothy::git {

inline const Signature kAda{.name = "Ada", .email = "ada@example.org", .time = 1'700'000'000, .offset_minutes = 120};

class GitTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = GitRepository::Create(folder_.path() / "a.git");
    ASSERT_OK(made);
    repository_ = *made;
  }

  // The output of `git arguments...` in the repository, without the last line's end. Fails the test where git fails.
  std::string Git(std::vector<std::string> arguments, std::string_view input = "") const {
    return GitIn(repository_->path(), std::move(arguments), input);
  }

  static std::string GitIn(const std::filesystem::path& where, std::vector<std::string> arguments,
                           std::string_view input = "") {
    SubprocessOptions options;
    options.arguments = {"git"};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.environment = {fmt::format("PATH={}", getenv("PATH")),
                           "HOME=/nonexistent",
                           "GIT_CONFIG_NOSYSTEM=1",
                           "GIT_AUTHOR_NAME=Grace",
                           "GIT_AUTHOR_EMAIL=grace@example.org",
                           "GIT_COMMITTER_NAME=Grace",
                           "GIT_COMMITTER_EMAIL=grace@example.org",
                           "GIT_CONFIG_COUNT=1",
                           "GIT_CONFIG_KEY_0=safe.directory",
                           "GIT_CONFIG_VALUE_0=*"};
    options.folder = where;
    auto output = RunToEnd(options, input, 256 << 20);
    EXPECT_TRUE(output) << arguments[0] << ": " << (output ? "" : output.error().message);
    if (!output) return {};
    if (output->ends_with('\n')) output->pop_back();
    return *std::move(output);
  }

  static std::vector<std::string> Lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  static RepoPath Path(std::string_view text) { return *RepoPath::Parse(text); }

  CommitOptions Options(std::string_view message = "A commit") {
    CommitOptions options;
    options.ref = "refs/heads/main";
    options.create_ref = true;
    options.author = kAda;
    options.author.time += 60 * ++commits_;  // so that orders by time are certain
    options.committer = options.author;
    options.message = message;
    return options;
  }

  // Commits files (nothing: deletes) to a ref, and gives the commit.
  Oid Commit(const std::map<std::string, std::optional<std::string>>& files, const std::string& ref = "refs/heads/main",
             std::string_view message = "A commit") {
    CommitOptions options = Options(message);
    options.ref = ref;
    auto session = CommitSession::Begin(repository_, options);
    EXPECT_OK(session);
    if (!session) return {};
    for (const auto& [path, content] : files) {
      if (content) {
        EXPECT_OK((*session)->PutFile(Path(path), *content));
      } else {
        EXPECT_OK((*session)->Delete(Path(path)));
      }
    }
    auto result = (*session)->Finish();
    EXPECT_OK(result);
    return result ? result->commit : Oid{};
  }

  // As a disk would that has lost it. The object is a loose one.
  void LoseObject(const std::string& hex) const {
    EXPECT_TRUE(std::filesystem::remove(repository_->path() / "objects" / hex.substr(0, 2) / hex.substr(2))) << hex;
    EXPECT_OK(DropGuard::Take(*repository_));  // and so do the handles that may remember it
  }

  void ExpectSound() const { EXPECT_EQ(Git({"fsck", "--full", "--strict", "--no-dangling", "--no-progress"}), ""); }

  TemporaryFolder folder_;
  std::shared_ptr<GitRepository> repository_;
  int commits_ = 0;
};

}  // namespace bothy::git
