#include "text/hash_table.h"

#include <random>

namespace bothy {

uint64_t HashSeed() {
  static const uint64_t seed = [] {
    std::random_device device;
    return uint64_t{device()} << 32 | device();
  }();
  return seed;
}

uint64_t HashBytes(std::string_view bytes, uint64_t seed) {
  const auto load = [&bytes](size_t offset, size_t count) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + offset, count);
    return word;
  };
  uint64_t hash = seed ^ bytes.size() * 0x9E3779B97F4A7C15;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) hash = MixHash(hash ^ load(i, 8), 0xD6E8FEB86659FD93 ^ seed);
  if (i < bytes.size()) hash = MixHash(hash ^ load(i, bytes.size() - i), 0xCA5A826395121157 ^ seed);
  return MixHash(hash, 0x9E3779B97F4A7C15);
}

}  // namespace bothy
