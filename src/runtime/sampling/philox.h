// Random numbers by counting: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011). The number for a token depends on
// (seed, sequence, position) alone, so neither the number of threads nor the batch a sequence runs in changes a text.
#pragma once

#include <array>
#include <cstdint>

namespace bothy {

inline std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; round++) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// What a token's draw is keyed by: its number in the sequence, and the sequence's number in the request (0 where there
// is only one). `draw` tells apart several draws for one token.
struct RandomKey {
  uint64_t seed = 0;
  uint32_t sequence = 0;
  uint64_t position = 0;
  uint32_t draw = 0;
};

// In [0, 1), all 53 bits of it.
inline double UniformNumber(const RandomKey& key) {
  const auto words = Philox4x32(
      {static_cast<uint32_t>(key.position), static_cast<uint32_t>(key.position >> 32), key.sequence, key.draw},
      {static_cast<uint32_t>(key.seed), static_cast<uint32_t>(key.seed >> 32)});
  return static_cast<double>((uint64_t{words[0]} << 21) | (words[1] >> 11)) * 0x1p-53;
}

}  // namespace bothy
