#include "compress/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "codec/gguf_writer.h"
#include "tensor/quant/quant.h"

namespace bothy {
namespace {

// What one thread takes at a time: 2 ms of the slowest search. A multiple of every type's block.
constexpr uint64_t kChunkElements = uint64_t{1} << 16;
// Chunks that are worked on before their bytes are written.
constexpr uint64_t kSlabChunks = 64;

// The version of the block layouts; 2 since k-quants.
constexpr uint32_t kQuantizationVersion = 2;

uint64_t BytesOf(DType type, uint64_t elements) { return RowBytes(type, elements).value(); }

// Converts one array to its new type, chunk by chunk.
class ArrayConverter {
 public:
  ArrayConverter(const ModelFiles& files, const ModelArray& array, DType type)
      : files_(files), array_(array), type_(type) {
    // What changes place is a head's rows; of a bias those are single elements.
    const std::vector<uint64_t>& shape = array.info.shape;
    row_ = array.interleaved_heads != 0 ? std::max<uint64_t>(PartElements() / std::max<uint64_t>(shape[0], 1), 1)
           : shape.empty()              ? 1
                                        : std::max<uint64_t>(shape.back(), 1);
  }

  // The type its values are stored in now.
  DType StoredType() const { return array_.parts.empty() ? DType::kF32 : array_.parts[0]->dtype; }
  uint64_t PartElements() const { return array_.parts.empty() ? array_.values.size() : ElementCount(*array_.parts[0]); }
  size_t Parts() const { return std::max<size_t>(array_.parts.size(), 1); }
  // Elements of a chunk: whole heads where the order of their rows changes.
  uint64_t ChunkElements() const {
    const uint64_t head = HeadRows() * row_;
    return head == 0 ? kChunkElements : std::max<uint64_t>(kChunkElements / head, 1) * head;
  }

  // Elements [first, first + count) of a part, converted, to `out`. `scratch` belongs to the calling thread.
  Result<void> Convert(size_t part, uint64_t first, uint64_t count, std::byte* out,
                       std::vector<std::byte>& scratch) const {
    const DType stored = StoredType();
    if (stored == type_ && array_.interleaved_heads == 0 && !array_.parts.empty()) {
      TRY(Read(part, first, count, out));
      if (CanQuantize(stored) && !AllFinite(stored, out, count)) return NotFinite(part, first, count, out);
      return {};
    }
    // The bytes as they are stored lie behind the floats they become.
    const uint64_t stored_bytes = BytesOf(stored, count);
    scratch.resize(count * sizeof(float) + stored_bytes);
    auto* values = reinterpret_cast<float*>(scratch.data());
    std::byte* bytes = scratch.data() + count * sizeof(float);
    TRY(Read(part, first, count, bytes));
    Dequantize(stored, bytes, count, values);
    TRY(CheckValues(part, first, {values, count}));
    if (array_.interleaved_heads == 0) {
      Quantize(type_, values, count, out);
    } else {
      const uint64_t head_rows = HeadRows();
      for (uint64_t row = 0; row < count / row_; row++) {
        const uint64_t within = row % head_rows;
        const uint64_t from = row - within + within % 2 * (head_rows / 2) + within / 2;
        Quantize(type_, values + from * row_, row_, out + row * BytesOf(type_, row_));
      }
    }
    if (!AllFinite(type_, out, count)) {
      const float* greatest =
          std::max_element(values, values + count, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
      return TooLarge(part, first + static_cast<uint64_t>(greatest - values), *greatest);
    }
    return {};
  }

 private:
  Result<void> Read(size_t part, uint64_t first, uint64_t count, std::byte* out) const {
    const DType stored = StoredType();
    if (array_.parts.empty()) {
      std::memcpy(out, array_.values.data() + first, count * sizeof(float));
      return {};
    }
    return files_.checkpoint.Read(*array_.parts[part], BytesOf(stored, first), {out, BytesOf(stored, count)});
  }

  uint64_t HeadRows() const {  // 0 where rows stay where they are
    return array_.interleaved_heads == 0 ? 0 : PartElements() / row_ / array_.interleaved_heads;
  }

  Result<void> CheckValues(size_t part, uint64_t first, std::span<const float> values) const {
    float greatest = 0;
    bool finite = true;
    for (const float v : values) {
      finite = finite & std::isfinite(v);
      greatest = std::max(greatest, std::fabs(v));
    }
    const bool fits = !IsQuantized(type_) || greatest <= kGreatestWeight;
    if (finite && fits) return {};
    for (size_t i = 0; i < values.size(); i++) {
      if (!std::isfinite(values[i])) return NotFinite(part, first + i, values[i]);
      if (!fits && std::fabs(values[i]) > kGreatestWeight) return TooLarge(part, first + i, values[i]);
    }
    return {};
  }

  // Of stored elements that were not looked at one by one.
  Result<void> NotFinite(size_t part, uint64_t first, uint64_t count, const std::byte* bytes) const {
    std::vector<float> values(count);
    Dequantize(StoredType(), bytes, count, values.data());
    const auto found = std::ranges::find_if(values, [](float v) { return !std::isfinite(v); });
    // A scale may be infinite where all its elements are 0.
    const auto i = found == values.end() ? 0 : found - values.begin();
    return NotFinite(part, first + static_cast<uint64_t>(i), found == values.end() ? INFINITY : *found);
  }

  tl::unexpected<Error> NotFinite(size_t part, uint64_t element, float value) const {
    return Fail(ErrorCode::kCorrupt, "{}: array \"{}\", row {}, column {}: expected a finite number, found {}",
                files_.name, StoredName(part), element / row_, element % row_, value);
  }

  tl::unexpected<Error> TooLarge(size_t part, uint64_t element, float value) const {
    return Fail(ErrorCode::kCorrupt, "{}: array \"{}\", row {}, column {}: {} is too large for {}", files_.name,
                StoredName(part), element / row_, element % row_, value, DTypeName(type_));
  }

  const std::string& StoredName(size_t part) const {
    return array_.parts.empty() ? array_.info.name : array_.parts[part]->name;
  }

  const ModelFiles& files_;
  const ModelArray& array_;
  DType type_;
  uint64_t row_ = 1;  // elements of a row
};

// Drives ArrayConverter over all chunks of an array with all threads, and reports.
class ModelWriter {
 public:
  ModelWriter(const ModelFiles& files, ThreadPool& pool, const QuantizeOptions& options, uint64_t total)
      : files_(files), pool_(pool), options_(options), total_(total), scratch_(static_cast<size_t>(pool.threads())) {}

  Result<void> Write(const ModelArray& array, DType type, ArraySink& sink) {
    const ArrayConverter converter(files_, array, type);
    const uint64_t elements = converter.PartElements();
    const uint64_t chunk = converter.ChunkElements();
    for (size_t part = 0; part < converter.Parts(); part++) {
      for (uint64_t first = 0; first < elements; first += kSlabChunks * chunk) {
        const uint64_t count = std::min(elements - first, kSlabChunks * chunk);
        const size_t tasks = static_cast<size_t>((count + chunk - 1) / chunk);
        slab_.resize(BytesOf(type, count));
        std::vector<Result<void>> results(tasks);
        pool_.ParallelFor(tasks, [&](size_t task, int thread) {
          const uint64_t begin = task * chunk;
          results[task] = converter.Convert(part, first + begin, std::min(chunk, count - begin),
                                            slab_.data() + BytesOf(type, begin), scratch_[static_cast<size_t>(thread)]);
        });
        for (Result<void>& result : results) TRY(std::move(result));
        TRY(sink.Write(slab_));
        done_ += BytesOf(converter.StoredType(), count);
        if (options_.progress && !options_.progress(done_, total_)) return Fail(ErrorCode::kCancelled, "interrupted");
      }
    }
    return {};
  }

 private:
  const ModelFiles& files_;
  ThreadPool& pool_;
  const QuantizeOptions& options_;
  uint64_t total_;
  uint64_t done_ = 0;
  std::vector<std::byte> slab_;
  std::vector<std::vector<std::byte>> scratch_;  // of each thread
};

}  // namespace

Result<QuantizeSummary> WriteModel(const GgufModel& model, const ModelFiles& files, const std::filesystem::path& path,
                                   ThreadPool& pool, const QuantizeOptions& options) {
  std::vector<ArrayInfo> infos;
  for (const ModelArray& array : model.arrays) infos.push_back(array.info);
  const std::vector<DType> types = TRY_CONTEXT(files.name, ChooseTypes(options.file_type, model.traits, infos));

  QuantizeSummary summary;
  std::vector<ArraySpec> specs;
  for (size_t i = 0; i < model.arrays.size(); i++) {
    const ModelArray& array = model.arrays[i];
    const ArrayConverter converter(files, array, types[i]);
    const DType stored = converter.StoredType();
    if (stored != types[i] && !CanDequantize(stored)) {
      return Fail(ErrorCode::kUnimplemented, "{}: array \"{}\": {} cannot become {}", files.name, array.info.name,
                  DTypeName(stored), DTypeName(types[i]));
    }
    specs.push_back({.name = array.info.name, .dtype = types[i], .shape = array.info.shape});
    summary.source_bytes += BytesOf(stored, converter.PartElements()) * converter.Parts();
    summary.bytes += TRY_CONTEXT(files.name, SizeOf(specs.back()));
    summary.parameters += converter.PartElements() * converter.Parts();
    summary.requantized += IsQuantized(stored) && stored != types[i] ? 1 : 0;
    summary.arrays[types[i]]++;
  }
  GgufMetadata metadata = model.metadata;
  metadata.Set("general.file_type", GgufValue::U32(static_cast<uint32_t>(options.file_type)));
  metadata.Set("general.quantization_version", GgufValue::U32(kQuantizationVersion));

  ModelWriter writer(files, pool, options, summary.source_bytes);
  TRY(WriteGguf(path, metadata, specs,
                [&](size_t i, ArraySink& sink) { return writer.Write(model.arrays[i], types[i], sink); }));
  return summary;
}

}  // namespace bothy
