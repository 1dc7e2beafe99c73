// The name of a blob: the hash of its content, 32 bytes as 64 lowercase hexadecimal digits. No other text can become
// one, so a name is safe in a path, in an address and in a log.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy {

class BlobName {
 public:
  static constexpr size_t kLength = 64;

  static bool Valid(std::string_view text) {
    return text.size() == kLength && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  }
  static Result<BlobName> Parse(std::string_view text) {
    if (Valid(text)) return BlobName(text);
    return Fail(ErrorCode::kInvalidArgument, "a blob's name is {} lowercase hexadecimal digits, found {} bytes",
                kLength, text.size());
  }

  const std::string& text() const { return text_; }
  auto operator<=>(const BlobName&) const = default;

 private:
  explicit BlobName(std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace bothy
