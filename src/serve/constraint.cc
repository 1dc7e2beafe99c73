#include "serve/constraint.h"

namespace bothy::serve {

ConstraintSpec ConstraintOf(const ResponseFormat& format) {
  switch (format.kind) {
    case ResponseFormat::Kind::kText: return {};
    case ResponseFormat::Kind::kJsonObject: return {.kind = ConstraintSpec::Kind::kJsonObject};
    case ResponseFormat::Kind::kJsonSchema: return {.kind = ConstraintSpec::Kind::kJsonSchema, .schema = format.schema};
    case ResponseFormat::Kind::kRegex: return {.kind = ConstraintSpec::Kind::kRegex, .text = format.text};
    case ResponseFormat::Kind::kGbnf: return {.kind = ConstraintSpec::Kind::kGbnf, .text = format.text};
  }
  return {};
}

}  // namespace bothy::serve
