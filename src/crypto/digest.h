// What hash functions return.
#pragma once

#include <array>
#include <cstddef>

namespace bothy {

using Digest160 = std::array<std::byte, 20>;  // SHA-1
using Digest256 = std::array<std::byte, 32>;  // SHA-256, BLAKE3

}  // namespace bothy
