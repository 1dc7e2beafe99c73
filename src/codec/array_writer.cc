#include "codec/array_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace bothy {

Result<uint64_t> SizeOf(const ArraySpec& array) {
  const auto row = RowBytes(array.dtype, array.shape.empty() ? 1 : array.shape.back());
  uint64_t size = row.value_or(0);
  bool fits = row.has_value();
  for (size_t i = 0; i + 1 < array.shape.size(); i++) {
    fits = fits && !__builtin_mul_overflow(size, array.shape[i], &size);
  }
  if (fits) return size;
  return Fail(ErrorCode::kInvalidArgument, "array \"{}\": {} cannot have the shape [{}]", array.name,
              DTypeName(array.dtype), fmt::join(array.shape, ", "));
}

Result<void> CheckNames(std::span<const ArraySpec> arrays) {
  std::vector<std::string_view> names;
  for (const ArraySpec& array : arrays) names.push_back(array.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice == names.end()) return {};
  return Fail(ErrorCode::kInvalidArgument, "array \"{}\" is there twice", *twice);
}

Result<void> ArraySink::Write(std::span<const std::byte> bytes) {
  if (bytes.size() > left_) {
    return Fail(ErrorCode::kInternal, "{}: offset {}: {} bytes were made for an array that has room for {}",
                file_.name(), file_.offset(), bytes.size(), left_);
  }
  left_ -= bytes.size();
  return file_.Write(bytes);
}

Result<void> WriteArray(OutputFile& file, const ArraySpec& array, size_t index, const ArrayProducer& produce) {
  ArraySink sink(file, TRY(SizeOf(array)));
  TRY(produce(index, sink));
  if (sink.left() == 0) return {};
  return Fail(ErrorCode::kInternal, "{}: array \"{}\": {} bytes of it were not made", file.name(), array.name,
              sink.left());
}

}  // namespace bothy
