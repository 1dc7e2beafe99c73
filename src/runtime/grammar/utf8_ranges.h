// Characters as the bytes that UTF-8 writes them with.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "runtime/grammar/code_points.h"

namespace bothy {

// Strings of `size` bytes whose byte i lies in [first[i], last[i]].
struct Utf8Range {
  uint32_t size = 0;
  std::array<uint8_t, 4> first{}, last{};
};

// Appends ranges that together match exactly the UTF-8 of `characters`, ascending. `characters` holds no surrogate.
void AppendUtf8Ranges(CodePointRange characters, std::vector<Utf8Range>& out);

}  // namespace bothy
