#include "store/git/maintenance.h"

#include <algorithm>
#include <filesystem>

#include "store/git/git_process.h"

namespace bothy::git {
namespace {

constexpr size_t kMaxFsckWords = 2000;  // of what git says is wrong

// Packing takes the second place behind serving, in memory as in processors.
GitOptions Limits(std::chrono::milliseconds timeout) {
  return {.configuration = {"pack.threads=1", "pack.windowMemory=64m", "pack.deltaCacheSize=64m",
                            "core.bigFileThreshold=16m", "core.deltaBaseCacheLimit=64m"},
          .environment = {},
          .timeout = timeout};
}

Result<void> Quietly(const GitRepository& repository, std::vector<std::string> arguments,
                     std::chrono::milliseconds timeout) {
  return RunGit(repository, std::move(arguments), Limits(timeout), [](std::string_view) -> Result<void> { return {}; });
}

Result<void> WriteGraph(const GitRepository& repository, std::chrono::milliseconds timeout) {
  return Quietly(repository, {"commit-graph", "write", "--reachable", "--changed-paths", "--no-progress"}, timeout);
}

}  // namespace

Result<RepositoryStatistics> Measure(const GitRepository& repository) {
  namespace fs = std::filesystem;
  RepositoryStatistics statistics;
  std::error_code error;
  for (fs::recursive_directory_iterator it(repository.path(), error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;  // files come and go
    if (!it->is_regular_file(gone) || gone) continue;
    const uint64_t size = it->file_size(gone);
    if (gone) continue;
    statistics.bytes += size;
    if (it->path().extension() == ".pack") statistics.packs++;
    if (it->path().filename().string().size() == 38 && it->path().parent_path().filename().string().size() == 2) {
      statistics.loose_objects++;
    }
  }
  return statistics;
}

Result<void> Repack(const GitRepository& repository, RepackKind kind, std::chrono::milliseconds timeout) {
  TRY(Quietly(repository, {"pack-refs", "--all"}, timeout));
  if (kind == RepackKind::kSmall) {
    TRY(Quietly(repository, {"repack", "-q", "-d", "--geometric=2"}, timeout));
  } else {
    TRY(Quietly(repository, {"repack", "-q", "-a", "-d", "--keep-unreachable", "--write-bitmap-index"}, timeout));
  }
  return WriteGraph(repository, timeout);
}

Result<void> DropUnreachable(GitRepository& repository, std::chrono::seconds age, std::chrono::milliseconds timeout) {
  const DropGuard guard = TRY(DropGuard::Take(repository));
  const std::string when = age.count() > 0 ? fmt::format("{}.seconds.ago", age.count()) : "now";
  TRY(Quietly(repository, {"repack", "-q", "-A", "-d", "--unpack-unreachable=" + when, "--write-bitmap-index"},
              timeout));
  TRY(Quietly(repository, {"prune", "--expire=" + when}, timeout));
  return WriteGraph(repository, timeout);
}

Result<bool> HasUnreachable(const GitRepository& repository, std::chrono::milliseconds timeout) {
  constexpr std::string_view kWord = "unreachable ";  // "unreachable blob 8c7e5a...", one a line
  bool found = false;
  std::string end;  // of what came before, as a word may come in two pieces
  const auto ran = RunGit(repository, {"fsck", "--unreachable", "--connectivity-only", "--no-reflogs", "--no-progress"},
                          Limits(timeout), [&](std::string_view text) -> Result<void> {
                            end += text;
                            if (end.find(kWord) != std::string::npos) {
                              found = true;
                              return Fail(ErrorCode::kCancelled, "one is enough");
                            }
                            end.erase(0, end.size() - std::min(end.size(), kWord.size()));
                            return {};
                          });
  if (!ran && !found) return tl::unexpected(ran.error());
  return found;
}

Result<void> CheckObjects(const GitRepository& repository, ObjectCheck check, std::chrono::milliseconds timeout) {
  const auto process = TRY(StartGit(
      repository,
      {"fsck", check == ObjectCheck::kThere ? "--connectivity-only" : "--full", "--no-dangling", "--no-progress"},
      Limits(timeout)));
  std::string said;  // what is missing; what is broken comes on the other stream
  const int status = TRY(process->Exchange([]() -> Result<std::string_view> { return std::string_view(); },
                                           [&](std::string_view text) -> Result<void> {
                                             said +=
                                                 text.substr(0, kMaxFsckWords - std::min(kMaxFsckWords, said.size()));
                                             return {};
                                           }));
  if (status == 0) return {};
  said += process->error_output().substr(0, kMaxFsckWords);
  while (said.ends_with('\n')) said.pop_back();
  for (size_t end = said.find('\n'); end != std::string::npos; end = said.find('\n', end)) said.replace(end, 1, "; ");
  return Fail(ErrorCode::kCorrupt, "git fsck ended with status {}: {}", status, said);
}

}  // namespace bothy::git
