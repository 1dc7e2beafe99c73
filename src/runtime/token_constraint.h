// What may come next in a text that has to follow rules: a grammar's side of generation.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"

namespace bothy {

class TokenConstraint {  // Of one continuation.
 public:
  virtual ~TokenConstraint() = default;

  // The tokens that may come next: bit t % 64 of word t / 64 for token t, words for the whole vocabulary; valid until
  // the next call. Empty where all may. At least one may, be it only an end token.
  virtual Result<std::span<const uint64_t>> Mask() = 0;

  // A token that Mask() allows has been chosen.
  virtual Result<void> Accept(int32_t token) = 0;
};

}  // namespace bothy
