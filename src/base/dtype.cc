#include "base/dtype.h"

#include <array>

#include "base/error.h"

namespace bothy {
namespace {

constexpr std::array<DTypeInfo, kDTypeCount> kInfo = {{
    {"F64", 1, 8},      {"F32", 1, 4},      {"F16", 1, 2},      {"BF16", 1, 2},       {"F8_E4M3", 1, 1},
    {"F8_E5M2", 1, 1},  {"F8_E8M0", 1, 1},  {"I64", 1, 8},      {"I32", 1, 4},        {"I16", 1, 2},
    {"I8", 1, 1},       {"U64", 1, 8},      {"U32", 1, 4},      {"U16", 1, 2},        {"U8", 1, 1},
    {"BOOL", 1, 1},     {"C64", 1, 8},      {"Q4_0", 32, 18},   {"Q4_1", 32, 20},     {"Q5_0", 32, 22},
    {"Q5_1", 32, 24},   {"Q8_0", 32, 34},   {"Q2_K", 256, 84},  {"Q3_K", 256, 110},   {"Q4_K", 256, 144},
    {"Q5_K", 256, 176}, {"Q6_K", 256, 210}, {"IQ4_NL", 32, 18}, {"IQ4_XS", 256, 136}, {"MXFP4", 32, 17},
}};

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

const DTypeInfo& InfoOf(DType type) {
  DCHECK(static_cast<int>(type) < kDTypeCount);
  return kInfo[static_cast<size_t>(type)];
}

std::optional<DType> DTypeFromName(std::string_view name) {
  for (size_t i = 0; i < kInfo.size(); i++) {
    if (kInfo[i].name.size() != name.size()) continue;
    bool same = true;
    for (size_t c = 0; c < name.size(); c++) same = same && Upper(name[c]) == kInfo[i].name[c];
    if (same) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::optional<uint64_t> RowBytes(DType type, uint64_t elements) {
  const DTypeInfo& info = InfoOf(type);
  uint64_t bytes = 0;
  if (elements % info.elements != 0) return std::nullopt;
  if (__builtin_mul_overflow(elements / info.elements, uint64_t{info.bytes}, &bytes)) return std::nullopt;
  return bytes;
}

}  // namespace bothy
