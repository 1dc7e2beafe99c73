// Reads the members of a request's JSON with types and limits. Every error is kInvalidArgument (or kUnimplemented) and
// begins with the member's path, "messages[2].role: expected ...", so that a protocol can tell it (FieldOf).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/json.h"

namespace bothy::api {

// Of a body that asks for an answer: a conversation of hours is some hundred thousand values.
inline constexpr size_t kMaxRequestValues = 1'000'000;

// A request's body. Errors are kInvalidArgument.
Result<json::object> ParseRequest(std::string_view body);

class Fields {
 public:
  // `object` must outlive this. `path` is what its members' names begin with, "messages[2]".
  explicit Fields(const json::object& object, std::string path = "") : object_(&object), path_(std::move(path)) {}
  static Result<Fields> Of(const json::value& value, std::string path);

  const json::object& object() const { return *object_; }
  std::string Path(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }

  // Null where it is missing or null.
  const json::value* Find(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key) != nullptr; }

  // Nothing where missing or null. Limits belong to what is allowed.
  Result<std::optional<std::string>> String(std::string_view key) const;
  Result<std::optional<bool>> Bool(std::string_view key) const;
  Result<std::optional<int64_t>> Int(std::string_view key, int64_t low, int64_t high) const;
  Result<std::optional<double>> Number(std::string_view key, double low, double high) const;
  Result<std::optional<Fields>> Object(std::string_view key) const;
  // Null where missing; at most `most` items.
  Result<const json::array*> List(std::string_view key, size_t most) const;
  // One text or a list of them.
  Result<std::vector<std::string>> Strings(std::string_view key, size_t most) const;

  Result<std::string> NeedString(std::string_view key) const;
  Result<Fields> NeedObject(std::string_view key) const;
  Result<const json::array*> NeedList(std::string_view key, size_t most) const;

  // "KEY: expected EXPECTED, found ...".
  tl::unexpected<Error> Unexpected(std::string_view key, std::string_view expected) const;
  tl::unexpected<Error> Missing(std::string_view key) const;
  // kUnimplemented "KEY: REASON" where it is there with a value that means something: not false, empty or null.
  Result<void> Refuse(std::string_view key, std::string_view reason) const;

 private:
  const json::object* object_;
  std::string path_;
};

// A sampling setting that both are named for: where `from` has `key`, a number, it is put into `settings` as `name`.
Result<void> CopyNumber(const Fields& from, std::string_view key, double low, double high, json::object& settings,
                        std::string_view name);
Result<void> CopyInt(const Fields& from, std::string_view key, int64_t low, int64_t high, json::object& settings,
                     std::string_view name);

// The path that an error's message begins with; "" where it begins with none.
std::string_view FieldOf(std::string_view message);

}  // namespace bothy::api
