#include "codec/byte_reader.h"

#include <algorithm>

namespace bothy {

Result<void> ByteReader::Expect(uint64_t count, std::string_view what) const {
  if (count > remaining()) {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: {}: expected {} more bytes, the file ends at {}", source_.name(),
                offset(), what, count, source_.size());
  }
  if (offset() > limit_ || count > limit_ - offset()) {
    return Fail(ErrorCode::kResourceExhausted, "{}: offset {}: {}: {} more bytes would pass the limit of {}",
                source_.name(), offset(), what, count, limit_);
  }
  return {};
}

Result<void> ByteReader::Fill(uint64_t count, std::string_view what) {
  TRY(Expect(count, what));
  DCHECK(count <= kMaxView);
  start_ += position_;
  position_ = 0;
  filled_ = 0;
  // 64 KiB keeps the reads of a small file small; a vocabulary comes in a hundred of them.
  constexpr uint64_t kWindow = 64 << 10;
  const auto size = static_cast<size_t>(std::min(std::max(count, kWindow), source_.size() - start_));
  if (window_.size() < size) window_.resize(size);
  TRY(source_.Read(start_, std::span(window_).first(size)));
  filled_ = size;
  return {};
}

Result<void> ByteReader::Copy(std::span<std::byte> out, std::string_view what) {
  TRY(Expect(out.size(), what));
  const size_t here = std::min(out.size(), filled_ - position_);
  std::ranges::copy(std::span(window_).subspan(position_, here), out.begin());
  TRY(source_.Read(start_ + position_ + here, out.subspan(here)));
  return Skip(out.size(), what);
}

Result<void> ByteReader::Skip(uint64_t count, std::string_view what) {
  TRY(Expect(count, what));
  if (count <= filled_ - position_) {
    position_ += static_cast<size_t>(count);
  } else {
    start_ += position_ + count;
    position_ = filled_ = 0;
  }
  return {};
}

}  // namespace bothy
