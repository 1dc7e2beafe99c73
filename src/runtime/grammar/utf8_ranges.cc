#include "runtime/grammar/utf8_ranges.h"

#include <algorithm>
#include <string>

#include "text/utf8.h"

namespace bothy {

// The method of RE2 and of Rust's utf8-ranges: cut where the number of bytes changes, and then where the last bytes do
// not run from 80 to BF; what is left is a product of ranges of bytes.
void AppendUtf8Ranges(CodePointRange characters, std::vector<Utf8Range>& out) {
  const auto [first, last] = characters;
  for (const char32_t end : {char32_t{0x7F}, char32_t{0x7FF}, char32_t{0xFFFF}}) {
    if (first <= end && last > end) {
      AppendUtf8Ranges({first, end}, out);
      AppendUtf8Ranges({end + 1, last}, out);
      return;
    }
  }
  if (last > 0x7F) {
    for (int tail = 1; tail < 4; tail++) {
      const char32_t low = (char32_t{1} << (6 * tail)) - 1;  // the bits of the last `tail` bytes
      if ((first & ~low) == (last & ~low)) break;
      if ((first & low) != 0) {
        AppendUtf8Ranges({first, first | low}, out);
        AppendUtf8Ranges({(first | low) + 1, last}, out);
        return;
      }
      if ((last & low) != low) {
        AppendUtf8Ranges({first, (last & ~low) - 1}, out);
        AppendUtf8Ranges({last & ~low, last}, out);
        return;
      }
    }
  }
  std::string from, to;
  AppendUtf8(from, first);
  AppendUtf8(to, last);
  Utf8Range range{.size = static_cast<uint32_t>(from.size())};
  std::ranges::copy(from, range.first.begin());
  std::ranges::copy(to, range.last.begin());
  out.push_back(range);
}

}  // namespace bothy
