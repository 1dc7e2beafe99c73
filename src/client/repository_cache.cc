#include "client/repository_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/byte_source.h"
#include "base/output_file.h"
#include "client/partial_file.h"

namespace bothy::client {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxTreeFile = uint64_t{512} << 20;

Result<void> MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return {};
  return Fail(ErrorCode::kInternal, "{}: the folder cannot be made: {}", folder.string(), error.message());
}

Result<void> WriteSmallFile(const fs::path& path, std::string_view text) {
  TRY(MakeFolder(path.parent_path()));
  const auto file = TRY(OutputFile::Create(path));
  TRY(file->Write(text));
  return file->Commit();
}

std::optional<uint64_t> SizeOf(const fs::path& path) {
  std::error_code error;
  const auto size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
  if (error || !fs::is_regular_file(path, error)) return std::nullopt;
  return size;
}

}  // namespace

ContentLock::~ContentLock() {
  if (fd_ >= 0) close(fd_);  // the file stays, as filelock leaves it
}

RepositoryCache::RepositoryCache(const HubCache& cache, const HubName& name)
    : root_(cache.root()), folder_(cache.RepositoryFolder(name)), locks_(cache.root() / ".locks" / name.Folder()) {}

bool RepositoryCache::HasFile(const std::string& commit, const RemoteFile& file) const {
  return SizeOf(FilePath(commit, file)) == file.size;
}

bool RepositoryCache::HasBlob(const RemoteFile& file) const { return SizeOf(BlobPath(file)) == file.size; }

uint64_t RepositoryCache::BytesOfPartial(const RemoteFile& file) const {
  return PartialFile::BytesOf(PartialPath(file), file.size);
}

Result<void> RepositoryCache::Prepare() const {
  for (const fs::path& folder : {folder_ / "blobs", folder_ / "snapshots", locks_}) TRY(MakeFolder(folder));
  // What backup programs leave out (bford.info/cachedir).
  const fs::path tag = root_ / "CACHEDIR.TAG";
  if (SizeOf(tag)) return {};
  return WriteSmallFile(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of models and data sets.\n");
}

Result<ContentLock> RepositoryCache::Lock(const RemoteFile& file, const std::function<Result<void>()>& waiting) const {
  const fs::path path = locks_ / (file.etag() + ".lock");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0664);
  if (fd < 0) return Fail(ErrorCode::kInternal, "{}: opening: {}", path.string(), std::strerror(errno));
  ContentLock lock(fd);
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return Fail(ErrorCode::kInternal, "{}: locking: {}", path.string(), std::strerror(errno));
    }
    TRY(waiting());
  }
  return lock;
}

Result<void> RepositoryCache::Link(const std::string& commit, const RemoteFile& file) const {
  const fs::path path = FilePath(commit, file), blob = BlobPath(file);
  TRY(MakeFolder(path.parent_path()));
  const fs::path target = fs::path(blob).lexically_relative(path.parent_path());
  std::error_code error;
  if (fs::read_symlink(path, error) == target && !error) return {};
  // A link beside it takes its place in one step, so that who reads always finds one.
  const fs::path temporary = fs::path(path) += "." + std::to_string(getpid()) + ".tmp";
  fs::remove(temporary, error);
  fs::create_symlink(target, temporary, error);
  if (error == std::errc::operation_not_permitted || error == std::errc::operation_not_supported) {
    fs::rename(blob, path, error);  // a file system without links, as Python's clients deal with it
    if (!error) return {};
  }
  if (!error) fs::rename(temporary, path, error);
  if (!error) return {};
  return Fail(ErrorCode::kInternal, "{}: cannot be linked to {}: {}", path.string(), target.string(), error.message());
}

Result<void> RepositoryCache::SetRef(const std::string& revision, const std::string& commit) const {
  if (revision == commit) return {};
  const fs::path path = folder_ / "refs" / revision;
  const auto old = OpenFile(path);
  const auto text = old ? (*old)->ReadAll(1024) : Result<std::string>("");
  if (text && *text == commit) return {};
  return WriteSmallFile(path, commit);
}

std::optional<std::vector<RemoteFile>> RepositoryCache::ReadTree(const std::string& commit) const {
  const auto file = OpenFile(folder_ / "trees" / (commit + ".json"));
  const auto text = file ? (*file)->ReadAll(kMaxTreeFile) : Result<std::string>("");
  auto files = text ? ParseTreeFile(*text) : Result<std::vector<RemoteFile>>(tl::unexpected(text.error()));
  if (!files) return std::nullopt;
  return *std::move(files);
}

Result<void> RepositoryCache::WriteTree(const std::string& commit, const std::vector<RemoteFile>& files) const {
  return WriteSmallFile(folder_ / "trees" / (commit + ".json"), WriteTreeFile(files));
}

}  // namespace bothy::client
