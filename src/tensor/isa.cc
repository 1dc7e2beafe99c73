#include "tensor/isa.h"

#include <hwy/highway.h>

#include <atomic>
#include <cstdlib>

namespace bothy {
namespace {
std::atomic<Isa> g_isa = Isa::kScalar;
}

std::string_view IsaName(Isa isa) {
  switch (isa) {
    case Isa::kScalar: return "scalar";
    case Isa::kAvx2: return "avx2";
    case Isa::kAvx512: return "avx512";
  }
  return "unknown";
}

std::vector<Isa> SupportedIsas() {
  std::vector<Isa> isas = {Isa::kScalar};
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) {
    isas.push_back(Isa::kAvx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")) {
      isas.push_back(Isa::kAvx512);
    }
  }
#endif
  return isas;
}

Result<Isa> SelectIsa() {
  const std::vector<Isa> isas = SupportedIsas();
  const char* wanted = std::getenv("BOTHY_ISA");
  if (wanted == nullptr || *wanted == '\0') return isas.back();
  std::string have;
  for (const Isa isa : isas) {
    if (IsaName(isa) == wanted) return isa;
    have += have.empty() ? "" : ", ";
    have += IsaName(isa);
  }
  return Fail(ErrorCode::kInvalidArgument, "BOTHY_ISA={}: this processor has {}", wanted, have);
}

Isa CurrentIsa() {
  static const bool chosen = (UseIsa(SelectIsa().value_or(SupportedIsas().back())), true);
  return chosen ? g_isa.load(std::memory_order_relaxed) : Isa::kScalar;
}

void UseIsa(Isa isa) {
  g_isa.store(isa, std::memory_order_relaxed);
  // Highway chooses the targets of tensor/ops.cc and tensor/attention.cc by itself; it may use no more than this.
  int64_t above = 0;
  if (isa != Isa::kAvx512) above |= HWY_AVX3 | HWY_AVX3_DL;
  if (isa == Isa::kScalar) above |= HWY_AVX2 | HWY_SSE4 | HWY_SSSE3;
  hwy::SetSupportedTargetsForTest(0);
  const int64_t targets = hwy::SupportedTargets() & ~above;
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(targets);
}

}  // namespace bothy
