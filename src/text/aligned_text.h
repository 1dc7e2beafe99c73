// A text that was changed on its way to the model and still knows, byte by byte, which part of the original it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/utf8.h"

namespace bothy {

struct ByteSpan {
  uint32_t begin = 0, end = 0;
};

// A piece of text with its origin. Without `origin` it is a piece of the original itself, from byte `base` on.
struct Word {
  std::string_view text;
  const ByteSpan* origin = nullptr;  // one for each byte of text
  uint32_t base = 0;

  Word Part(size_t begin, size_t end) const {
    return {text.substr(begin, end - begin), origin != nullptr ? origin + begin : nullptr,
            base + (origin != nullptr ? 0 : static_cast<uint32_t>(begin))};
  }
  // The bytes of the original that the character with byte `at` stands for.
  ByteSpan OriginOf(size_t at) const {
    if (origin != nullptr) return origin[at];
    while (at > 0 && IsUtf8Continuation(text[at])) at--;
    const auto begin = base + static_cast<uint32_t>(at);
    return {begin, begin + Utf8Size(text[at])};
  }
  ByteSpan OriginOf(size_t begin, size_t end) const {
    if (begin >= end) return {};
    return {OriginOf(begin).begin, OriginOf(end - 1).end};
  }
};

// A new text built from pieces of an old one. Where nobody asks for offsets only the text is kept.
class AlignedText {
 public:
  explicit AlignedText(bool tracked) : tracked_(tracked) {}

  void Keep(const Word& from, size_t begin, size_t end) {  // copies a part
    text_.append(from.text.substr(begin, end - begin));
    if (!tracked_) return;
    for (size_t i = begin; i < end; i++) origin_.push_back(from.OriginOf(i));
  }
  void Put(std::string_view text, ByteSpan origin) {
    text_.append(text);
    if (tracked_) origin_.insert(origin_.end(), text.size(), origin);
  }
  void Put(char32_t code, ByteSpan origin) {
    const size_t before = text_.size();
    AppendUtf8(text_, code);
    if (tracked_) origin_.insert(origin_.end(), text_.size() - before, origin);
  }
  void Clear() {
    text_.clear();
    origin_.clear();
  }

  // The whole of it. Where origins are not kept every part looks as if it lay at `base`.
  Word word(uint32_t base) const { return {text_, tracked_ ? origin_.data() : nullptr, base}; }
  const std::string& text() const { return text_; }
  bool tracked() const { return tracked_; }

 private:
  std::string text_;
  std::vector<ByteSpan> origin_;
  bool tracked_;
};

}  // namespace bothy
