// What kind of character a code point is, as the patterns that cut text into words ask.
#pragma once

#include <cstdint>

namespace bothy {

// General categories of Unicode, two letters each, in utf8proc's order.
enum class Category : uint8_t {
  kCn,
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCs,
  kCo,
};

Category CategoryOf(char32_t code);

constexpr bool IsLetter(Category c) { return c >= Category::kLu && c <= Category::kLo; }
constexpr bool IsMark(Category c) { return c >= Category::kMn && c <= Category::kMe; }
constexpr bool IsNumber(Category c) { return c >= Category::kNd && c <= Category::kNo; }
constexpr bool IsPunctuation(Category c) { return c >= Category::kPc && c <= Category::kPo; }
constexpr bool IsSymbol(Category c) { return c >= Category::kSm && c <= Category::kSo; }

// The property White_Space, which is \s to Oniguruma and to Rust; PCRE's and Python's \s differ in a few.
constexpr bool IsSpace(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

// \w of Oniguruma and Rust: letters, marks, decimal and letter numbers, connecting punctuation.
bool IsWord(char32_t c);

// The four kinds that the famous patterns know.
enum class CharKind : uint8_t { kOther, kLetter, kNumber, kSpace };

namespace internal {
struct AsciiKinds {
  CharKind kinds[128] = {};
  constexpr AsciiKinds() {
    for (char32_t c = 0; c < 128; c++) {
      const char32_t lower = c | 0x20;
      kinds[c] = lower >= 'a' && lower <= 'z' ? CharKind::kLetter
                 : c >= '0' && c <= '9'       ? CharKind::kNumber
                 : IsSpace(c)                 ? CharKind::kSpace
                                              : CharKind::kOther;
    }
  }
};
inline constexpr AsciiKinds kAscii;
CharKind KindOfWide(char32_t code);
}  // namespace internal

inline CharKind KindOf(char32_t code) { return code < 128 ? internal::kAscii.kinds[code] : internal::KindOfWide(code); }

}  // namespace bothy
