#include "api/stored_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bothy::api {
namespace {

constexpr size_t kOpenAtOnce = 16;

// The first parts of bytes [begin, end), of at most kOpenAtOnce blobs.
Result<std::vector<net::FileSlice>> OpenParts(Hub& hub, const xet::Hash& hash, uint64_t begin, uint64_t end) {
  std::vector<net::FileSlice> parts;
  std::optional<BlobName> open;
  for (const content::BlobRange& range : TRY(hub.content().Ranges(hash, begin, end))) {
    if (open != range.blob) {
      if (parts.size() == kOpenAtOnce) break;
      const auto slice = TRY(hub.blobs().OpenSlice(range.blob, range.offset, range.size));
      if (!slice) return Fail(ErrorCode::kUnimplemented, "blobs that are no files cannot be sent yet");
      const int descriptor = dup(slice->fd());
      if (descriptor < 0) return Fail(ErrorCode::kUnavailable, "no file can be opened: {}", strerror(errno));
      parts.push_back({std::make_shared<net::FileHandle>(descriptor), range.offset, range.size});
      open = range.blob;
    } else {
      parts.push_back({parts.back().file, range.offset, range.size});
    }
  }
  return parts;
}

}  // namespace

net::Task<Result<void>> WriteStored(Service& service, xet::Hash hash, net::ByteRange range, net::BodyWriter& body) {
  const uint64_t end = range.first + range.length;
  for (uint64_t at = range.first; at < end;) {
    auto opened = co_await net::RunBlocking(service.workers, [&] { return OpenParts(service.hub, hash, at, end); });
    for (net::FileSlice& part : CO_TRY(opened)) {
      at += part.length;
      auto written = co_await body.WriteFile(std::move(part));
      CO_TRY(written);
    }
  }
  co_return Result<void>();
}

}  // namespace bothy::api
