#include "store/git/pack_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/system_error.h"
#include "crypto/sha.h"

namespace bothy::git {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBuffer = 1 << 20;
// Level 6 takes 25 ns a byte here and is git's; from here on a file is more likely data than text, so speed wins.
constexpr size_t kFastFrom = 64 * 1024;

void AppendBigEndian(std::string& out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::string PackHeader(size_t objects) {
  std::string header = "PACK";
  AppendBigEndian(header, 2, 4);
  AppendBigEndian(header, objects, 4);
  return header;
}

std::string EntryHeader(ObjectKind kind, uint64_t size) {
  std::string header;
  uint64_t byte = static_cast<uint64_t>(kind) << 4 | (size & 15);
  for (size >>= 4; size != 0; size >>= 7) {
    header += static_cast<char>(byte | 0x80);
    byte = size & 0x7f;
  }
  header += static_cast<char>(byte);
  return header;
}

Result<std::string> Deflate(std::string_view bytes) {
  const int level = bytes.size() >= kFastFrom ? Z_BEST_SPEED : Z_DEFAULT_COMPRESSION;
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  const int status = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                               reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), level);
  if (status != Z_OK) return Fail(ErrorCode::kInternal, "deflate: {}", status);
  out.resize(size);
  return out;
}

// The checksums that end both files are against accidents only. libgit2 hashes objects, and detects collisions.
std::string_view Text(const Digest160& sum) { return {reinterpret_cast<const char*>(sum.data()), sum.size()}; }

Result<void> WriteAll(int fd, std::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Fail(SystemErrorCode(errno), "writing a pack: {}", std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

}  // namespace

PackWriter::PackWriter(fs::path folder, fs::path temporary, int fd)
    : folder_(std::move(folder)), temporary_(std::move(temporary)), fd_(fd) {}

Result<std::unique_ptr<PackWriter>> PackWriter::Create(const fs::path& folder) {
  std::string name = folder / "tmp_pack_XXXXXX";  // a name that git gc knows as a leftover
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return Fail(SystemErrorCode(errno), "{}: {}", name, std::strerror(errno));
  std::unique_ptr<PackWriter> writer(new PackWriter(folder, name, fd));
  TRY(writer->Append(PackHeader(0)));
  return writer;
}

PackWriter::~PackWriter() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) {
    unlink(temporary_.c_str());
    unlink((temporary_.string() + ".idx").c_str());
  }
}

tl::unexpected<Error> PackWriter::SystemError(std::string_view doing) const {
  const int error = errno;
  return Fail(SystemErrorCode(error), "{}: {}: {}", temporary_.string(), doing, std::strerror(error));
}

Result<void> PackWriter::Append(std::string_view bytes) {
  buffer_ += bytes;
  offset_ += bytes.size();
  return buffer_.size() >= kBuffer ? FlushBuffer() : Result<void>();
}

Result<void> PackWriter::FlushBuffer() {
  TRY(WriteAll(fd_, buffer_, offset_ - buffer_.size()));
  buffer_.clear();
  return {};
}

Result<void> PackWriter::Add(ObjectKind kind, const Oid& oid, std::string_view bytes) {
  const std::string header = EntryHeader(kind, bytes.size());
  const std::string deflated = TRY(Deflate(bytes));
  uLong crc = crc32(0, reinterpret_cast<const Bytef*>(header.data()), static_cast<uInt>(header.size()));
  crc = crc32_z(crc, reinterpret_cast<const Bytef*>(deflated.data()), deflated.size());
  entries_.push_back({oid, static_cast<uint32_t>(crc), offset_});
  TRY(Append(header));
  return Append(deflated);
}

Result<Digest160> PackWriter::SumOfFile() {
  Sha1 sum;
  std::vector<char> piece(kBuffer);
  for (uint64_t at = 0; at < offset_;) {
    const ssize_t got = pread(fd_, piece.data(), piece.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return SystemError("read");
    sum.Update(std::string_view(piece.data(), static_cast<size_t>(got)));
    at += static_cast<uint64_t>(got);
  }
  return sum.Finish();
}

Result<void> PackWriter::WriteIndex(const fs::path& path, const Digest160& pack_sum) {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.oid < b.oid; });
  std::string index("\377tOc", 4);
  AppendBigEndian(index, 2, 4);
  size_t next = 0;
  for (size_t first = 0; first < 256; first++) {
    while (next < entries_.size() && entries_[next].oid.bytes[0] <= first) next++;
    AppendBigEndian(index, next, 4);
  }
  for (const Entry& entry : entries_) index.append(reinterpret_cast<const char*>(entry.oid.bytes.data()), Oid::kBytes);
  for (const Entry& entry : entries_) AppendBigEndian(index, entry.crc, 4);
  std::string large;
  for (const Entry& entry : entries_) {
    if (entry.offset < 0x80000000) {
      AppendBigEndian(index, entry.offset, 4);
    } else {
      AppendBigEndian(index, 0x80000000 | large.size() / 8, 4);
      AppendBigEndian(large, entry.offset, 8);
    }
  }
  index += large;
  index += Text(pack_sum);
  index += Text(Sha1::Of(index));

  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (fd < 0) return SystemError("open index");
  auto written = WriteAll(fd, index, 0);
  if (written && fsync(fd) != 0) written = SystemError("fsync index");
  close(fd);
  return written;
}

Result<void> PackWriter::Finish() {
  TRY(FlushBuffer());
  TRY(WriteAll(fd_, PackHeader(entries_.size()), 0));
  const Digest160 sum = TRY(SumOfFile());
  TRY(WriteAll(fd_, Text(sum), offset_));
  if (fchmod(fd_, 0444) != 0) return SystemError("chmod");
  if (fsync(fd_) != 0) return SystemError("fsync");
  const fs::path index = temporary_.string() + ".idx";
  TRY(WriteIndex(index, sum));

  Oid name;
  std::memcpy(name.bytes.data(), sum.data(), Oid::kBytes);
  const std::string final_name = folder_ / fmt::format("pack-{}", name.ToHex());
  if (rename(temporary_.c_str(), (final_name + ".pack").c_str()) != 0) return SystemError("rename");
  if (rename(index.c_str(), (final_name + ".idx").c_str()) != 0) return SystemError("rename index");
  temporary_.clear();
  const int folder = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && fsync(folder) == 0;
  if (folder >= 0) close(folder);
  return synced ? Result<void>() : SystemError("fsync folder");
}

}  // namespace bothy::git
