#include "runtime/grammar/token_mask.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace bothy {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

}  // namespace

void ApplyMask(std::span<const uint64_t> mask, std::span<const float> logits, std::span<float> out) {
  CHECK(out.size() == logits.size());
  for (size_t begin = 0; begin < logits.size(); begin += 64) {
    const uint64_t word = begin / 64 < mask.size() ? mask[begin / 64] : 0;
    const size_t count = std::min<size_t>(64, logits.size() - begin);
    // Most words are all of one kind.
    if (word == 0) {
      std::fill_n(out.data() + begin, count, kForbidden);
    } else if (word == ~uint64_t{0}) {
      if (out.data() != logits.data()) std::copy_n(logits.data() + begin, count, out.data() + begin);
    } else {
      for (size_t i = 0; i < count; i++) out[begin + i] = (word >> i & 1) != 0 ? logits[begin + i] : kForbidden;
    }
  }
}

}  // namespace bothy
