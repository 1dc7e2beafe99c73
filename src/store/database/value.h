// What goes into a database's placeholders and comes out of its columns: six types that SQLite and PostgreSQL share.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace bothy {

using Bytes = std::vector<std::byte>;

// A point in time, UTC. Columns that hold one are BIGINT, microseconds since 1970.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

enum class ValueType : char {  // in a migration:
  kInteger = 'i',              // BIGINT
  kReal = 'r',                 // DOUBLE PRECISION
  kText = 't',                 // TEXT: UTF-8 without zero bytes
  kBytes = 'b',                // {bytes}
  kBoolean = 'o',              // BOOLEAN
};

// A typed value or a typed NULL.
class Value {
 public:
  // An unsigned 64-bit number does not fit: whoever has one says what it becomes.
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char> && (sizeof(T) < 8 || std::signed_integral<T>))
  Value(T integer) : type_(ValueType::kInteger), content_(static_cast<int64_t>(integer)) {}
  template <std::same_as<bool> T>  // a pointer is not a truth
  Value(T boolean) : type_(ValueType::kBoolean), content_(static_cast<int64_t>(boolean)) {}
  Value(double real) : type_(ValueType::kReal), content_(real) {}
  Value(std::string text) : type_(ValueType::kText), content_(std::move(text)) {}
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char* text) : Value(std::string(text)) {}
  Value(Bytes bytes) : type_(ValueType::kBytes), content_(std::move(bytes)) {}
  Value(std::span<const std::byte> bytes) : Value(Bytes(bytes.begin(), bytes.end())) {}
  Value(Timestamp time) : Value(static_cast<int64_t>(time.time_since_epoch().count())) {}
  template <class T>
  Value(const std::optional<T>& optional) : Value(optional ? Value(*optional) : Null(Value(T{}).type())) {}

  static Value Null(ValueType type) {
    Value value(int64_t{0});
    value.type_ = type;
    value.content_ = std::monostate{};
    return value;
  }

  ValueType type() const { return type_; }
  bool null() const { return std::holds_alternative<std::monostate>(content_); }

  // What it holds; only for the type that type() says, and not for a NULL.
  int64_t integer() const { return std::get<int64_t>(content_); }
  bool boolean() const { return std::get<int64_t>(content_) != 0; }
  double real() const { return std::get<double>(content_); }
  const std::string& text() const& { return std::get<std::string>(content_); }
  const Bytes& bytes() const& { return std::get<Bytes>(content_); }
  std::string text() && { return std::get<std::string>(std::move(content_)); }
  Bytes bytes() && { return std::get<Bytes>(std::move(content_)); }

 private:
  ValueType type_;
  std::variant<std::monostate, int64_t, double, std::string, Bytes> content_;
};

// How a column becomes a T: Column<std::optional<T>> where it may be NULL.
template <class T>
struct Column;

template <>
struct Column<int64_t> {
  static constexpr ValueType kType = ValueType::kInteger;
  static constexpr bool kNullable = false;
  static int64_t Take(Value&& value) { return value.integer(); }
};
template <>
struct Column<bool> {
  static constexpr ValueType kType = ValueType::kBoolean;
  static constexpr bool kNullable = false;
  static bool Take(Value&& value) { return value.boolean(); }
};
template <>
struct Column<double> {
  static constexpr ValueType kType = ValueType::kReal;
  static constexpr bool kNullable = false;
  static double Take(Value&& value) { return value.real(); }
};
template <>
struct Column<std::string> {
  static constexpr ValueType kType = ValueType::kText;
  static constexpr bool kNullable = false;
  static std::string Take(Value&& value) { return std::move(value).text(); }
};
template <>
struct Column<Bytes> {
  static constexpr ValueType kType = ValueType::kBytes;
  static constexpr bool kNullable = false;
  static Bytes Take(Value&& value) { return std::move(value).bytes(); }
};
template <>
struct Column<Timestamp> {
  static constexpr ValueType kType = ValueType::kInteger;
  static constexpr bool kNullable = false;
  static Timestamp Take(Value&& value) { return Timestamp(std::chrono::microseconds(value.integer())); }
};
template <class T>
struct Column<std::optional<T>> {
  static constexpr ValueType kType = Column<T>::kType;
  static constexpr bool kNullable = true;
  static std::optional<T> Take(Value&& value) {
    if (value.null()) return std::nullopt;
    return Column<T>::Take(std::move(value));
  }
};

}  // namespace bothy
