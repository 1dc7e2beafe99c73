// What every target that opens a checkpoint does with it: reads what is not too large, as a loader would.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/checkpoint.h"
#include "input.h"

namespace bothy {

inline void ReadArrays(const Checkpoint& checkpoint) {
  constexpr uint64_t kMaxArray = 1 << 20;
  std::vector<std::byte> bytes;
  uint64_t left = 16 * kMaxArray;
  for (const ArrayInfo& array : checkpoint.arrays()) {
    if (array.size > kMaxArray || array.size > left) continue;
    left -= array.size;
    bytes.resize(static_cast<size_t>(array.size));
    (void)checkpoint.Read(array, 0, bytes);
  }
}

}  // namespace bothy
