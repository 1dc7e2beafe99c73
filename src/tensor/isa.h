// Which instruction set the kernels use: chosen once at start, from what the processor has, or by BOTHY_ISA.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"

namespace bothy {

enum class Isa {
  kScalar,  // plain C++: the reference of every kernel, and what runs on a processor without AVX2
  kAvx2,    // AVX2, FMA, F16C
  kAvx512,  // AVX-512 F, BW, DQ, VL and VNNI
};

std::string_view IsaName(Isa isa);  // "scalar", "avx2", "avx512": what BOTHY_ISA takes

// Everything this processor can run, kScalar first, the best last.
std::vector<Isa> SupportedIsas();

// The one that BOTHY_ISA names, or the best. Unknown or missing on this processor: kInvalidArgument.
Result<Isa> SelectIsa();

// The one in use: SelectIsa()'s at first (the best where BOTHY_ISA makes no sense, which main() reports before).
Isa CurrentIsa();

// Makes all kernels use `isa` from now on; for tests, which run every one of SupportedIsas().
void UseIsa(Isa isa);

}  // namespace bothy
