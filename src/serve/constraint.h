// What the text of an answer must be, as data: the grammar engine makes of it what it runs.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "serve/chat.h"

namespace bothy::serve {

// A part of a text: exactly this, or any JSON text that a schema allows. A schema is a document of its own, so that
// its references stay right.
using ConstraintPart = std::variant<std::string, json::value>;

struct ConstraintSpec {
  enum class Kind { kNone, kJsonObject, kJsonSchema, kRegex, kGbnf, kCalls };
  Kind kind = Kind::kNone;
  json::value schema;  // kJsonSchema
  std::string text;    // kRegex, kGbnf

  // kCalls: `begin`, one of `calls` or, with `several`, more of them with `between`, then `end`.
  std::string begin, between, end;
  std::vector<std::vector<ConstraintPart>> calls;
  bool several = false;
};

ConstraintSpec ConstraintOf(const ResponseFormat& format);

}  // namespace bothy::serve
