#include "models/weights.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/error.h"
#include "tensor/quant/quant.h"

namespace bothy {
namespace {

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text;
  for (const uint64_t n : shape) text += (text.empty() ? "" : " x ") + std::to_string(n);
  return text.empty() ? "a single number" : text;
}

}  // namespace

WeightReader::WeightReader(const Checkpoint& checkpoint, ThreadPool& pool, const LoadOptions& options)
    : checkpoint_(checkpoint), pool_(pool), options_(options), read_(checkpoint.arrays().size()) {
  for (const ArrayInfo& array : checkpoint.arrays()) total_ += array.size;
}

Result<const ArrayInfo*> WeightReader::Find(std::string_view name, const std::vector<uint64_t>& shape) const {
  const ArrayInfo* array = TRY(checkpoint_.Get(name));
  if (array->shape != shape) {
    return Fail(ErrorCode::kCorrupt, "{}: array \"{}\": expected a shape of {}, found {}",
                checkpoint_.SourceOf(*array).name(), name, ShapeText(shape), ShapeText(array->shape));
  }
  return array;
}

Result<void> WeightReader::CheckShape(std::string_view name, const std::vector<uint64_t>& shape) const {
  TRY(Find(name, shape));
  return {};
}

void WeightReader::Count(const ArrayInfo& array) {
  parameters_ += ElementCount(array);
  read_[static_cast<size_t>(&array - checkpoint_.arrays().data())] = true;
  done_ += array.size;
  if (options_.progress) options_.progress(done_, total_);
}

Result<PackedMatrix> WeightReader::Matrix(std::string_view name, uint64_t rows, uint64_t columns,
                                          const RowOrder& order) {
  const ArrayInfo* array = TRY(Find(name, {rows, columns}));
  const uint64_t row_bytes = array->size / rows;
  const RowReader read = [&](uint64_t first, uint64_t count, std::span<std::byte> out) -> Result<void> {
    if (!order) return checkpoint_.Read(*array, first * row_bytes, out);
    for (uint64_t r = 0; r < count; r++) {
      TRY(checkpoint_.Read(*array, order(first + r) * row_bytes, out.subspan(r * row_bytes, row_bytes)));
    }
    return {};
  };
  PackedMatrix matrix = TRY_CONTEXT(name, PackedMatrix::Pack(array->dtype, rows, columns, read, pool_));
  packed_bytes_ += matrix.bytes();
  Count(*array);
  return matrix;
}

Result<std::vector<float>> WeightReader::Vector(std::string_view name, uint64_t size, const RowOrder& order) {
  const ArrayInfo* array = TRY(Find(name, {size}));
  if (!CanDequantize(array->dtype)) {
    return Fail(ErrorCode::kUnimplemented, "array \"{}\": type {} is not supported", name, DTypeName(array->dtype));
  }
  std::vector<std::byte> bytes(array->size);
  TRY(checkpoint_.Read(*array, 0, bytes));
  std::vector<float> values(size);
  Dequantize(array->dtype, bytes.data(), size, values.data());
  if (order) {
    const std::vector<float> stored = values;
    for (uint64_t i = 0; i < size; i++) values[i] = stored[order(i)];
  }
  packed_bytes_ += size * sizeof(float);
  Count(*array);
  return values;
}

Result<Linear> WeightReader::ReadLinear(const std::string& name, uint64_t rows, uint64_t columns,
                                        const RowOrder& order) {
  Linear linear;
  linear.weight = TRY(Matrix(name + ".weight", rows, columns, order));
  if (Has(name + ".bias")) linear.bias = TRY(Vector(name + ".bias", rows, order));
  return linear;
}

Result<TokenArrays> FindTokenArrays(const Checkpoint& checkpoint, const std::string& embeddings,
                                    const std::string& head, bool tied) {
  const ArrayInfo *first = checkpoint.Find(embeddings), *second = checkpoint.Find(head);
  if (tied && (first == nullptr) != (second == nullptr)) return TokenArrays{first == nullptr ? second : first, nullptr};
  if (first == nullptr) return TokenArrays{TRY(checkpoint.Get(embeddings)), nullptr};
  if (second == nullptr) {
    return Fail(ErrorCode::kNotFound,
                "{}: array \"{}\" is missing, and key \"tie_word_embeddings\" of config.json does not say that the "
                "embeddings are to take its place",
                checkpoint.SourceOf(*first).name(), head);
  }
  // PyTorch's checkpoints of tied models have both names for the same bytes.
  if (tied && first->source == second->source && first->offset == second->offset) return TokenArrays{first, nullptr};
  return TokenArrays{first, second};
}

Result<TokenMatrices> WeightReader::ReadTokenMatrices(const std::string& embeddings, const std::string& head,
                                                      uint64_t vocabulary, uint64_t hidden, bool tied) {
  const TokenArrays arrays = TRY(FindTokenArrays(checkpoint_, embeddings, head + ".weight", tied));
  TokenMatrices matrices;
  matrices.embeddings = TRY(Matrix(arrays.embeddings->name, vocabulary, hidden));
  if (arrays.own_head != nullptr) {
    matrices.own_head = TRY(ReadLinear(head, vocabulary, hidden));
  } else if (const ArrayInfo* same = checkpoint_.Find(head + ".weight")) {
    read_[static_cast<size_t>(same - checkpoint_.arrays().data())] = true;
  }
  return matrices;
}

Result<std::vector<std::string>> WeightReader::Unread(std::string_view model, std::string_view layer_prefix,
                                                      size_t layers,
                                                      std::initializer_list<std::string_view> tables) const {
  const auto is_table = [&](std::string_view name) {
    const auto ends = [&](std::string_view end) { return name.ends_with(end); };
    return ends("rotary_emb.inv_freq") || ends("position_ids") || std::ranges::any_of(tables, ends);
  };
  const auto is_of_a_layer = [&](std::string_view name) {
    if (!name.starts_with(layer_prefix)) return false;
    name.remove_prefix(layer_prefix.size());
    size_t layer = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
    return error == std::errc() && end != name.data() + name.size() && *end == '.' && layer < layers;
  };
  std::vector<std::string> unread;
  const ArrayInfo* of_a_layer = nullptr;
  for (size_t i = 0; i < read_.size(); i++) {
    const ArrayInfo& array = checkpoint_.arrays()[i];
    if (read_[i] || is_table(array.name)) continue;
    unread.push_back(array.name);
    if (of_a_layer == nullptr && is_of_a_layer(array.name)) of_a_layer = &array;
  }
  if (of_a_layer == nullptr) return unread;
  return Fail(
      ErrorCode::kUnimplemented,
      "{}: array \"{}\" (one of {} that are not known) has no place in the layers of a {} model: this is another "
      "architecture, which would give nonsense if that were left out",
      checkpoint_.SourceOf(*of_a_layer).name(), of_a_layer->name, unread.size(), model);
}

Result<Linear> WeightReader::ReadTransposedLinear(const std::string& name, uint64_t rows, uint64_t columns) {
  const ArrayInfo* array = TRY(Find(name + ".weight", {columns, rows}));
  if (IsQuantized(array->dtype)) {
    return Fail(ErrorCode::kUnimplemented, "array \"{}\": type {} cannot be transposed", array->name,
                DTypeName(array->dtype));
  }
  std::vector<std::byte> stored(array->size);
  TRY(checkpoint_.Read(*array, 0, stored));
  const uint64_t element = InfoOf(array->dtype).bytes;
  const RowReader read = [&](uint64_t first, uint64_t count, std::span<std::byte> out) -> Result<void> {
    for (uint64_t c = 0; c < columns; c++) {
      for (uint64_t r = 0; r < count; r++) {
        std::memcpy(out.data() + (r * columns + c) * element, stored.data() + (c * rows + first + r) * element,
                    element);
      }
    }
    return {};
  };
  Linear linear;
  linear.weight = TRY_CONTEXT(name, PackedMatrix::Pack(array->dtype, rows, columns, read, pool_));
  packed_bytes_ += linear.weight.bytes();
  Count(*array);
  if (Has(name + ".bias")) linear.bias = TRY(Vector(name + ".bias", rows));
  return linear;
}

}  // namespace bothy
