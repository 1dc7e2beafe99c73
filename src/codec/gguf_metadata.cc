#include "codec/gguf_metadata.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstring>
#include <limits>
#include <numeric>

namespace bothy {
namespace {

struct TypeInfo {
  std::string_view name;
  size_t size;
};
constexpr std::array<TypeInfo, kGgufTypeCount> kTypes = {{{"u8", 1},
                                                          {"i8", 1},
                                                          {"u16", 2},
                                                          {"i16", 2},
                                                          {"u32", 4},
                                                          {"i32", 4},
                                                          {"f32", 4},
                                                          {"bool", 1},
                                                          {"string", 0},
                                                          {"array", 0},
                                                          {"u64", 8},
                                                          {"i64", 8},
                                                          {"f64", 8}}};

// Calls `use` with the element as its own type.
template <class Use>
auto WithElement(GgufType type, const std::byte* bytes, Use use) {
  const auto load = [&]<class T>(T value) {
    std::memcpy(&value, bytes, sizeof(T));
    return use(value);
  };
  switch (type) {
    case GgufType::kI8: return load(int8_t{});
    case GgufType::kU16: return load(uint16_t{});
    case GgufType::kI16: return load(int16_t{});
    case GgufType::kU32: return load(uint32_t{});
    case GgufType::kI32: return load(int32_t{});
    case GgufType::kF32: return load(float{});
    case GgufType::kU64: return load(uint64_t{});
    case GgufType::kI64: return load(int64_t{});
    case GgufType::kF64: return load(double{});
    case GgufType::kU8:
    case GgufType::kBool:
    case GgufType::kString:
    case GgufType::kArray: break;
  }
  return load(uint8_t{});
}

template <std::integral T>
std::optional<int64_t> ToInt64(T value) {
  if constexpr (std::same_as<T, uint64_t>) {
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

template <class T>
GgufValue ArrayOf(GgufType type, std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  return GgufValue::Array(GgufArray(type, {bytes.begin(), bytes.end()}));
}

std::string Describe(const GgufValue& value) {
  const GgufArray* array = value.array();
  if (array == nullptr) return std::string(GgufTypeName(value.type()));
  return fmt::format("array of {} {}", array->size(), GgufTypeName(array->type()));
}

}  // namespace

std::string_view GgufTypeName(GgufType type) { return kTypes[static_cast<size_t>(type)].name; }
size_t GgufTypeSize(GgufType type) { return kTypes[static_cast<size_t>(type)].size; }

size_t GgufArray::size() const {
  if (type_ == GgufType::kString) return ends_.size();
  if (type_ == GgufType::kArray) return arrays_.size();
  return bytes_.size() / GgufTypeSize(type_);
}

std::string_view GgufArray::String(size_t i) const {
  DCHECK(i < ends_.size());
  const uint64_t begin = i == 0 ? 0 : ends_[i - 1];
  return {reinterpret_cast<const char*>(bytes_.data()) + begin, static_cast<size_t>(ends_[i] - begin)};
}

double GgufArray::Number(size_t i) const {
  DCHECK(i < size() && GgufTypeSize(type_) != 0);
  return WithElement(type_, bytes_.data() + i * GgufTypeSize(type_),
                     [](auto value) { return static_cast<double>(value); });
}

std::optional<int64_t> GgufArray::Integer(size_t i) const {
  DCHECK(i < size() && GgufTypeSize(type_) != 0);
  return WithElement(type_, bytes_.data() + i * GgufTypeSize(type_), [](auto value) -> std::optional<int64_t> {
    if constexpr (std::integral<decltype(value)>) return ToInt64(value);
    return std::nullopt;
  });
}

void GgufArray::AddString(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  bytes_.insert(bytes_.end(), data, data + text.size());
  ends_.push_back(bytes_.size());
}

GgufValue GgufValue::Strings(std::span<const std::string> values) {
  GgufArray array(GgufType::kString);
  for (const std::string& value : values) array.AddString(value);
  return Array(std::move(array));
}

GgufValue GgufValue::I32s(std::span<const int32_t> values) { return ArrayOf(GgufType::kI32, values); }
GgufValue GgufValue::F32s(std::span<const float> values) { return ArrayOf(GgufType::kF32, values); }

const GgufArray* GgufValue::array() const {
  const auto* array = std::get_if<std::shared_ptr<const GgufArray>>(&value_);
  return array != nullptr ? array->get() : nullptr;
}

std::optional<int64_t> GgufValue::integer() const {
  if (const auto* v = std::get_if<int64_t>(&value_)) return *v;
  if (const auto* v = std::get_if<uint64_t>(&value_)) return ToInt64(*v);
  return std::nullopt;
}

std::optional<double> GgufValue::number() const {
  if (const auto* v = std::get_if<double>(&value_)) return *v;
  if (const auto* v = std::get_if<int64_t>(&value_)) return static_cast<double>(*v);
  if (const auto* v = std::get_if<uint64_t>(&value_)) return static_cast<double>(*v);
  return std::nullopt;
}

Result<GgufMetadata> GgufMetadata::Create(std::string file, std::vector<Entry> entries) {
  GgufMetadata metadata;
  metadata.file_ = std::move(file);
  metadata.entries_ = std::move(entries);
  metadata.sorted_.resize(metadata.entries_.size());
  std::iota(metadata.sorted_.begin(), metadata.sorted_.end(), 0u);
  const auto key = [&](uint32_t i) -> const std::string& { return metadata.entries_[i].key; };
  std::ranges::sort(metadata.sorted_, {}, key);
  const auto twice = std::ranges::adjacent_find(metadata.sorted_, {}, key);
  if (twice != metadata.sorted_.end()) {
    return Fail(ErrorCode::kCorrupt, "{}: key \"{}\" is there twice", metadata.file_, key(*twice));
  }
  return metadata;
}

std::vector<uint32_t>::const_iterator GgufMetadata::LowerBound(std::string_view key) const {
  return std::ranges::lower_bound(sorted_, key, {}, [&](uint32_t i) -> std::string_view { return entries_[i].key; });
}

const GgufValue* GgufMetadata::Find(std::string_view key) const {
  const auto found = LowerBound(key);
  return found != sorted_.end() && entries_[*found].key == key ? &entries_[*found].value : nullptr;
}

tl::unexpected<Error> GgufMetadata::Missing(std::string_view key) const {
  return Fail(ErrorCode::kNotFound, "{}: key \"{}\" is missing", file_, key);
}

tl::unexpected<Error> GgufMetadata::WrongType(std::string_view key, std::string_view expected,
                                              const GgufValue& found) const {
  return Fail(ErrorCode::kCorrupt, "{}: key \"{}\": expected {}, found {}", file_, key, expected, Describe(found));
}

Result<std::optional<int64_t>> GgufMetadata::GetInt(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto integer = value->integer()) return integer;
  return WrongType(key, "an integer below 2^63", *value);
}

Result<std::optional<double>> GgufMetadata::GetFloat(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto number = value->number()) return number;
  return WrongType(key, "a number", *value);
}

Result<std::optional<bool>> GgufMetadata::GetBool(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const bool* boolean = value->boolean()) return *boolean;
  return WrongType(key, "a bool", *value);
}

Result<std::optional<std::string>> GgufMetadata::GetString(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const std::string* text = value->string()) return *text;
  return WrongType(key, "a string", *value);
}

Result<std::optional<std::vector<int64_t>>> GgufMetadata::GetInts(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto integer = value->integer()) return std::vector<int64_t>{*integer};
  const GgufArray* array = value->array();
  if (array == nullptr || GgufTypeSize(array->type()) == 0) return WrongType(key, "integers", *value);
  std::vector<int64_t> integers(array->size());
  for (size_t i = 0; i < integers.size(); i++) {
    const auto integer = array->Integer(i);
    if (!integer) return WrongType(key, "integers below 2^63", *value);
    integers[i] = *integer;
  }
  return integers;
}

Result<std::optional<std::vector<float>>> GgufMetadata::GetFloats(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto number = value->number()) return std::vector<float>{static_cast<float>(*number)};
  const GgufArray* array = value->array();
  if (array == nullptr || GgufTypeSize(array->type()) == 0 || array->type() == GgufType::kBool) {
    return WrongType(key, "numbers", *value);
  }
  std::vector<float> numbers(array->size());
  for (size_t i = 0; i < numbers.size(); i++) numbers[i] = static_cast<float>(array->Number(i));
  return numbers;
}

Result<const GgufArray*> GgufMetadata::GetStrings(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return nullptr;
  const GgufArray* array = value->array();
  if (array == nullptr || array->type() != GgufType::kString) return WrongType(key, "an array of strings", *value);
  return array;
}

Result<int64_t> GgufMetadata::NeedInt(std::string_view key) const {
  const auto value = TRY(GetInt(key));
  if (!value) return Missing(key);
  return *value;
}

Result<double> GgufMetadata::NeedFloat(std::string_view key) const {
  const auto value = TRY(GetFloat(key));
  if (!value) return Missing(key);
  return *value;
}

Result<std::string> GgufMetadata::NeedString(std::string_view key) const {
  auto value = TRY(GetString(key));
  if (!value) return Missing(key);
  return *std::move(value);
}

Result<const GgufArray*> GgufMetadata::NeedStrings(std::string_view key) const {
  const GgufArray* array = TRY(GetStrings(key));
  if (array == nullptr) return Missing(key);
  return array;
}

void GgufMetadata::Set(std::string_view key, GgufValue value) {
  const auto found = LowerBound(key);
  if (found != sorted_.end() && entries_[*found].key == key) {
    entries_[*found].value = std::move(value);
    return;
  }
  const auto place = found - sorted_.begin();
  entries_.push_back({std::string(key), std::move(value)});
  sorted_.insert(sorted_.begin() + place, static_cast<uint32_t>(entries_.size() - 1));
}

void GgufMetadata::Remove(std::string_view key) {
  const auto found = LowerBound(key);
  if (found == sorted_.end() || entries_[*found].key != key) return;
  const uint32_t index = *found;
  sorted_.erase(sorted_.begin() + (found - sorted_.begin()));
  entries_.erase(entries_.begin() + index);
  for (uint32_t& i : sorted_) i -= i > index ? 1 : 0;
}

}  // namespace bothy
