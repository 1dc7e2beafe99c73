#include "store/blobs/local_blob_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/system_error.h"

namespace bothy {
namespace {

// One level of 256 folders, made at the start. A second level would make a folder for nearly every blob of a group: a
// group of 1,000 took 2.5 s instead of 1.1 s. ext4 and xfs find one of 40,000 names (10 million blobs) as fast.
constexpr size_t kFanOut = 2;  // digits

// Kept in memory until there are more: a small blob's file is made only in Commit, so that many need no descriptors.
constexpr size_t kBuffer = 256 << 10;
// The disk begins to write when so many new bytes have come, instead of all at Commit.
constexpr uint64_t kWriteBehind = 8 << 20;

// So many blobs of one Commit are open at once, so that the disk writes them while each is waited for: 100 blobs of
// 4 kB took 31 ms instead of 64. Syncing the file system took 8, and 800 where somebody else had just written 1.5 GB
// (docs/decisions/0007-each-blob-is-synced-by-itself.md).
constexpr size_t kStartedTogether = 32;

constexpr const char* kTemporary = "tmp";

// Only for the message and for the early refusal: it may change before it is used.
uint64_t FreeBytes(const std::filesystem::path& folder) {
  struct statvfs info{};
  if (statvfs(folder.c_str(), &info) != 0) return UINT64_MAX;
  return uint64_t{info.f_bavail} * info.f_frsize;
}

tl::unexpected<Error> DiskFull(const std::filesystem::path& folder, uint64_t needed) {
  return Fail(ErrorCode::kResourceExhausted, "{}: the disk is full: {} bytes were to be written, {} are free",
              folder.string(), needed, FreeBytes(folder));
}

tl::unexpected<Error> SystemError(const std::filesystem::path& path, std::string_view doing, uint64_t needed = 0) {
  const int error = errno;
  if (error == ENOSPC || error == EDQUOT) return DiskFull(path.parent_path(), needed);
  return Fail(SystemErrorCode(error), "{}: {}: {}", path.string(), doing, std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

Result<void> SyncFolder(const std::filesystem::path& folder) {
  const Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return SystemError(folder, "opening it");
  // A file system without anything to bring to the disk says EINVAL.
  if (fsync(fd.get()) != 0 && errno != EINVAL) return SystemError(folder, "bringing it to the disk");
  return {};
}

class LocalWriter final : public BlobWriter {
 public:
  explicit LocalWriter(const std::filesystem::path& folder) : folder_(folder) {}
  ~LocalWriter() override {
    if (made_) unlink(path_.c_str());
  }

  using BlobWriter::Write;
  Result<void> Write(std::span<const std::byte> bytes) override {
    size_ += bytes.size();
    if (buffer_.size() + bytes.size() > kBuffer) {
      TRY(Flush());
      if (bytes.size() >= kBuffer) return WriteThrough(bytes);
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return {};
  }

  // All bytes are in the file, and the disk has been told to write them.
  Result<void> Start() {
    if (closed_) return {};
    TRY(Flush());
    if (!made_) TRY(Make());  // of no bytes
    // Only a beginning: what goes wrong is reported by fdatasync.
    (void)sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    return {};
  }

  Result<void> Close() override {
    if (closed_) return {};
    TRY(Start());
    if (fdatasync(fd_.get()) != 0) return SystemError(path_, "bringing it to the disk", size_);
    fd_.Close();
    buffer_ = {};
    closed_ = true;
    return {};
  }

  Result<void> MoveTo(const std::filesystem::path& target) {
    if (rename(path_.c_str(), target.c_str()) != 0) return SystemError(target, "giving it its name");
    made_ = false;
    return {};
  }

 private:
  Result<void> Make() {
    static std::atomic<uint64_t> counter = 0;
    // The clock tells apart programs that got the same process number, also in containers that share the folder.
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    path_ = folder_ / kTemporary / fmt::format("{}-{:x}-{}.part", getpid(), now, counter++);
    // Read-only from the start: what has a name never changes.
    fd_ = Descriptor(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
    if (!fd_) return SystemError(path_, "making it", size_);
    made_ = true;
    return {};
  }

  Result<void> Flush() {
    if (buffer_.empty()) return {};
    TRY(WriteThrough(buffer_));
    buffer_.clear();
    return {};
  }

  Result<void> WriteThrough(std::span<const std::byte> bytes) {
    if (!made_) TRY(Make());
    while (!bytes.empty()) {
      const ssize_t n = write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return SystemError(path_, "writing", bytes.size());
      bytes = bytes.subspan(static_cast<size_t>(n));
      in_file_ += static_cast<uint64_t>(n);
    }
    if (in_file_ - begun_ >= kWriteBehind) {
      // What goes wrong here is reported again by fdatasync.
      (void)sync_file_range(fd_.get(), static_cast<off_t>(begun_), static_cast<off_t>(in_file_ - begun_),
                            SYNC_FILE_RANGE_WRITE);
      begun_ = in_file_;
    }
    return {};
  }

  const std::filesystem::path& folder_;  // the store's
  std::filesystem::path path_;
  Descriptor fd_;
  bool made_ = false;
  bool closed_ = false;
  uint64_t in_file_ = 0;
  uint64_t begun_ = 0;  // of in_file_, those that the disk was told to write
  std::vector<std::byte> buffer_;
};

class LocalBlobStore final : public BlobStore {
 public:
  explicit LocalBlobStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Result<void> Prepare(std::chrono::seconds leftover_age) {
    std::error_code error;
    std::filesystem::create_directories(folder_ / kTemporary, error);
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char first : kDigits) {
      for (const char second : kDigits) {
        if (!error) std::filesystem::create_directory(folder_ / std::string{first, second}, error);
      }
    }
    if (error) {
      errno = error.value();
      return SystemError(folder_, "making it", 256 * 4096);
    }
    TRY(SyncFolder(folder_));
    return Sweep(leftover_age);
  }

  Result<std::unique_ptr<BlobWriter>> Create(uint64_t expected_size) override {
    if (expected_size > FreeBytes(folder_)) return DiskFull(folder_, expected_size);
    return std::make_unique<LocalWriter>(folder_);
  }

  // First all contents reach the disk, then all names: a name never stands for bytes that a power cut could take.
  Result<void> Commit(std::vector<NewBlob> blobs) override {
    const auto writer = [](NewBlob& blob) -> LocalWriter& { return static_cast<LocalWriter&>(*blob.content); };
    for (size_t i = 0; i < blobs.size(); i += kStartedTogether) {
      const auto part = std::span(blobs).subspan(i, std::min(kStartedTogether, blobs.size() - i));
      for (NewBlob& blob : part) TRY(writer(blob).Start());
      for (NewBlob& blob : part) TRY(writer(blob).Close());
    }
    std::set<std::filesystem::path> folders;
    for (NewBlob& blob : blobs) {
      // Also where the name is there already: its age begins anew, and whoever committed it first may not yet have
      // waited for the folder.
      const auto target = PathOf(blob.name);
      TRY(writer(blob).MoveTo(target));
      folders.insert(target.parent_path());
    }
    for (const auto& folder : folders) TRY(SyncFolder(folder));
    return {};
  }

  Result<std::optional<uint64_t>> Size(const BlobName& name) const override {
    struct stat info{};
    const auto path = PathOf(name);
    if (stat(path.c_str(), &info) == 0) return static_cast<uint64_t>(info.st_size);
    if (errno == ENOENT) return std::nullopt;
    return SystemError(path, "looking for it");
  }

  Result<std::unique_ptr<ByteSource>> Open(const BlobName& name) const override { return OpenFile(PathOf(name)); }

  Result<std::optional<FileSlice>> OpenSlice(const BlobName& name, uint64_t offset, uint64_t size) const override {
    const auto path = PathOf(name);
    Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info{};
    if (!fd || fstat(fd.get(), &info) != 0) return SystemError(path, "opening it");
    const auto whole = static_cast<uint64_t>(info.st_size);
    if (offset > whole || size > whole - offset) {
      return Fail(ErrorCode::kOutOfRange, "{}: {} bytes from {} on, it has {}", path.string(), size, offset, whole);
    }
    return FileSlice(fd.Release(), offset, size);
  }

  void WillNotNeed(const BlobName& name) const override {
    const Descriptor fd(open(PathOf(name).c_str(), O_RDONLY | O_CLOEXEC));
    if (fd) (void)posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  }

  Result<bool> Remove(const BlobName& name) override {
    const auto path = PathOf(name);
    if (unlink(path.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    return SystemError(path, "removing it");
  }

  // A page is the rest of a folder.
  Result<std::vector<BlobInfo>> List(const std::optional<BlobName>& after) const override {
    std::vector<BlobInfo> page;
    unsigned first = 0;
    if (after) first = static_cast<unsigned>(std::stoul(after->text().substr(0, kFanOut), nullptr, 16));
    for (unsigned i = first; i < 256 && page.empty(); i++) {
      TRY(ListFolder(folder_ / fmt::format("{:02x}", i), after, page));
    }
    return page;
  }

 private:
  std::filesystem::path PathOf(const BlobName& name) const {
    return folder_ / name.text().substr(0, kFanOut) / name.text();
  }

  static Result<void> ListFolder(const std::filesystem::path& folder, const std::optional<BlobName>& after,
                                 std::vector<BlobInfo>& page) {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()), closedir);
    if (entries == nullptr) return SystemError(folder, "reading it");
    while (const dirent* entry = readdir(entries.get())) {
      const auto name = BlobName::Parse(entry->d_name);
      if (!name || (after && *name <= *after)) continue;
      struct stat info{};
      if (fstatat(dirfd(entries.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // removed meanwhile
      if (!S_ISREG(info.st_mode)) continue;
      // The file is written before it has its name; the change of its name is its ctime.
      page.push_back({*name, static_cast<uint64_t>(info.st_size),
                      std::chrono::sys_seconds(std::chrono::seconds(info.st_ctim.tv_sec))});
    }
    std::sort(page.begin(), page.end(), [](const BlobInfo& a, const BlobInfo& b) { return a.name < b.name; });
    return {};
  }

  Result<void> Sweep(std::chrono::seconds age) const {
    const auto folder = folder_ / kTemporary;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()), closedir);
    if (entries == nullptr) return SystemError(folder, "reading it");
    const auto now = std::chrono::system_clock::now();
    while (const dirent* entry = readdir(entries.get())) {
      struct stat info{};
      if (fstatat(dirfd(entries.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) {
        continue;
      }
      const std::chrono::sys_seconds touched(std::chrono::seconds(info.st_mtim.tv_sec));
      if (now - touched >= age) (void)unlinkat(dirfd(entries.get()), entry->d_name, 0);
    }
    return {};
  }

  const std::filesystem::path folder_;
};

}  // namespace

Result<std::unique_ptr<BlobStore>> OpenLocalBlobStore(const std::filesystem::path& folder,
                                                      const LocalBlobStoreOptions& options) {
  auto store = std::make_unique<LocalBlobStore>(folder);
  TRY(store->Prepare(options.leftover_age));
  return store;
}

}  // namespace bothy
