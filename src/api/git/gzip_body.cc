#include "api/git/gzip_body.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace bothy::api {
namespace {

constexpr size_t kPiece = 16 << 10;
constexpr int kGzipOnly = MAX_WBITS + 16;

}  // namespace

struct GzipBody::Stream {
  z_stream zlib = {};
  bool open = false;
  bool ended = false;
  std::array<std::byte, kPiece> input;

  Stream() { open = inflateInit2(&zlib, kGzipOnly) == Z_OK; }
  ~Stream() {
    if (open) inflateEnd(&zlib);
  }
};

GzipBody::GzipBody(net::BodyReader& compressed) : compressed_(compressed), stream_(std::make_unique<Stream>()) {}
GzipBody::~GzipBody() = default;

net::Task<Result<size_t>> GzipBody::Read(std::span<std::byte> out) {
  z_stream& zlib = stream_->zlib;
  if (!stream_->open) co_return Fail(ErrorCode::kResourceExhausted, "inflate: no memory");
  out = out.first(std::min<size_t>(out.size(), UINT32_MAX));
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  while (!stream_->ended && zlib.avail_out == out.size()) {
    if (zlib.avail_in == 0) {
      auto read = co_await compressed_.Read(stream_->input);
      const size_t bytes = CO_TRY(read);
      if (bytes == 0) co_return Fail(ErrorCode::kCorrupt, "the compressed content ends too early");
      zlib.next_in = reinterpret_cast<Bytef*>(stream_->input.data());
      zlib.avail_in = static_cast<uInt>(bytes);
    }
    const int status = inflate(&zlib, Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      stream_->ended = true;
    } else if (status != Z_OK) {
      co_return Fail(ErrorCode::kCorrupt, "the compressed content: {}", zlib.msg != nullptr ? zlib.msg : "damaged");
    }
  }
  const size_t given = out.size() - zlib.avail_out;
  if (given > 0 || !stream_->ended) co_return given;
  // Nothing comes behind the end. Reading that far lets the connection be used again.
  if (zlib.avail_in > 0) co_return Fail(ErrorCode::kCorrupt, "something follows the compressed content");
  auto read = co_await compressed_.Read(stream_->input);
  if (CO_TRY(read) > 0) co_return Fail(ErrorCode::kCorrupt, "something follows the compressed content");
  co_return 0;
}

}  // namespace bothy::api
