#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

#include "text/unicode_additions.h"

namespace bothy {
namespace internal {

CharKind KindOfWide(char32_t code) {
  const Category category = CategoryOf(code);
  if (IsLetter(category)) return CharKind::kLetter;
  if (IsNumber(category)) return CharKind::kNumber;
  return IsSpace(code) ? CharKind::kSpace : CharKind::kOther;
}

}  // namespace internal

Category CategoryOf(char32_t code) {
  static_assert(static_cast<int>(Category::kCo) == UTF8PROC_CATEGORY_CO);
  static_assert(static_cast<int>(Category::kNd) == UTF8PROC_CATEGORY_ND);
  static_assert(static_cast<int>(Category::kZs) == UTF8PROC_CATEGORY_ZS);
  const auto category = static_cast<Category>(utf8proc_category(static_cast<utf8proc_int32_t>(code)));
  if (category != Category::kCn) return category;
  const auto* range = std::ranges::lower_bound(internal::kNewCharacters, code, {}, &internal::CategoryRange::last);
  return range != std::end(internal::kNewCharacters) && range->first <= code ? range->category : Category::kCn;
}

bool IsWord(char32_t c) {
  if (c < 0x80) return c == '_' || internal::kAscii.kinds[c] == CharKind::kLetter || (c >= '0' && c <= '9');
  // Circled and squared letters are symbols by category and alphabetic all the same.
  if ((c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
      (c >= 0x1F170 && c <= 0x1F189)) {
    return true;
  }
  const Category category = CategoryOf(c);
  return IsLetter(category) || IsMark(category) || category == Category::kNd || category == Category::kNl ||
         category == Category::kPc;
}

}  // namespace bothy
