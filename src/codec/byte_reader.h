// Reads a source from front to back, through a window, little-endian; every message names file, offset and what was
// expected.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"

namespace bothy {

static_assert(std::endian::native == std::endian::little, "files are little-endian and are read as they lie");

class ByteReader {
 public:
  // Asking for bytes past `limit`, where the file has them, is kResourceExhausted.
  explicit ByteReader(const ByteSource& source, uint64_t limit = ~uint64_t{0}) : source_(source), limit_(limit) {}

  uint64_t offset() const { return start_ + position_; }
  uint64_t remaining() const { return source_.size() - offset(); }

  // `what` names the thing that is read, for the message where the file ends before it does.
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  Result<T> Number(std::string_view what) {
    TRY(Need(sizeof(T), what));
    std::array<std::byte, sizeof(T)> bytes;
    std::memcpy(bytes.data(), window_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return std::bit_cast<T>(bytes);
  }

  // A view into the window, until the next call. `count` is at most kMaxView.
  static constexpr size_t kMaxView = size_t{1} << 20;
  Result<std::string_view> View(uint64_t count, std::string_view what) {
    TRY(Need(count, what));
    const auto* text = reinterpret_cast<const char*>(window_.data() + position_);
    position_ += count;
    return std::string_view(text, count);
  }

  // Larger things, past the window.
  Result<void> Copy(std::span<std::byte> out, std::string_view what);
  Result<void> Skip(uint64_t count, std::string_view what);

  void Restart() { start_ = position_ = filled_ = 0; }

  // The error of reading `count` bytes, without reading them.
  Result<void> Expect(uint64_t count, std::string_view what) const;

 private:
  Result<void> Need(uint64_t count, std::string_view what) {
    if (count <= filled_ - position_) [[likely]]
      return {};
    return Fill(count, what);
  }
  Result<void> Fill(uint64_t count, std::string_view what);

  const ByteSource& source_;
  std::vector<std::byte> window_;  // the source from start_ on; filled_ bytes of it
  uint64_t limit_;
  uint64_t start_ = 0;
  size_t position_ = 0;  // in the window
  size_t filled_ = 0;
};

}  // namespace bothy
