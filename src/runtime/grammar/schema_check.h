// Whether a given value meets a JSON schema: for the constants of a schema, which must meet what is demanded besides.
#pragma once

#include <string_view>

#include "base/error.h"
#include "codec/json.h"
#include "runtime/grammar/schema_document.h"
#include "runtime/grammar/string_set.h"

namespace bothy {

class SchemaCheck {
 public:
  SchemaCheck(const SchemaDocument& document, PatternSets& patterns) : document_(document), patterns_(patterns) {}

  // Keywords that ReadFacts() refuses are not looked at. kResourceExhausted where the schema leads around and around.
  Result<bool> Meets(const json::value& value, const json::value& schema);

 private:
  Result<bool> MeetsAll(const json::value& value, const json::object& schema);
  Result<bool> MeetsOthers(const json::value& value, const json::object& schema);
  Result<bool> MeetsString(std::string_view text, const json::object& schema);
  Result<bool> MeetsArray(const json::array& array, const json::object& schema);
  Result<bool> MeetsObject(const json::object& object, const json::object& schema);
  Result<bool> Matches(std::string_view text, std::string_view pattern, PatternUse use);

  const SchemaDocument& document_;
  PatternSets& patterns_;
  size_t depth_ = 0;
  size_t steps_ = 0;
};

// As JSON Schema compares: 1 and 1.0 are the same.
bool SameJson(const json::value& a, const json::value& b);

}  // namespace bothy
