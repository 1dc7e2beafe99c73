#include "codec/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <utility>
#include <vector>

#include "codec/byte_reader.h"

namespace bothy {
namespace {

constexpr uint32_t kMagic = 0x46554747;           // "GGUF"
constexpr uint32_t kMagicReversed = 0x47475546;   // "FUGG"
constexpr uint64_t kMaxHeaderBytes = 1ull << 30;  // the largest vocabularies take 20 MB
constexpr uint64_t kMaxEntries = 1 << 20;         // of keys, tensors, nested arrays; real files have a few thousand
constexpr uint64_t kMaxNameBytes = 65535;         // the format's own limit for keys
constexpr uint32_t kMaxDimensions = 8;            // ggml itself has 4
constexpr int kMaxArrayDepth = 8;
constexpr std::string_view kAlignmentKey = "general.alignment";

struct TensorType {
  std::string_view name;
  std::optional<DType> dtype;  // nothing: Bothy has no such elements
};
// ggml/include/ggml.h, enum ggml_type; an empty name is a number that was given up.
constexpr std::array<TensorType, 41> kTensorTypes = {{
    {"F32", DType::kF32},
    {"F16", DType::kF16},
    {"Q4_0", DType::kQ4_0},
    {"Q4_1", DType::kQ4_1},
    {"", {}},
    {"", {}},
    {"Q5_0", DType::kQ5_0},
    {"Q5_1", DType::kQ5_1},
    {"Q8_0", DType::kQ8_0},
    {"Q8_1", {}},
    {"Q2_K", DType::kQ2_K},
    {"Q3_K", DType::kQ3_K},
    {"Q4_K", DType::kQ4_K},
    {"Q5_K", DType::kQ5_K},
    {"Q6_K", DType::kQ6_K},
    {"Q8_K", {}},
    {"IQ2_XXS", {}},
    {"IQ2_XS", {}},
    {"IQ3_XXS", {}},
    {"IQ1_S", {}},
    {"IQ4_NL", DType::kIQ4_NL},
    {"IQ3_S", {}},
    {"IQ2_S", {}},
    {"IQ4_XS", DType::kIQ4_XS},
    {"I8", DType::kI8},
    {"I16", DType::kI16},
    {"I32", DType::kI32},
    {"I64", DType::kI64},
    {"F64", DType::kF64},
    {"IQ1_M", {}},
    {"BF16", DType::kBF16},
    {"Q4_0_4_4", {}},
    {"Q4_0_4_8", {}},
    {"Q4_0_8_8", {}},
    {"TQ1_0", {}},
    {"TQ2_0", {}},
    {"IQ4_NL_4_4", {}},
    {"IQ4_NL_4_8", {}},
    {"IQ4_NL_8_8", {}},
    {"MXFP4", DType::kMXFP4},
    {"NVFP4", {}},
}};

class GgufReader {
 public:
  explicit GgufReader(std::shared_ptr<const ByteSource> source)
      : source_(std::move(source)), reader_(*source_, kMaxHeaderBytes) {}

  Result<Gguf> Read() {
    Gguf gguf;
    gguf.version = TRY(ReadVersion());
    const auto tensors = TRY(Count("tensor count", 24));
    const auto keys = TRY(Count("key count", 13));
    gguf.metadata = TRY(ReadMetadata(keys));
    if (const GgufValue* alignment = gguf.metadata.Find(kAlignmentKey)) {
      const auto value = alignment->integer().value_or(0);
      // 2^30 is no limit of the format: it only keeps the sums below from overflowing.
      if (value < 1 || value > (1 << 30) || !std::has_single_bit(static_cast<uint64_t>(value))) {
        return Fail(ErrorCode::kCorrupt, "{}: key \"{}\": expected a power of two, found {}", name(), kAlignmentKey,
                    alignment->integer() ? std::to_string(value) : std::string(GgufTypeName(alignment->type())));
      }
      gguf.alignment = static_cast<uint64_t>(value);
    }
    gguf.checkpoint = TRY(ReadTensors(tensors, gguf.alignment));
    return gguf;
  }

 private:
  const std::string& name() const { return source_->name(); }

  // The file, the offset of what was read last (`size` bytes), what it is, what was expected and found.
  template <class Found>
  tl::unexpected<Error> Unexpected(uint64_t size, std::string_view what, std::string_view expected, Found found) const {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: {}: expected {}, found {}", name(), reader_.offset() - size, what,
                expected, found);
  }

  Result<uint32_t> ReadVersion() {
    const auto magic = TRY(reader_.Number<uint32_t>("magic"));
    if (magic != kMagic && magic != kMagicReversed) {
      return Unexpected(4, "magic", "\"GGUF\"", fmt::format("{:#010x}", magic));
    }
    const auto version = TRY(reader_.Number<uint32_t>("version"));
    if (magic == kMagicReversed || (version != 0 && (version & 0xffff) == 0)) {
      return Fail(ErrorCode::kUnimplemented,
                  "{}: offset 4: a big-endian GGUF file; only little-endian ones are read: convert it with "
                  "gguf_convert_endian.py of llama.cpp",
                  name());
    }
    if (version != 2 && version != 3) {
      return Fail(ErrorCode::kUnimplemented, "{}: offset 4: expected GGUF version 2 or 3, found {}", name(), version);
    }
    return version;
  }

  // A number of things that take at least `least` bytes each.
  Result<uint64_t> Count(std::string_view what, uint64_t least) {
    const auto count = TRY(reader_.Number<uint64_t>(what));
    if (count > reader_.remaining() / least) {
      return Unexpected(
          8, what, fmt::format("at most {}, which is what the file has room for", reader_.remaining() / least), count);
    }
    if (count > kMaxEntries) {
      return Fail(ErrorCode::kResourceExhausted, "{}: offset {}: {}: at most {} are read, found {}", name(),
                  reader_.offset() - 8, what, kMaxEntries, count);
    }
    return count;
  }

  Result<std::string> ReadName(std::string_view what) {
    const auto length = TRY(reader_.Number<uint64_t>(what));
    if (length > kMaxNameBytes) {
      return Unexpected(8, what, fmt::format("a name of at most {} bytes", kMaxNameBytes), length);
    }
    return std::string(TRY(reader_.View(length, what)));
  }

  Result<GgufMetadata> ReadMetadata(uint64_t count) {
    std::vector<GgufMetadata::Entry> entries;
    for (uint64_t i = 0; i < count; i++) {
      auto key = TRY(ReadName(fmt::format("key {} of {}", i + 1, count)));
      const std::string what = fmt::format("key \"{}\"", key);
      const auto type = TRY(ReadType(what));
      entries.push_back({std::move(key), TRY(ReadValue(type, what))});
    }
    return GgufMetadata::Create(name(), std::move(entries));
  }

  Result<GgufType> ReadType(std::string_view what) {
    const auto type = TRY(reader_.Number<uint32_t>(what));
    if (type >= kGgufTypeCount) return Unexpected(4, what, fmt::format("a value type below {}", kGgufTypeCount), type);
    return static_cast<GgufType>(type);
  }

  template <class T, class Stored>
  Result<GgufValue> ReadNumber(GgufType type, std::string_view what) {
    return GgufValue(type, static_cast<Stored>(TRY(reader_.Number<T>(what))));
  }

  Result<GgufValue> ReadValue(GgufType type, std::string_view what) {
    switch (type) {
      case GgufType::kU8: return ReadNumber<uint8_t, uint64_t>(type, what);
      case GgufType::kI8: return ReadNumber<int8_t, int64_t>(type, what);
      case GgufType::kU16: return ReadNumber<uint16_t, uint64_t>(type, what);
      case GgufType::kI16: return ReadNumber<int16_t, int64_t>(type, what);
      case GgufType::kU32: return ReadNumber<uint32_t, uint64_t>(type, what);
      case GgufType::kI32: return ReadNumber<int32_t, int64_t>(type, what);
      case GgufType::kF32: return ReadNumber<float, double>(type, what);
      case GgufType::kU64: return ReadNumber<uint64_t, uint64_t>(type, what);
      case GgufType::kI64: return ReadNumber<int64_t, int64_t>(type, what);
      case GgufType::kF64: return ReadNumber<double, double>(type, what);
      case GgufType::kBool: {
        const auto value = TRY(reader_.Number<uint8_t>(what));
        if (value > 1) return Unexpected(1, what, "a boolean of 0 or 1", value);
        return GgufValue::Bool(value == 1);
      }
      case GgufType::kString: {
        const auto length = TRY(reader_.Number<uint64_t>(what));
        TRY(reader_.Expect(length, what));
        std::string text(static_cast<size_t>(length), '\0');
        TRY(reader_.Copy(std::as_writable_bytes(std::span(text)), what));
        return GgufValue::String(std::move(text));
      }
      case GgufType::kArray: break;
    }
    return GgufValue::Array(TRY(ReadArray(what, 0)));
  }

  Result<GgufArray> ReadArray(std::string_view what, int depth) {
    const auto type = TRY(ReadType(what));
    const auto count = TRY(reader_.Number<uint64_t>(what));
    const uint64_t least = type == GgufType::kString ? 8 : type == GgufType::kArray ? 12 : GgufTypeSize(type);
    if (count > reader_.remaining() / least) {
      return Unexpected(
          8, what, fmt::format("at most {} elements, which is what the file has room for", reader_.remaining() / least),
          count);
    }
    TRY(reader_.Expect(count * least, what));
    if (type == GgufType::kString) return ReadStrings(what, count);
    if (type == GgufType::kArray) return ReadArrays(what, count, depth);
    std::vector<std::byte> bytes(static_cast<size_t>(count * least));
    TRY(reader_.Copy(bytes, what));
    if (type == GgufType::kBool) {
      const auto wrong = std::ranges::find_if(bytes, [](std::byte b) { return b > std::byte{1}; });
      if (wrong != bytes.end()) {
        return Unexpected(static_cast<uint64_t>(bytes.end() - wrong), what, "a boolean of 0 or 1",
                          static_cast<int>(*wrong));
      }
    }
    return GgufArray(type, std::move(bytes));
  }

  Result<GgufArray> ReadStrings(std::string_view what, uint64_t count) {
    GgufArray array(GgufType::kString);
    array.ReserveStrings(static_cast<size_t>(count));
    std::string longer;
    for (uint64_t i = 0; i < count; i++) {
      const auto length = TRY(reader_.Number<uint64_t>(what));
      if (length <= ByteReader::kMaxView) {
        array.AddString(TRY(reader_.View(length, what)));
        continue;
      }
      TRY(reader_.Expect(length, what));
      longer.resize(static_cast<size_t>(length));
      TRY(reader_.Copy(std::as_writable_bytes(std::span(longer)), what));
      array.AddString(longer);
    }
    return array;
  }

  Result<GgufArray> ReadArrays(std::string_view what, uint64_t count, int depth) {
    if (depth + 1 >= kMaxArrayDepth) {
      return Fail(ErrorCode::kResourceExhausted, "{}: offset {}: {}: arrays nested more than {} deep", name(),
                  reader_.offset(), what, kMaxArrayDepth);
    }
    GgufArray array(GgufType::kArray);
    for (uint64_t i = 0; i < count; i++) {
      if (++nested_arrays_ > kMaxEntries) {
        return Fail(ErrorCode::kResourceExhausted, "{}: offset {}: {}: more than {} arrays within arrays", name(),
                    reader_.offset(), what, kMaxEntries);
      }
      array.AddArray(TRY(ReadArray(what, depth + 1)));
    }
    return array;
  }

  Result<DType> ReadTensorType(std::string_view what) {
    const auto type = TRY(reader_.Number<uint32_t>(what));
    if (const auto dtype = DTypeFromGguf(type)) return *dtype;
    if (type < kTensorTypes.size() && !kTensorTypes[type].name.empty()) {
      return Fail(ErrorCode::kUnimplemented, "{}: offset {}: {}: elements of type {} are not supported", name(),
                  reader_.offset() - 4, what, kTensorTypes[type].name);
    }
    return Unexpected(4, what, "a tensor type of the format", type);
  }

  // The offset is still relative to the tensors' data.
  Result<ArrayInfo> ReadTensor(const std::string& which) {
    ArrayInfo tensor;
    tensor.name = TRY(ReadName(which));
    const std::string what = fmt::format("tensor \"{}\"", tensor.name);
    const auto dimensions = TRY(reader_.Number<uint32_t>(what));
    if (dimensions > kMaxDimensions) {
      return Unexpected(4, what, fmt::format("at most {} dimensions", kMaxDimensions), dimensions);
    }
    tensor.shape.resize(dimensions);
    for (uint64_t& n : tensor.shape) n = TRY(reader_.Number<uint64_t>(what));
    const uint64_t row = tensor.shape.empty() ? 1 : tensor.shape.front();
    std::ranges::reverse(tensor.shape);
    tensor.dtype = TRY(ReadTensorType(what));
    const auto row_bytes = RowBytes(tensor.dtype, row);
    if (!row_bytes) {
      return Unexpected(4, what,
                        fmt::format("rows of a multiple of {} elements, for {}", InfoOf(tensor.dtype).elements,
                                    DTypeName(tensor.dtype)),
                        row);
    }
    tensor.size = *row_bytes;
    uint64_t elements = row;
    for (size_t i = 0; i + 1 < tensor.shape.size(); i++) {
      if (__builtin_mul_overflow(tensor.size, tensor.shape[i], &tensor.size) ||
          __builtin_mul_overflow(elements, tensor.shape[i], &elements)) {
        return Unexpected(4, what, "a size below 2^64", fmt::format("[{}]", fmt::join(tensor.shape, ", ")));
      }
    }
    tensor.offset = TRY(reader_.Number<uint64_t>(what));
    return tensor;
  }

  Result<Checkpoint> ReadTensors(uint64_t count, uint64_t alignment) {
    std::vector<ArrayInfo> tensors;
    for (uint64_t i = 0; i < count; i++) {
      tensors.push_back(TRY(ReadTensor(fmt::format("tensor {} of {}", i + 1, count))));
    }
    const uint64_t data = (reader_.offset() + alignment - 1) / alignment * alignment;
    for (ArrayInfo& tensor : tensors) {
      if (tensor.offset % alignment != 0) {
        return Fail(ErrorCode::kCorrupt, "{}: tensor \"{}\": expected an offset that is a multiple of {}, found {}",
                    name(), tensor.name, alignment, tensor.offset);
      }
      if (__builtin_add_overflow(tensor.offset, data, &tensor.offset)) {
        return Fail(ErrorCode::kCorrupt, "{}: tensor \"{}\": expected an offset below the file's end at {}, found {}",
                    name(), tensor.name, source_->size(), tensor.offset);
      }
    }
    auto checkpoint = TRY(Checkpoint::Create({source_}, std::move(tensors)));
    TRY(CheckOverlap(checkpoint));
    return checkpoint;
  }

  // A file of 1 GB must not pass for a model of 1 TB.
  Result<void> CheckOverlap(const Checkpoint& checkpoint) const {
    std::vector<const ArrayInfo*> order;
    for (const ArrayInfo& array : checkpoint.arrays()) {
      if (array.size > 0) order.push_back(&array);
    }
    std::ranges::sort(order, {}, &ArrayInfo::offset);
    for (size_t i = 1; i < order.size(); i++) {
      const uint64_t end = order[i - 1]->offset + order[i - 1]->size;
      if (order[i]->offset < end) {
        return Fail(ErrorCode::kCorrupt,
                    "{}: tensor \"{}\": expected an offset from {} on, where \"{}\" ends, found {}", name(),
                    order[i]->name, end, order[i - 1]->name, order[i]->offset);
      }
    }
    return {};
  }

  std::shared_ptr<const ByteSource> source_;
  ByteReader reader_;
  uint64_t nested_arrays_ = 0;
};

}  // namespace

Result<Gguf> ReadGguf(std::shared_ptr<const ByteSource> source) { return GgufReader(std::move(source)).Read(); }

std::optional<uint32_t> GgufTensorType(DType type) {
  for (size_t i = 0; i < kTensorTypes.size(); i++) {
    if (kTensorTypes[i].dtype == type) return static_cast<uint32_t>(i);
  }
  return std::nullopt;
}

std::optional<DType> DTypeFromGguf(uint32_t type) {
  return type < kTensorTypes.size() ? kTensorTypes[type].dtype : std::nullopt;
}

}  // namespace bothy
