// What a git repository of the hub takes: a commit of many files, pages of a tree, last commits, history.
//
//   git_bench FOLDER [files] [commits] [files per folder, 0: all in one]
//
// Makes FOLDER/bench.git unless it is there: all files in one commit, then commits that change five each. Medians of
// several runs, in milliseconds; "cold" is the first time in this process.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "store/git/commit_session.h"
#include "store/git/commits.h"
#include "store/git/last_commits.h"
#include "store/git/maintenance.h"
#include "store/git/refs.h"
#include "store/git/tree.h"

namespace bothy::git {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class T>
T Must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().message);
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double CpuNow() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Time(std::string_view what, int repeats, const std::function<void(int)>& run) {
  std::vector<double> seconds, cpu;
  for (int i = 0; i < repeats; i++) {
    const double start = Now(), cpu_start = CpuNow();
    run(i);
    seconds.push_back(Now() - start);
    cpu.push_back(CpuNow() - cpu_start);
  }
  fmt::print("{:48} {:10.2f} ms, {:10.2f} ms of processor\n", what, 1000 * Median(seconds), 1000 * Median(cpu));
  std::fflush(stdout);
}

struct Shape {
  int files;
  int commits;
  int per_folder;
  std::string Path(int file) const {
    const std::string name = fmt::format("part-{:06}.json", file);
    return per_folder == 0 ? name : fmt::format("data-{:05}/{}", file / per_folder, name);
  }
};

CommitOptions Options(int64_t time) {
  const Signature ada{.name = "Ada", .email = "ada@example.org", .time = 1'700'000'000 + time};
  return {.ref = "refs/heads/main", .create_ref = true, .author = ada, .committer = ada, .message = "A commit"};
}

std::string Content(int file, int edition) {
  std::string content = fmt::format("{{\"file\": {}, \"edition\": {}, \"text\": \"", file, edition);
  std::minstd_rand random(static_cast<uint32_t>(file * 7919 + edition + 1));
  for (int i = 0; i < 300; i++) content += static_cast<char>('a' + random() % 26);
  return content + "\"}\n";
}

void Make(const std::shared_ptr<GitRepository>& repository, const Shape& shape) {
  double start = Now();
  auto session = Must(CommitSession::Begin(repository, Options(0)));
  for (int i = 0; i < shape.files; i++) Must(session->PutFile(*RepoPath::Parse(shape.Path(i)), Content(i, 0)));
  Must(session->Finish());
  fmt::print("{:48} {:10.2f} s\n", fmt::format("first commit of {} files", shape.files), Now() - start);
  start = Now();
  double repacking = 0;
  std::minstd_rand random(3);
  for (int c = 1; c < shape.commits; c++) {
    session = Must(CommitSession::Begin(repository, Options(60 * c)));
    for (int i = 0; i < 5; i++) {
      const int file = static_cast<int>(random() % static_cast<uint32_t>(shape.files));
      Must(session->PutFile(*RepoPath::Parse(shape.Path(file)), Content(file, c)));
    }
    Must(session->Finish());
    if (c % static_cast<int>(kManyPacks) != 0) continue;
    const double before = Now();
    Must(Repack(*repository, RepackKind::kSmall, std::chrono::minutes(10)));
    repacking += Now() - before;
  }
  fmt::print("{:48} {:10.2f} ms\n", "repacking after fifty of them", 1000 * repacking * kManyPacks / shape.commits);
  fmt::print("{:48} {:10.2f} ms each\n", "commits of five files", 1000 * (Now() - start - repacking) / shape.commits);
}

int Run(const std::string& folder, const Shape& shape) {
  const std::string path = folder + "/bench.git";
  auto opened = GitRepository::Open(path);
  if (!opened) {
    opened = Must(GitRepository::Create(path));
    Make(*opened, shape);
  }
  const auto repository = *opened;
  Oid head = Must(Resolve(*repository, "main"));
  // New contents in every run.
  int64_t time = 60 * shape.commits + std::chrono::system_clock::now().time_since_epoch().count() % 1'000'000'000;

  const auto pages = [&](const ListOptions& options) {
    std::vector<std::string> paths;
    for (const Entry& entry : Must(ListTree(*repository, head, options)).entries) paths.push_back(entry.path);
    return paths;
  };
  Time("page of 1,000, recursive, from the start", 9, [&](int) { pages({.recursive = true}); });
  const std::string cursor = shape.Path(shape.files / 2);
  Time("page of 1,000, recursive, from the middle", 9, [&](int) { pages({.recursive = true, .cursor = cursor}); });
  const auto some = pages({.recursive = true, .cursor = cursor});
  Time("1,000 paths looked up", 9, [&](int) { Must(FindEntries(*repository, head, some)); });
  Time("page of 100 commits", 9, [&](int) { Must(ListCommits(*repository, head, {})); });
  Time("last commits of that page, cold", 1, [&](int) { Must(FindLastCommits(*repository, head, some)); });
  Time("last commits of that page, warm", 9, [&](int) { Must(FindLastCommits(*repository, head, some)); });
  Time("commit of one file", 9, [&](int i) {
    auto session = Must(CommitSession::Begin(repository, Options(time += 60)));
    Must(session->PutFile(*RepoPath::Parse(some.back()), Content(i, static_cast<int>(time))));
    head = Must(session->Finish()).commit;
  });
  Time("last commits of that page, nine commits later", 1,
       [&](int) { Must(FindLastCommits(*repository, head, some)); });
  Time("page with last commits, warm", 9, [&](int) {
    const auto paths = pages({.recursive = true, .cursor = cursor});
    auto last = Must(FindLastCommits(*repository, head, paths)).commits;
    std::sort(last.begin(), last.end());
    last.erase(std::unique(last.begin(), last.end()), last.end());
    Must(ReadCommits(*repository, last));
  });
  Time("commit of 1,000 small files", 5, [&](int i) {
    auto session = Must(CommitSession::Begin(repository, Options(time += 60)));
    for (int f = 0; f < 1000; f++) {
      Must(session->PutFile(*RepoPath::Parse(fmt::format("new-{}/f{}", i, f)), Content(f, static_cast<int>(time))));
    }
    Must(session->Finish());
  });
  Time("deletion of 1,000 of the first files, one by one", 5, [&](int i) {
    auto session = Must(CommitSession::Begin(repository, Options(time += 60)));
    const int first = i * std::min(1000, shape.files / 5);
    for (int f = first; f < std::min(first + 1000, shape.files); f++) {
      Must(session->Delete(*RepoPath::Parse(shape.Path(f))));
    }
    Must(session->Finish());
  });
  return 0;
}

}  // namespace
}  // namespace bothy::git

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "git_bench FOLDER [files] [commits] [files per folder, 0: all in one]\n");
    return 2;
  }
  const auto number = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  return bothy::git::Run(argv[1], {number(2, 100'000), number(3, 2'000), number(4, 100)});
}
