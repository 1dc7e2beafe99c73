// The metadata of a GGUF file: keys with typed values, held compactly (a vocabulary of 150,000 strings is two
// allocations), for reading and for writing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace bothy {

// The numbers are those of the format.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};
inline constexpr uint32_t kGgufTypeCount = 13;

std::string_view GgufTypeName(GgufType type);  // "u8", "string", "array"
size_t GgufTypeSize(GgufType type);            // bytes of a number or boolean; 0 for strings and arrays

// Values of one type in a row. Indexes must be smaller than size().
class GgufArray {
 public:
  explicit GgufArray(GgufType type) : type_(type) {}
  // Numbers or booleans as the format stores them, little-endian: whole elements of `type`.
  GgufArray(GgufType type, std::vector<std::byte> bytes) : type_(type), bytes_(std::move(bytes)) {}

  GgufType type() const { return type_; }  // of the elements
  size_t size() const;

  std::string_view String(size_t i) const;                       // only where type() is kString
  const GgufArray& Array(size_t i) const { return arrays_[i]; }  // only where type() is kArray
  double Number(size_t i) const;                                 // of any numeric type; a boolean is 0 or 1
  std::optional<int64_t> Integer(size_t i) const;                // nothing for floats and for what is above 2^63 - 1

  // The elements as the format stores them, little-endian, where they are numbers or booleans.
  std::span<const std::byte> bytes() const { return bytes_; }

  void ReserveStrings(size_t count) { ends_.reserve(count); }
  void AddString(std::string_view text);
  void AddArray(GgufArray array) { arrays_.push_back(std::move(array)); }

 private:
  GgufType type_;
  std::vector<std::byte> bytes_;  // numbers, or the strings' bytes back to back
  std::vector<uint64_t> ends_;    // of each string in bytes_
  std::vector<GgufArray> arrays_;
};

class GgufValue {
 public:
  using Storage = std::variant<uint64_t, int64_t, double, bool, std::string, std::shared_ptr<const GgufArray>>;

  static GgufValue U32(uint32_t v) { return {GgufType::kU32, uint64_t{v}}; }
  static GgufValue I32(int32_t v) { return {GgufType::kI32, int64_t{v}}; }
  static GgufValue U64(uint64_t v) { return {GgufType::kU64, v}; }
  static GgufValue F32(float v) { return {GgufType::kF32, double{v}}; }
  static GgufValue Bool(bool v) { return {GgufType::kBool, v}; }
  static GgufValue String(std::string v) { return {GgufType::kString, std::move(v)}; }
  static GgufValue Array(GgufArray v) { return {GgufType::kArray, std::make_shared<const GgufArray>(std::move(v))}; }
  static GgufValue Strings(std::span<const std::string> values);
  static GgufValue I32s(std::span<const int32_t> values);
  static GgufValue F32s(std::span<const float> values);

  // `value` is what Storage holds for `type`: unsigned, signed, floating, boolean, string or array.
  GgufValue(GgufType type, Storage value) : type_(type), value_(std::move(value)) {}

  GgufType type() const { return type_; }
  const std::string* string() const { return std::get_if<std::string>(&value_); }  // null where it is none
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const GgufArray* array() const;
  std::optional<int64_t> integer() const;  // of any integer type; nothing above 2^63 - 1
  std::optional<double> number() const;    // of any numeric type
  const Storage& storage() const { return value_; }

 private:
  GgufType type_;
  Storage value_;
};

class GgufMetadata {
 public:
  struct Entry {
    std::string key;
    GgufValue value;
  };

  GgufMetadata() = default;
  // `file` is for messages. A key that is there twice is kCorrupt.
  static Result<GgufMetadata> Create(std::string file, std::vector<Entry> entries);

  std::span<const Entry> entries() const { return entries_; }  // in the file's order
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  const GgufValue* Find(std::string_view key) const;  // null where there is none

  // A missing key is nothing; a value of another type is kCorrupt, naming file and key.
  Result<std::optional<int64_t>> GetInt(std::string_view key) const;   // any integer type
  Result<std::optional<double>> GetFloat(std::string_view key) const;  // any numeric type
  Result<std::optional<bool>> GetBool(std::string_view key) const;
  Result<std::optional<std::string>> GetString(std::string_view key) const;
  // A single number is an array of one: "head_count_kv" is one number for all layers, or one for each.
  Result<std::optional<std::vector<int64_t>>> GetInts(std::string_view key) const;
  Result<std::optional<std::vector<float>>> GetFloats(std::string_view key) const;
  // Null where the key is missing; otherwise an array whose type() is kString. Lives as long as this metadata.
  Result<const GgufArray*> GetStrings(std::string_view key) const;

  // The same, where a missing key is kNotFound.
  Result<int64_t> NeedInt(std::string_view key) const;
  Result<double> NeedFloat(std::string_view key) const;
  Result<std::string> NeedString(std::string_view key) const;
  Result<const GgufArray*> NeedStrings(std::string_view key) const;

  // Adds a key, or replaces its value where it is.
  void Set(std::string_view key, GgufValue value);
  void Remove(std::string_view key);

 private:
  std::vector<uint32_t>::const_iterator LowerBound(std::string_view key) const;
  tl::unexpected<Error> Missing(std::string_view key) const;
  tl::unexpected<Error> WrongType(std::string_view key, std::string_view expected, const GgufValue& found) const;

  std::string file_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> sorted_;  // indexes into entries_, by key
};

}  // namespace bothy
