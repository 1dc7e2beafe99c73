#include "codec/xet/lz4_frame.h"

#include <lz4frame.h>

namespace bothy::xet {

struct Lz4Frames::Context {
  LZ4F_dctx* context = nullptr;
  ~Context() { LZ4F_freeDecompressionContext(context); }
};

Lz4Frames::Lz4Frames() = default;
Lz4Frames::~Lz4Frames() = default;
Lz4Frames::Lz4Frames(Lz4Frames&&) noexcept = default;
Lz4Frames& Lz4Frames::operator=(Lz4Frames&&) noexcept = default;

Result<void> Lz4Frames::Unpack(std::span<const std::byte> frame, std::span<std::byte> out) {
  if (context_ == nullptr) {
    context_ = std::make_unique<Context>();
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context_->context, LZ4F_VERSION))) {
      context_ = nullptr;
      return Fail(ErrorCode::kResourceExhausted, "no memory to unpack LZ4");
    }
  }
  LZ4F_resetDecompressionContext(context_->context);
  LZ4F_decompressOptions_t options = {};
  options.stableDst = 1;  // what was written to `out` stays there, so that the library need not copy it
  const size_t size = out.size(), packed = frame.size();
  while (true) {
    size_t written = out.size(), read = frame.size();
    const size_t more = LZ4F_decompress(context_->context, out.data(), &written, frame.data(), &read, &options);
    if (LZ4F_isError(more)) return Fail(ErrorCode::kCorrupt, "no LZ4 frame: {}", LZ4F_getErrorName(more));
    out = out.subspan(written);
    frame = frame.subspan(read);
    if (more == 0) break;
    if (written == 0 && read == 0) {
      if (frame.empty()) return Fail(ErrorCode::kCorrupt, "an LZ4 frame that does not end within its {} bytes", packed);
      return Fail(ErrorCode::kCorrupt, "an LZ4 frame of more than the {} bytes that it should have", size);
    }
  }
  if (!out.empty()) {
    return Fail(ErrorCode::kCorrupt, "expected an LZ4 frame of {} bytes, found {}", size, size - out.size());
  }
  if (!frame.empty()) return Fail(ErrorCode::kCorrupt, "{} bytes after the end of an LZ4 frame", frame.size());
  return {};
}

}  // namespace bothy::xet
