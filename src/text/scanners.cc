#include "text/scanners.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "text/split_patterns.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace bothy {
namespace {

// Reads characters and what kind they are.
class Reader {
 public:
  explicit Reader(std::string_view text) : data_(text.data()), size_(text.size()) {}

  size_t size() const { return size_; }
  char32_t Code(size_t at) const { return ReadUtf8(data_ + at).code; }
  char At(size_t at) const { return at < size_ ? data_[at] : '\0'; }
  bool Is(size_t at, CharKind kind) const { return at < size_ && Kind(at) == kind; }
  CharKind Kind(size_t at) const {
    const auto byte = static_cast<uint8_t>(data_[at]);
    return byte < 0x80 ? internal::kAscii.kinds[byte] : internal::KindOfWide(Code(at));
  }
  size_t Next(size_t at) const { return at + Utf8Size(data_[at]); }

  // The end of a run of one kind that begins at `at`, of at most `most` characters.
  size_t Run(size_t at, CharKind kind, size_t most = ~size_t{0}) const {
    for (; most > 0 && Is(at, kind); most--) at = Next(at);
    return at;
  }

 private:
  const char* data_;
  size_t size_;
};

bool IsLineEnd(char c) { return c == '\r' || c == '\n'; }

// The end of 's 't 're 've 'm 'll 'd, or `at`. Without regard to case, the long s is an s, too.
template <bool kAnyCase>
size_t Contraction(const Reader& reader, size_t at) {
  if (reader.At(at) != '\'' || at + 1 >= reader.size()) return at;
  if (kAnyCase && reader.Code(at + 1) == 0x17F) return at + 3;
  const auto letter = [&](size_t i) {
    const char c = reader.At(i);
    return kAnyCase && c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  };
  const char first = letter(at + 1), second = letter(at + 2);
  switch (first) {
    case 's':
    case 't':
    case 'm':
    case 'd': return at + 2;
    case 'r':
    case 'v': return second == 'e' ? at + 3 : at;
    case 'l': return second == 'l' ? at + 3 : at;
    default: return at;
  }
}

// \s+(?!\S)|\s+ : white space, without its last character where something follows that is none.
size_t SpacesBeforeWord(const Reader& reader, size_t begin) {
  size_t end = reader.Next(begin), last = begin;
  while (reader.Is(end, CharKind::kSpace)) {
    last = end;
    end = reader.Next(end);
  }
  return end == reader.size() || last == begin ? end : last;
}

size_t ScanGpt2(std::string_view text, size_t begin) {
  const Reader reader(text);
  if (const size_t end = Contraction<false>(reader, begin); end > begin) return end;
  // " ?" and a run of one kind that is not white space.
  const size_t word = reader.At(begin) == ' ' ? begin + 1 : begin;
  if (word < reader.size()) {
    if (const CharKind kind = reader.Kind(word); kind != CharKind::kSpace) return reader.Run(word, kind);
  }
  return SpacesBeforeWord(reader, begin);
}

template <size_t kDigits>
size_t ScanLlama3(std::string_view text, size_t begin) {
  const Reader reader(text);
  if (const size_t end = Contraction<true>(reader, begin); end > begin) return end;
  const CharKind kind = reader.Kind(begin);
  if (kind == CharKind::kLetter) return reader.Run(begin, CharKind::kLetter);
  if (kind == CharKind::kNumber) return reader.Run(begin, CharKind::kNumber, kDigits);
  const size_t second = reader.Next(begin);
  if (!IsLineEnd(reader.At(begin)) && reader.Is(second, CharKind::kLetter)) {
    return reader.Run(second, CharKind::kLetter);
  }
  const size_t signs = reader.At(begin) == ' ' ? second : begin;
  if (reader.Is(signs, CharKind::kOther)) {
    size_t end = reader.Run(signs, CharKind::kOther);
    while (IsLineEnd(reader.At(end)) && end < reader.size()) end++;
    return end;
  }
  // \s*[\r\n]+ : white space up to its last line end.
  size_t end = begin, line_end = begin;
  while (reader.Is(end, CharKind::kSpace)) {
    const bool ends_line = IsLineEnd(reader.At(end));
    end = reader.Next(end);
    if (ends_line) line_end = end;
  }
  return line_end > begin ? line_end : SpacesBeforeWord(reader, begin);
}

struct KnownPattern {
  std::string_view pattern;
  WordScanner scanner;
};
constexpr std::array kKnown = {
    KnownPattern{kGpt2Pattern, ScanGpt2},
    KnownPattern{kLlama3Pattern, ScanLlama3<3>},
    KnownPattern{kQwen2Pattern, ScanLlama3<1>},
};

}  // namespace

WordScanner FindScanner(std::string_view pattern) {
  const auto found = std::ranges::find(kKnown, pattern, &KnownPattern::pattern);
  return found != kKnown.end() ? found->scanner : nullptr;
}

}  // namespace bothy
