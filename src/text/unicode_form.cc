#include "text/unicode_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace bothy {
namespace {

struct FormChar {
  char32_t code;
  int change;  // as Rewriter::Put takes it
  uint8_t combining_class;
  uint32_t place = 0;  // where it stood before it was ordered
};

// Below this no character changes and none combines with the one before.
char32_t FirstThatMatters(UnicodeForm form) {
  switch (form) {
    case UnicodeForm::kNfc: return 0x300;
    case UnicodeForm::kNfd: return 0xC0;
    default: return 0xA0;
  }
}

bool Composes(UnicodeForm form) { return form == UnicodeForm::kNfc || form == UnicodeForm::kNfkc; }

// Whether neither the character nor what it stands beside can change.
bool IsInert(char32_t code) {
  if ((code >= 0x1100 && code < 0x1200) || (code >= 0xAC00 && code < 0xD7B0)) return false;  // Hangul, by arithmetic
  const utf8proc_property_t* p = utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
  return p->combining_class == 0 && p->decomp_seqindex == UINT16_MAX && p->comb_index == UINT16_MAX;
}

uint8_t CombiningClass(char32_t code) {
  return static_cast<uint8_t>(utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->combining_class);
}

void Decompose(char32_t code, bool compatible, std::vector<FormChar>& out) {
  std::array<utf8proc_int32_t, 32> parts;  // the longest decomposition has 18
  int last_boundary = 0;
  const int options = UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), parts.data(), parts.size(),
                                             static_cast<utf8proc_option_t>(options), &last_boundary);
  if (count <= 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) {
    out.push_back({code, 0, CombiningClass(code)});
    return;
  }
  for (utf8proc_ssize_t i = 0; i < count; i++) {
    const auto part = static_cast<char32_t>(parts[static_cast<size_t>(i)]);
    out.push_back({part, i == 0 ? 0 : 1, CombiningClass(part)});
  }
}

std::optional<char32_t> Compose(char32_t first, char32_t second) {
  std::array<utf8proc_int32_t, 2> pair = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second)};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair.data(), 2, options) != 1) return std::nullopt;
  return static_cast<char32_t>(pair[0]);
}

// Canonical order: within a run of marks by combining class.
void Reorder(std::vector<FormChar>& chars) {
  for (size_t begin = 0; begin < chars.size();) {
    size_t end = begin;
    while (end < chars.size() && chars[end].combining_class != 0) end++;
    for (size_t i = begin; i < end; i++) chars[i].place = static_cast<uint32_t>(i);
    std::sort(chars.begin() + static_cast<ptrdiff_t>(begin), chars.begin() + static_cast<ptrdiff_t>(end),
              [](const FormChar& a, const FormChar& b) {
                return std::pair(a.combining_class, a.place) < std::pair(b.combining_class, b.place);
              });
    begin = end + 1;
  }
}

// The canonical composition algorithm (UAX 15, D117): a character joins the last starter unless one of its own class or
// higher stands between.
void Recompose(std::vector<FormChar>& chars) {
  size_t kept = 0;
  std::optional<size_t> starter;
  int last_class = -1;  // of what was kept since the starter
  for (const FormChar c : chars) {
    if (starter && last_class < static_cast<int>(c.combining_class)) {
      FormChar& base = chars[*starter];
      if (const auto composed = Compose(base.code, c.code)) {
        base.code = *composed;
        base.change += c.change - 1;
        continue;
      }
    }
    if (c.combining_class == 0) {
      starter = kept;
      last_class = -1;
    } else {
      last_class = c.combining_class;
    }
    chars[kept++] = c;
  }
  chars.resize(kept);
}

}  // namespace

bool IsPlainlyInForm(UnicodeForm form, std::string_view text) {
  // A lead byte of at least CC is a character from U+0300 on, C3 from U+00C0, C2 from U+0080.
  const uint8_t limit = form == UnicodeForm::kNfc ? 0xCC : form == UnicodeForm::kNfd ? 0xC3 : 0xC2;
  return std::ranges::all_of(text, [limit](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return byte < limit && (byte < 0x80 || byte >= 0xC0 || limit > 0xC2);
  });
}

void PutInForm(UnicodeForm form, const Word& from, AlignedText& to) {
  const char32_t matters = FirstThatMatters(form);
  const bool compatible = form == UnicodeForm::kNfkc || form == UnicodeForm::kNfkd;
  const std::string_view text = from.text;
  Rewriter rewriter(from, to);
  std::vector<FormChar> chars;
  size_t at = 0;
  while (at < text.size()) {
    // What is inert, or lies between characters too small to matter, is copied.
    size_t begin = at;
    while (begin < text.size()) {
      const Utf8Char c = ReadUtf8(text.data() + begin);
      const size_t next = begin + c.size;
      const bool before_small = next == text.size() || ReadUtf8(text.data() + next).code < matters;
      if (!(c.code < matters && before_small) && !IsInert(c.code)) break;
      begin = next;
    }
    rewriter.KeepTo(begin);
    chars.clear();
    size_t end = begin;
    while (end < text.size()) {
      const Utf8Char c = ReadUtf8(text.data() + end);
      if (end > begin && (c.code < 0x80 || IsInert(c.code))) break;
      Decompose(c.code, compatible, chars);
      end += c.size;
    }
    Reorder(chars);
    if (Composes(form)) Recompose(chars);
    for (const FormChar& c : chars) rewriter.Put(c.code, c.change);
    at = end;
    if (rewriter.at() != at) rewriter.Skip(at - rewriter.at());
  }
}

}  // namespace bothy
