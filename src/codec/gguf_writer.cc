#include "codec/gguf_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "codec/gguf.h"

namespace bothy {
namespace {

constexpr size_t kMaxNameBytes = 63;  // ggml keeps names in 64 bytes with a zero at the end
constexpr size_t kMaxDimensions = 4;
constexpr size_t kMaxKeyBytes = 65535;
constexpr uint64_t kDefaultAlignment = 32;

// The part of the file before the tensors' data.
class Header {
 public:
  template <class T>
  void Number(T value) {
    static_assert(std::endian::native == std::endian::little);
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    text_.append(bytes, sizeof(T));
  }
  void String(std::string_view text) {
    Number(uint64_t{text.size()});
    text_ += text;
  }
  void Value(const GgufValue& value) {
    Number(static_cast<uint32_t>(value.type()));
    if (const GgufArray* array = value.array()) return Array(*array);
    if (const std::string* text = value.string()) return String(*text);
    if (const bool* boolean = value.boolean()) return Number(static_cast<uint8_t>(*boolean));
    switch (value.type()) {
      case GgufType::kF32: return Number(static_cast<float>(std::get<double>(value.storage())));
      case GgufType::kF64: return Number(std::get<double>(value.storage()));
      default: break;
    }
    // Two's complement: the low bytes of the number are the narrower number.
    const auto* number = std::get_if<uint64_t>(&value.storage());
    const uint64_t bits = number != nullptr ? *number : static_cast<uint64_t>(std::get<int64_t>(value.storage()));
    char bytes[sizeof(bits)];
    std::memcpy(bytes, &bits, sizeof(bits));
    text_.append(bytes, GgufTypeSize(value.type()));
  }
  void PadTo(uint64_t alignment) { text_.resize((text_.size() + alignment - 1) / alignment * alignment); }
  std::string_view text() const { return text_; }

 private:
  void Array(const GgufArray& array) {
    Number(static_cast<uint32_t>(array.type()));
    Number(uint64_t{array.size()});
    if (array.type() == GgufType::kString) {
      for (size_t i = 0; i < array.size(); i++) String(array.String(i));
    } else if (array.type() == GgufType::kArray) {
      for (size_t i = 0; i < array.size(); i++) Array(array.Array(i));
    } else {
      text_.append(reinterpret_cast<const char*>(array.bytes().data()), array.bytes().size());
    }
  }

  std::string text_;
};

Result<uint32_t> CheckTensor(const std::string& file, const ArraySpec& tensor) {
  if (tensor.name.size() > kMaxNameBytes) {
    return Fail(ErrorCode::kInvalidArgument, "{}: tensor \"{}\": GGUF has names of at most {} bytes, this has {}", file,
                tensor.name, kMaxNameBytes, tensor.name.size());
  }
  if (tensor.shape.size() > kMaxDimensions) {
    return Fail(ErrorCode::kInvalidArgument, "{}: tensor \"{}\": GGUF has at most {} dimensions, this has {}", file,
                tensor.name, kMaxDimensions, tensor.shape.size());
  }
  const auto type = GgufTensorType(tensor.dtype);
  if (!type) {
    return Fail(ErrorCode::kInvalidArgument, "{}: tensor \"{}\": GGUF has no elements of type {}", file, tensor.name,
                DTypeName(tensor.dtype));
  }
  return *type;
}

uint64_t Padding(uint64_t size, uint64_t alignment) { return (alignment - size % alignment) % alignment; }

}  // namespace

Result<void> WriteGguf(const std::filesystem::path& path, const GgufMetadata& metadata,
                       std::span<const ArraySpec> tensors, const ArrayProducer& produce) {
  const std::string name = path.string();
  const auto alignment = TRY(metadata.GetInt("general.alignment")).value_or(kDefaultAlignment);
  if (alignment < 1 || alignment > (1 << 30) || !std::has_single_bit(static_cast<uint64_t>(alignment))) {
    return Fail(ErrorCode::kInvalidArgument, "{}: key \"general.alignment\": expected a power of two, found {}", name,
                alignment);
  }
  const auto step = static_cast<uint64_t>(alignment);
  TRY_CONTEXT(name, CheckNames(tensors));

  Header header;
  header.Number(uint32_t{0x46554747});  // "GGUF"
  header.Number(uint32_t{3});
  header.Number(uint64_t{tensors.size()});
  header.Number(uint64_t{metadata.entries().size()});
  for (const GgufMetadata::Entry& entry : metadata.entries()) {
    if (entry.key.size() > kMaxKeyBytes) {
      return Fail(ErrorCode::kInvalidArgument, "{}: GGUF has keys of at most {} bytes, one has {}", name, kMaxKeyBytes,
                  entry.key.size());
    }
    header.String(entry.key);
    header.Value(entry.value);
  }
  uint64_t offset = 0;
  for (const ArraySpec& tensor : tensors) {
    const auto type = TRY(CheckTensor(name, tensor));
    header.String(tensor.name);
    header.Number(static_cast<uint32_t>(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;) header.Number(tensor.shape[i]);
    header.Number(type);
    header.Number(offset);
    const auto size = TRY_CONTEXT(name, SizeOf(tensor));
    if (__builtin_add_overflow(offset, size, &offset) ||
        __builtin_add_overflow(offset, Padding(offset, step), &offset)) {
      return Fail(ErrorCode::kInvalidArgument, "{}: the tensors together pass 2^64 bytes", name);
    }
  }
  header.PadTo(step);

  const auto file = TRY(OutputFile::Create(path));
  TRY(file->Write(header.text()));
  for (size_t i = 0; i < tensors.size(); i++) {
    TRY(WriteArray(*file, tensors[i], i, produce));
    TRY(file->Write(std::string(Padding(file->offset(), step), '\0')));
  }
  return file->Commit();
}

}  // namespace bothy
