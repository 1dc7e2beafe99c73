#include "hub/doctor.h"

#include <optional>

#include "base/hex.h"
#include "hub/data_lock.h"
#include "hub/repository_folder.h"
#include "hub/repository_rows.h"

namespace bothy {
namespace {

// How often a folder without a row is looked at again: it may just have been moved or deleted.
constexpr int kLooks = 3;
constexpr int64_t kNamedUses = 3;  // repositories named that point to damaged content

class Doctor {
 public:
  Doctor(Hub& hub, const DoctorOptions& options, const std::function<void(const Finding&)>& found)
      : hub_(hub), options_(options), found_(found) {}

  Result<Diagnosis> Run() {
    auto lock = DataLock::Take(hub_.data(), DataLockKind::kRepositories, "bothy doctor");
    if (!lock && lock.error().code != ErrorCode::kUnavailable) return tl::unexpected(lock.error());
    diagnosis_.beside_server = !lock;
    std::optional<DataLock> no_removal;  // a backup under way needs what a repair would remove
    if (options_.repair) no_removal = TRY(DataLock::Take(hub_.data(), DataLockKind::kRemoval, "bothy doctor --repair"));
    TRY(CheckDatabase());
    if (!diagnosis_.beside_server) TRY(options_.repair ? FinishChanges() : FindUnfinishedChanges());
    TRY(CheckFolders());
    TRY(CheckContent());
    TRY(CheckRepositories());
    return diagnosis_;
  }

 private:
  void Report(Finding finding) {
    diagnosis_.problems++;
    if (finding.repaired) diagnosis_.repaired++;
    found_(finding);
  }

  Result<void> CheckDatabase() {
    if (hub_.database().dialect() != Dialect::kSqlite) return {};  // a server's is its own to check
    for (std::string& problem : TRY(hub_.database().CheckIntegrity())) {
      Report({"damaged_database", hub_.database().name(), std::move(problem) + ": restore a backup"});
    }
    return {};
  }

  // What a crash has cut, where nobody else works on it.
  Result<void> FinishChanges() {
    RecoveryReport report = TRY(hub_.repositories().Recover());
    const auto repaired = [&](std::vector<std::string>& folders, std::string_view what) {
      for (std::string& folder : folders) Report({"unfinished_change", std::move(folder), std::string(what), true});
    };
    repaired(report.undone_creations, "its creation was cut by a crash, and is undone");
    repaired(report.finished_deletions, "its deletion was cut by a crash, and is finished");
    repaired(report.finished_moves, "its move was cut by a crash, and is finished");
    return {};
  }

  Result<void> FindUnfinishedChanges() {
    const auto rows = TRY(hub_.database().Read([](Transaction& t) {
      return t.Query<std::string, std::string>(
          "SELECT state, folder FROM repositories WHERE state <> 'ready' ORDER BY id LIMIT 1000");
    }));
    for (const auto& [state, folder] : rows) {
      Report({"unfinished_change", folder,
              fmt::format("a crash has cut its {}: the next start of the server, or --repair, looks after it",
                          state == "creating" ? "creation" : "deletion")});
    }
    return ForEachRepository(hub_.database(), "", [&](const Repository& repository) -> Result<void> {
      if (repository.folder == FolderOf(repository)) return {};
      Report({"unfinished_change", repository.folder,
              fmt::format("a crash has cut its move to {}: the next start of the server, or --repair, finishes it",
                          FolderOf(repository))});
      return {};
    });
  }

  Result<void> CheckFolders() {
    return ForEachFolder(hub_.repositories().folder(), [&](const std::string& folder) -> Result<void> {
      if (IsLeftoverFolder(folder)) {
        if (diagnosis_.beside_server) return {};  // it may be one that is being made
        Report(
            {"leftover_folder", folder, "a crash has left it: the next start of the server, or --repair, removes it"});
        return {};
      }
      for (int look = 0; look < kLooks; look++) {
        if (TRY(IsKnown(folder))) return {};
      }
      Report({"unknown_repository", folder,
              "the database knows no repository at this place: move the folder away, or restore the database"});
      return {};
    });
  }

  // Also where it is gone by now.
  Result<bool> IsKnown(const std::string& folder) {
    const std::filesystem::path path = hub_.repositories().folder() / folder;
    const auto id = ReadRepositoryId(path);
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return true;
    Statement select(
        "SELECT repositories.folder, repositories.kind, namespaces.name, repositories.name FROM repositories"
        " JOIN namespaces ON namespaces.id = repositories.namespace_id WHERE");
    // One that is being made has its folder before that has its number.
    id ? select.Add(" repositories.id = $1", *id) : select.Add(" repositories.folder = $1 LIMIT 1", folder);
    const auto row = TRY(hub_.database().Read(
        [&](Transaction& t) { return t.QueryOne<std::string, std::string, std::string, std::string>(select); }));
    if (!row) return false;
    const auto& [noted, kind, owner, name] = *row;
    const auto known_kind = KindOfName(kind);
    return noted == folder || (known_kind && FolderOf(*known_kind, owner, name) == folder);
  }

  Result<void> CheckContent() {
    content::VerifyOptions verify = {.repair = options_.repair, .read_blobs = !options_.quick};
    if (options_.progress) {
      verify.progress = [&](uint64_t done, uint64_t total) { return options_.progress("content", done, total); };
    }
    Result<void> reported;
    const auto verified = TRY(hub_.content().Verify(verify, [&](const content::Problem& problem) {
      if (reported) reported = ReportContent(problem);
    }));
    diagnosis_.content_files = verified.files;
    diagnosis_.content_bytes = verified.bytes;
    return reported;
  }

  Result<void> ReportContent(const content::Problem& problem) {
    std::string message = problem.message;
    if (problem.sha256) message += TRY(UsesOf(EncodeHex(*problem.sha256)));
    Report({content::ProblemKindName(problem.kind), "content", std::move(message), problem.repaired});
    return {};
  }

  // Where somebody has to upload it again.
  Result<std::string> UsesOf(const std::string& sha256) {
    const auto rows = TRY(hub_.database().Read([&](Transaction& t) {
      return t.Query<std::string, std::string>(
          "SELECT repositories.folder, repository_content.path FROM repository_content JOIN repositories"
          " ON repositories.id = repository_content.repository_id WHERE repository_content.sha256 = $1"
          " ORDER BY repositories.id LIMIT $2",
          sha256, kNamedUses + 1);
    }));
    if (rows.empty()) return ": no repository points to it";
    std::string text = ": upload it again to";
    for (size_t i = 0; i < rows.size(); i++) {
      const auto& [folder, path] = rows[i];
      text += i == kNamedUses ? ", and others" : fmt::format("{} {} (\"{}\")", i == 0 ? "" : ",", folder, path);
    }
    return text;
  }

  Result<void> CheckRepositories() {
    const auto total = TRY(hub_.database().Read(
        [](Transaction& t) { return t.QueryOne<int64_t>("SELECT COUNT(*) FROM repositories WHERE state = 'ready'"); }));
    return ForEachRepository(hub_.database(), "", [&](const Repository& repository) -> Result<void> {
      Examination examination = TRY_CONTEXT(
          repository.folder, ExamineRepository(hub_, repository, {.repair = options_.repair, .quick = options_.quick}));
      diagnosis_.repositories++;
      diagnosis_.large_files += examination.large_files;
      for (Finding& finding : examination.findings) Report(std::move(finding));
      if (!options_.progress ||
          options_.progress("repositories", diagnosis_.repositories,
                            std::max(static_cast<uint64_t>(total.value_or(0)), diagnosis_.repositories))) {
        return {};
      }
      return Fail(ErrorCode::kCancelled, "given up after {} repositories", diagnosis_.repositories);
    });
  }

  Hub& hub_;
  const DoctorOptions& options_;
  const std::function<void(const Finding&)>& found_;
  Diagnosis diagnosis_;
};

}  // namespace

Result<Diagnosis> Examine(Hub& hub, const DoctorOptions& options, const std::function<void(const Finding&)>& found) {
  return Doctor(hub, options, found).Run();
}

}  // namespace bothy
