#include "store/git/loose_backend.h"

#include <fcntl.h>
#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

namespace bothy::git {
namespace {

struct Backend {
  git_odb_backend parent;  // first, as libgit2 knows it by this address
  std::filesystem::path folder;
};

int Broken(const char* what) {
  git_error_set_str(GIT_ERROR_ODB, what);
  return GIT_ERROR;
}

// Nothing where there is no such file.
std::optional<std::string> ReadWhole(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string bytes;
  struct stat status{};
  if (fstat(fd, &status) == 0) bytes.resize(static_cast<size_t>(status.st_size));
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = read(fd, bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    at += static_cast<size_t>(got);
  }
  close(fd);
  bytes.resize(at);
  return bytes;
}

struct Inflater {
  z_stream stream{};
  explicit Inflater(std::string& in) {
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    inflateInit(&stream);
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

int ReadLoose(void** data, size_t* size, git_object_t* type, git_odb_backend* parent, const git_oid* id) {
  auto* backend = reinterpret_cast<Backend*>(parent);
  const std::string hex = FromLibgit(*id).ToHex();
  auto file = ReadWhole(backend->folder / hex.substr(0, 2) / hex.substr(2));
  if (!file) return GIT_ENOTFOUND;
  if (file->size() > UINT32_MAX) return GIT_PASSTHROUGH;

  Inflater inflater(*file);
  z_stream& stream = inflater.stream;
  std::array<char, 64> head{};  // "commit 1234", NUL, and the beginning of what follows
  stream.next_out = reinterpret_cast<Bytef*>(head.data());
  stream.avail_out = head.size();
  int status = inflate(&stream, Z_SYNC_FLUSH);
  const std::string_view inflated(head.data(), head.size() - stream.avail_out);
  const size_t end = inflated.find('\0');
  const size_t space = inflated.find(' ');
  if ((status != Z_OK && status != Z_STREAM_END) || end == std::string_view::npos || space > end) {
    return Broken("loose object is broken");
  }
  size_t length = 0;
  const auto [digits_end, error] = std::from_chars(head.data() + space + 1, head.data() + end, length);
  *type = git_object_string2type(std::string(inflated.substr(0, space)).c_str());
  if (error != std::errc() || digits_end != head.data() + end || *type == GIT_OBJECT_INVALID) {
    return Broken("loose object has a broken header");
  }
  const std::string_view rest = inflated.substr(end + 1);
  // Deflate makes at most 1032 of one: a length beyond is a lie and not worth the memory.
  if (rest.size() > length || length / 1040 > file->size()) return Broken("loose object has a wrong length");

  void* out = git_odb_backend_data_alloc(parent, length + 1);
  if (out == nullptr) return GIT_ERROR;
  std::memcpy(out, rest.data(), rest.size());
  stream.next_out = static_cast<Bytef*>(out) + rest.size();
  size_t left = length - rest.size();
  while (left > 0 && status == Z_OK) {
    const auto piece = static_cast<uInt>(std::min<size_t>(left, 1 << 30));
    stream.avail_out = piece;
    status = inflate(&stream, Z_SYNC_FLUSH);
    left -= piece - stream.avail_out;
    if (stream.avail_in == 0 && left > 0) break;
  }
  if (left > 0 || (status != Z_OK && status != Z_STREAM_END)) {
    git_odb_backend_data_free(parent, out);
    return Broken("loose object is cut short");
  }
  static_cast<char*>(out)[length] = '\0';
  *data = out;
  *size = length;
  return 0;
}

}  // namespace

Result<void> AddLooseBackend(git_odb* objects, const std::filesystem::path& folder) {
  auto* backend = new Backend{};
  git_odb_init_backend(&backend->parent, GIT_ODB_BACKEND_VERSION);
  backend->folder = folder;
  backend->parent.read = ReadLoose;
  backend->parent.free = [](git_odb_backend* parent) { delete reinterpret_cast<Backend*>(parent); };
  const int status = git_odb_add_backend(objects, &backend->parent, kLoosePriority);
  if (status == 0) return {};
  delete backend;
  return tl::unexpected(LibgitError(status, folder.string()));
}

}  // namespace bothy::git
