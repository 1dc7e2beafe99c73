// Which tokens of a vocabulary may come next: bit t % 64 of word t / 64 for token t.
#pragma once

#include <cstdint>
#include <span>

namespace bothy {

// Minus infinity for every logit whose token is not in the mask, or lies beyond it.
void ApplyMask(std::span<const uint64_t> mask, std::span<float> logits);

// The same into `out`, of the same size as `logits`.
void ApplyMask(std::span<const uint64_t> mask, std::span<const float> logits, std::span<float> out);

}  // namespace bothy
