// A JSON schema and, after a zero byte, the ways to go where it is followed: what they lead to is JSON that meets it.
#include "codec/json.h"
#include "grammar_walk.h"
#include "input.h"
#include "runtime/grammar/json_schema.h"
#include "runtime/grammar/schema_check.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  const auto schema = json::Parse(TakePart(input), "schema", kMaxSchemaValues);
  if (!schema) return 0;
  const auto grammar = JsonSchemaGrammar(*schema);
  if (!grammar) return 0;
  const auto text = WalkGrammar(*grammar, input);
  if (!text) return 0;
  const auto value = json::Parse(*text, "text");
  CHECK(value.has_value());
  const SchemaDocument document(*schema);
  PatternSets patterns;
  const auto meets = SchemaCheck(document, patterns).Meets(*value, *schema);
  CHECK(!meets || *meets);
  return 0;
}
