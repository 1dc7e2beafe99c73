#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <numeric>
#include <string_view>

#include "codec/safetensors.h"

namespace bothy {
namespace {

// safetensors/src/tensor.rs, enum Dtype, from its end: wider elements come first, so that every array lies at a
// multiple of its element's size without padding.
constexpr DType kOrder[] = {DType::kU64,    DType::kI64,    DType::kF64, DType::kC64, DType::kF32, DType::kU32,
                            DType::kI32,    DType::kBF16,   DType::kF16, DType::kU16, DType::kI16, DType::kF8E8M0,
                            DType::kF8E4M3, DType::kF8E5M2, DType::kI8,  DType::kU8,  DType::kBool};

constexpr std::string_view kMetadataKey = "__metadata__";

std::string Quoted(std::string_view text) { return boost::json::serialize(boost::json::string(text)); }

}  // namespace

Result<void> WriteSafetensors(const std::filesystem::path& path, const SafetensorsMetadata& metadata,
                              std::span<const ArraySpec> arrays, const ArrayProducer& produce) {
  const std::string name = path.string();
  TRY_CONTEXT(name, CheckNames(arrays));
  std::vector<std::pair<long, size_t>> order;  // place of the type in kOrder, index
  for (size_t i = 0; i < arrays.size(); i++) {
    const auto place = std::ranges::find(kOrder, arrays[i].dtype) - std::begin(kOrder);
    if (arrays[i].name == kMetadataKey) {
      return Fail(ErrorCode::kInvalidArgument, "{}: no array can have the name \"{}\"", name, kMetadataKey);
    }
    if (place == std::ssize(kOrder)) {
      return Fail(ErrorCode::kInvalidArgument, "{}: array \"{}\": safetensors has no elements of type {}", name,
                  arrays[i].name, DTypeName(arrays[i].dtype));
    }
    order.emplace_back(place, i);
  }
  std::ranges::sort(order, {}, [&](const auto& entry) {
    return std::pair(entry.first, std::string_view(arrays[entry.second].name));
  });

  std::string header = "{";
  if (!metadata.empty()) {
    header += fmt::format("\"{}\":{{", kMetadataKey);
    for (const auto& [key, value] : metadata) {
      header += fmt::format("{}{}:{}", header.back() == '{' ? "" : ",", Quoted(key), Quoted(value));
    }
    header += "}";
  }
  uint64_t offset = 0;
  for (const auto& [place, i] : order) {
    const ArraySpec& array = arrays[i];
    const auto size = TRY_CONTEXT(name, SizeOf(array));
    const uint64_t begin = offset;
    if (__builtin_add_overflow(offset, size, &offset)) {
      return Fail(ErrorCode::kInvalidArgument, "{}: the arrays together pass 2^64 bytes", name);
    }
    header +=
        fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", header.size() == 1 ? "" : ",",
                    Quoted(array.name), DTypeName(array.dtype), fmt::join(array.shape, ","), begin, offset);
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  if (header.size() > kMaxSafetensorsHeader) {
    return Fail(ErrorCode::kInvalidArgument, "{}: the header would have {} bytes, the format allows {}", name,
                header.size(), kMaxSafetensorsHeader);
  }

  const auto file = TRY(OutputFile::Create(path));
  const uint64_t length = header.size();
  TRY(file->Write(std::as_bytes(std::span(&length, 1))));
  TRY(file->Write(header));
  for (const auto& [place, i] : order) TRY(WriteArray(*file, arrays[i], i, produce));
  return file->Commit();
}

}  // namespace bothy
