#include "hub/git_transport.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/system_error.h"
#include "crypto/secrets.h"
#include "hub/commits.h"
#include "store/git/git_process.h"
#include "store/git/incoming.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

// What serving a fetch or taking a push may use: many of them run beside each other.
git::GitOptions Limits() {
  return {.configuration = {"pack.threads=1", "pack.windowMemory=64m", "pack.deltaCacheSize=64m",
                            "core.bigFileThreshold=16m", "core.deltaBaseCacheLimit=64m"},
          .environment = {},
          .timeout = {}};
}

constexpr size_t kMaxProtocol = 200;
constexpr size_t kMaxReason = 500;
constexpr std::string_view kZeroOid = "0000000000000000000000000000000000000000";

bool IsProtocol(std::string_view text) {
  return text.size() <= kMaxProtocol &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789=:-") == std::string_view::npos;
}

// "fatal: early EOF\nfatal: ..." is for the eyes of whoever knows the program: its first line without the word.
std::string Reason(std::string_view error_output) {
  std::string_view line = error_output.substr(0, error_output.find('\n'));
  for (const std::string_view word : {"fatal: ", "error: "}) {
    if (line.starts_with(word)) line.remove_prefix(word.size());
  }
  return line.empty() ? "git has refused it" : std::string(line.substr(0, kMaxReason));
}

Result<void> SyncFolder(const fs::path& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!synced) return Fail(SystemErrorCode(error), "{}: {}", folder.string(), std::strerror(error));
  return {};
}

std::string HexOf(const std::optional<git::Oid>& oid) { return oid ? oid->ToHex() : std::string(kZeroOid); }

}  // namespace

Result<std::unique_ptr<Subprocess>> StartUploadPack(const git::GitRepository& git, UploadPackStep step,
                                                    std::string_view protocol) {
  git::GitOptions options = Limits();
  // The second version of the protocol gives any object that is asked for; the first would not, and partial clones
  // need it.
  options.configuration.insert(options.configuration.end(),
                               {"uploadpack.allowFilter=true", "uploadpack.allowAnySHA1InWant=true",
                                fmt::format("transfer.hideRefs={}", git::kIncomingRefs)});
  if (!protocol.empty() && IsProtocol(protocol))
    options.environment.push_back(fmt::format("GIT_PROTOCOL={}", protocol));
  std::vector<std::string> arguments = {"upload-pack", "--strict", "--stateless-rpc"};
  if (step == UploadPackStep::kAdvertise) arguments.emplace_back("--advertise-refs");
  arguments.emplace_back(".");
  return git::StartGit(git, std::move(arguments), options);
}

Result<std::vector<PushableRef>> ListPushableRefs(const git::GitRepository& git) {
  std::vector<PushableRef> refs;
  std::string pending;
  const auto take = [&](std::string_view text) -> Result<void> {
    pending += text;
    size_t begin = 0;
    for (size_t end; (end = pending.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string_view line = std::string_view(pending).substr(begin, end - begin);
      const auto oid = git::Oid::FromHex(line.substr(0, git::Oid::kHexDigits));
      if (!oid || line.size() <= git::Oid::kHexDigits + 1) {
        return Fail(ErrorCode::kInternal, "git for-each-ref has written an unexpected line");
      }
      refs.push_back({.name = std::string(line.substr(git::Oid::kHexDigits + 1)), .oid = *oid});
    }
    pending.erase(0, begin);
    return {};
  };
  TRY(git::RunGit(git, {"for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/", "refs/tags/", "refs/pr/"},
                  {}, take));
  return refs;
}

PackReceiver::PackReceiver(const git::GitRepository& git, git::WriteGuard guard, fs::path quarantine)
    : objects_(git.path() / "objects"), guard_(std::move(guard)), quarantine_(std::move(quarantine)) {}

PackReceiver::~PackReceiver() {
  process_.reset();
  std::error_code error;
  fs::remove_all(quarantine_, error);
}

Result<std::unique_ptr<PackReceiver>> PackReceiver::Begin(const git::GitRepository& git, uint64_t max_pack_bytes) {
  auto guard = TRY(git::WriteGuard::Take(git));
  // Under the name that git gives to such folders, by which they are found after a crash.
  const fs::path objects = git.path() / "objects";
  const fs::path quarantine = objects / ("tmp_objdir-incoming-" + RandomAlphanumeric(20));
  std::unique_ptr<PackReceiver> receiver(new PackReceiver(git, std::move(guard), quarantine));
  std::error_code error;
  fs::create_directories(quarantine / "pack", error);
  if (error) return Fail(SystemErrorCode(error.value()), "{}: {}", quarantine.string(), error.message());
  git::GitOptions options = Limits();
  options.environment = {fmt::format("GIT_OBJECT_DIRECTORY={}", quarantine.string()),
                         fmt::format("GIT_ALTERNATE_OBJECT_DIRECTORIES={}", objects.string())};
  receiver->process_ = TRY(git::StartGit(
      git, {"index-pack", "--stdin", "--fix-thin", "--strict", fmt::format("--max-input-size={}", max_pack_bytes)},
      options));
  return receiver;
}

Result<void> PackReceiver::Write(std::string_view bytes) {
  if (ended_) return {};
  auto written = process_->Write(bytes);
  if (!written && written.error().code == ErrorCode::kFailedPrecondition) {
    ended_ = true;
    return {};
  }
  return written;
}

Result<void> PackReceiver::Finish() {
  if (TRY(process_->Wait()) != 0) {
    return Fail(ErrorCode::kInvalidArgument, "{}", Reason(process_->error_output()));
  }
  return Migrate();
}

// The index comes last: without it git sees no pack.
Result<void> PackReceiver::Migrate() {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(quarantine_ / "pack", error)) files.push_back(entry.path());
  std::ranges::partition(files, [](const fs::path& file) { return file.extension() != ".idx"; });
  fs::create_directories(objects_ / "pack", error);
  for (const fs::path& file : files) {
    const fs::path target = objects_ / "pack" / file.filename();
    if (fs::exists(target, error)) continue;  // the same pack has been pushed before
    fs::rename(file, target, error);
    if (error) return Fail(SystemErrorCode(error.value()), "{}: {}", target.string(), error.message());
  }
  if (error) return Fail(SystemErrorCode(error.value()), "{}: {}", quarantine_.string(), error.message());
  return SyncFolder(objects_ / "pack");
}

Result<void> ApplyPushTogether(Repositories& repositories, const Actor& actor, const Repository& repository,
                               std::span<const RefUpdate> updates, const PushVerdict& verdict) {
  CHECK(verdict.problems.empty());
  const auto git = TRY(repositories.Open(repository));
  TRY(AddContent(repositories.database(), repository, {.files = verdict.referred, .git_bytes = verdict.git_bytes},
                 repositories.now()));
  std::string commands;
  for (const RefUpdate& update : updates) {
    // Without a new value it is deleted; an old one of zeros means that there must be none.
    commands += update.after ? fmt::format("update {} {} {}\n", update.ref, HexOf(update.after), HexOf(update.before))
                             : fmt::format("delete {} {}\n", update.ref, HexOf(update.before));
  }
  const auto process = TRY(git::StartGit(*git, {"update-ref", "--stdin"}));
  std::string_view rest = commands;
  const int status = TRY(process->Exchange([&]() -> Result<std::string_view> { return std::exchange(rest, {}); },
                                           [](std::string_view) -> Result<void> { return {}; }));
  if (status != 0) return Fail(ErrorCode::kFailedPrecondition, "{}", Reason(process->error_output()));
  for (const RefUpdate& update : updates) {
    RecordPush(repositories, repository, actor, update.ref, update.before, update.after);
  }
  return {};
}

}  // namespace bothy
