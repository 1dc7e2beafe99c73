// Which tokens of a vocabulary may come next: bit t % 64 of word t / 64 for token t.
#pragma once

#include <cstdint>
#include <span>

namespace bothy {

// The logits into `out`, of the same size (and the same memory, where that is wanted): minus infinity for every token
// that is not in the mask, or lies beyond it.
void ApplyMask(std::span<const uint64_t> mask, std::span<const float> logits, std::span<float> out);

}  // namespace bothy
