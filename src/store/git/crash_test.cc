// A writer that is killed at any moment leaves a repository in which every commit that was acknowledged is whole.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "store/git/git_testing.h"
#include "store/git/tree.h"

namespace bothy::git {
namespace {

using Crash = GitTest;

// Stops of a writer before it is killed: those of a start and of the first commits.
constexpr int kSystemCalls = 4000;

// Commits on and on, one file and many in turns, and says each commit's number once it is acknowledged.
[[noreturn]] void WriteUntilKilled(const std::filesystem::path& path, int from, int report) {
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(6);
  raise(SIGSTOP);
  const auto repository = GitRepository::Open(path);
  if (!repository) _exit(1);
  for (int i = from;; i++) {
    CommitOptions options{
        .ref = "refs/heads/main", .create_ref = true, .author = kAda, .committer = kAda, .message = "x"};
    auto session = CommitSession::Begin(*repository, options);
    if (!session) _exit(2);
    const int files = i % 3 == 0 ? 20 : 1;
    for (int f = 0; f < files; f++) {
      const auto path_of_file = RepoPath::Parse(fmt::format("c{}/f{}", i, f));
      if (!(*session)->PutFile(*path_of_file, fmt::format("{} {}", i, f))) _exit(3);
    }
    if (!(*session)->Finish()) _exit(4);
    if (write(report, &i, sizeof(i)) != sizeof(i)) _exit(5);
  }
}

// Lets a child that is traced come to its next `count` system calls and returns from them, so that it stops between two
// steps of its work, which are the same whatever the machine's speed.
void StepThroughSystemCalls(pid_t child, int count) {
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  for (; count > 0; count--) {
    ASSERT_TRUE(WIFSTOPPED(status)) << status;
    ASSERT_EQ(ptrace(PTRACE_SYSCALL, child, nullptr, nullptr), 0);
    ASSERT_EQ(waitpid(child, &status, 0), child);
  }
}

TEST_F(Crash, OfAWriterLosesNothingThatWasAcknowledged) {
  std::mt19937 random(11);
  int acknowledged = 0;
  for (int round = 0; round < 25; round++) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      WriteUntilKilled(repository_->path(), acknowledged + 1, ends[1]);
    }
    close(ends[1]);
    StepThroughSystemCalls(child, static_cast<int>(random() % kSystemCalls));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    int number = 0;
    while (read(ends[0], &number, sizeof(number)) == sizeof(number)) acknowledged = number;
    close(ends[0]);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);

    ASSERT_OK(repository_->RemoveLeftovers());
    ExpectSound();
    const auto head = Resolve(*repository_, "main");
    if (!head && acknowledged == 0) continue;
    ASSERT_OK(head);
    for (int i = 1; i <= acknowledged; i++) {
      const auto entry = FindEntry(*repository_, *head, fmt::format("c{}/f0", i));
      ASSERT_OK(entry);
      EXPECT_TRUE(*entry) << "commit " << i;
    }
    // A commit whose acknowledgement was cut off may be there: the next writer goes on after it.
    while (*FindEntry(*repository_, *head, fmt::format("c{}/f0", acknowledged + 1))) acknowledged++;
  }
  EXPECT_GT(acknowledged, 25);  // else the writer was hardly ever killed in a commit after its first
}

}  // namespace
}  // namespace bothy::git
