// What the tests of this folder share with the scripts that made their golden files: values that both can compute, and
// the hash that stands for arrays.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "codec/array_writer.h"
#include "tensor/quant/quant.h"

namespace bothy {

// values() of tools/golden/quantize_model.py.
inline std::vector<float> GoldenValues(size_t seed, uint64_t count) {
  std::vector<float> values(count);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t u = i * 2654435761u + 12345u + 977u * static_cast<uint32_t>(seed);
    u ^= u >> 15;
    const float x = static_cast<float>(static_cast<int>(u >> 8) - (1 << 23)) / static_cast<float>(1 << 23);
    values[i] = x * x * x * std::ldexp(1.0f, -static_cast<int>((i >> 11) % 7));
  }
  return values;
}

inline uint64_t GoldenHash(std::string_view bytes) {  // FNV-1a
  uint64_t hash = 1469598103934665603u;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 1099511628211u;
  return hash;
}

// Produces the GoldenValues of each array, seeded with its index. `change` may spoil them.
inline ArrayProducer GoldenProducer(const std::vector<ArraySpec>& arrays,
                                    std::function<void(size_t, std::vector<float>&)> change = {}) {
  return [&arrays, change = std::move(change)](size_t i, ArraySink& sink) {
    uint64_t count = 1;
    for (const uint64_t size : arrays[i].shape) count *= size;
    std::vector<float> values = GoldenValues(i, count);
    if (change) change(i, values);
    std::vector<std::byte> bytes(SizeOf(arrays[i]).value());
    Quantize(arrays[i].dtype, values.data(), values.size(), bytes.data());
    return sink.Write(bytes);
  };
}

}  // namespace bothy
