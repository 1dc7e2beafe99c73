#include "hub/repository_examination.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <unordered_map>

#include "hub/hub.h"
#include "hub/repository_content.h"
#include "hub/repository_folder.h"
#include "store/git/large_files.h"
#include "store/git/maintenance.h"
#include "store/git/repo_path.h"

namespace bothy {
namespace {

// Of a check of all objects: 100 GB of packs at 30 MB/s.
constexpr std::chrono::hours kGitTimeout{1};
constexpr size_t kFilesAtOnce = 500;
constexpr int kMaxLooks = 3;

// One look; Findings that can be repaired are repaired by it where it is told to.
class Look {
 public:
  Look(Hub& hub, const Repository& repository, const ExaminationOptions& options)
      : hub_(hub), repository_(repository), options_(options) {}

  Result<Examination> Run() {
    // Not by Repositories::Open, which remembers where a repository lay: beside a server it may have moved.
    const auto found = TRY(hub_.repositories().FindById({}, repository_.id));
    if (!found) return Examination();  // deleted meanwhile
    const auto git = OpenAnywhere(found->repository);
    if (!git) {
      Note("missing_repository", "there is no git repository at this place: restore it from a backup, or delete it");
      return std::move(examination_);
    }
    const auto checked =
        git::CheckObjects(**git, options_.quick ? git::ObjectCheck::kThere : git::ObjectCheck::kSound, kGitTimeout);
    if (!checked && checked.error().code != ErrorCode::kCorrupt) return tl::unexpected(checked.error());
    if (!checked) {
      Note("damaged_repository", fmt::format("{}: restore it from a backup, or push its branches again from a clone",
                                             checked.error().message));
      return std::move(examination_);
    }
    TRY(git::ForEachLargeFile(**git, [&](const git::LargeFile& file) -> Result<void> {
      files_.push_back(file);
      return files_.size() < kFilesAtOnce ? Result<void>() : CheckFiles();
    }));
    TRY(CheckFiles());
    return std::move(examination_);
  }

 private:
  // In the place that its row notes, or in the one that a move under way brings it to.
  Result<std::shared_ptr<git::GitRepository>> OpenAnywhere(const Repository& repository) const {
    for (const std::string& folder : {repository.folder, FolderOf(repository)}) {
      const std::filesystem::path path = hub_.repositories().folder() / folder;
      if (ReadRepositoryId(path) == repository.id) return git::GitRepository::Open(path);
    }
    return Fail(ErrorCode::kNotFound, "{} is missing on the disk", repository.folder);
  }

  void Note(std::string_view kind, std::string message, bool repaired = false) {
    examination_.findings.push_back({kind, repository_.folder, std::move(message), repaired});
  }

  Result<void> CheckFiles() {
    examination_.large_files += files_.size();
    std::vector<std::string> sha256s;
    for (const git::LargeFile& file : files_) sha256s.push_back(file.pointer.sha256);
    const auto referred = TRY(ReferredAmong(hub_.database(), repository_, sha256s));
    const auto removed = TRY(RemovedAmong(hub_.database(), repository_, sha256s));
    const auto contents = TRY(hub_.large_content().Find(sha256s));
    for (size_t i = 0; i < files_.size(); i++) {
      const bool listed = referred.contains(sha256s[i]);
      if (!listed && removed.contains(sha256s[i])) continue;
      TRY(CheckFile(files_[i], listed, contents[i]));
    }
    files_.clear();
    return {};
  }

  Result<void> CheckFile(const git::LargeFile& file, bool listed, const std::optional<LargeFile>& content) {
    const std::string what =
        fmt::format("\"{}\" ({}) points to {}", git::Printable(file.path), file.ref, file.pointer.sha256);
    if (!content && listed && !repository_.mirror_of.empty()) return {};  // it comes when it is asked for
    if (!content) {
      Note("missing_content", fmt::format("{}, which is not here: upload the file again, or `git lfs push --all` from "
                                          "a clone that has it",
                                          what));
      return {};
    }
    if (content->size != file.pointer.size) {
      Note("wrong_size", fmt::format("{} and says that it has {} bytes, but it has {}: push the file again", what,
                                     file.pointer.size, content->size));
      return {};
    }
    if (listed) return {};
    if (options_.repair) {
      const std::vector<ReferredFile> row = {{file.pointer.sha256, content->size, file.path, file.ref}};
      TRY(ListContent(hub_.database(), repository_, row, hub_.now()));
    }
    Note("unlisted_content", fmt::format("{}, which is here but not in the list of the repository's large files", what),
         options_.repair);
    return {};
  }

  Hub& hub_;
  const Repository& repository_;
  const ExaminationOptions& options_;
  std::vector<git::LargeFile> files_;
  Examination examination_;
};

// A repository that goes away under a look makes it fail.
Result<Examination> LookUntilDone(Hub& hub, const Repository& repository, const ExaminationOptions& options) {
  for (int looks = 1;; looks++) {
    auto examination = Look(hub, repository, options).Run();
    if (examination || looks == kMaxLooks) return examination;
  }
}

}  // namespace

Result<Examination> ExamineRepository(Hub& hub, const Repository& repository, const ExaminationOptions& options) {
  const ExaminationOptions only_looking = {.repair = false, .quick = options.quick};
  Examination first = TRY(LookUntilDone(hub, repository, only_looking));
  if (first.findings.empty()) return first;
  Examination second = TRY(LookUntilDone(hub, repository, options));
  std::set<std::string> before;
  for (const Finding& finding : first.findings) before.insert(finding.message);
  std::erase_if(second.findings, [&](const Finding& finding) { return !before.contains(finding.message); });
  if (second.findings.size() > kMaxFindings) {
    const size_t more = second.findings.size() - kMaxFindings;
    const bool repaired = std::all_of(second.findings.begin() + kMaxFindings, second.findings.end(),
                                      [](const Finding& finding) { return finding.repaired; });
    second.findings.resize(kMaxFindings);
    second.findings.push_back({"more", repository.folder, fmt::format("and {} more", more), repaired});
  }
  return second;
}

}  // namespace bothy
