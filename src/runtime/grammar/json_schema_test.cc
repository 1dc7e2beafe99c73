#include "runtime/grammar/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/grammar/schema_parts.h"
#include "runtime/grammar/testing.h"

// tests/grammar_test.py compares many more schemas with Python's jsonschema.
namespace bothy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string ErrorOf(std::string_view schema) {
  const auto grammar = ParseJsonSchema(schema);
  return grammar ? "none" : grammar.error().message;
}

struct Case {
  std::string_view schema;
  std::vector<std::string_view> takes, refuses;
};

void Expect(const Case& c) {
  const auto grammar = ParseJsonSchema(c.schema);
  ASSERT_OK(grammar);
  const auto program = GrammarProgram::Compile(*grammar);
  ASSERT_OK(program);
  const auto matches = [&](std::string_view text) { return Matches(*program, text).value_or(false); };
  for (const auto text : c.takes) EXPECT_TRUE(matches(text)) << c.schema << "\n" << text;
  for (const auto text : c.refuses) EXPECT_FALSE(matches(text)) << c.schema << "\n" << text;
}

TEST(JsonSchema, TakesAnyValueWhereNothingIsDemanded) {
  for (const std::string_view schema : {"true", "{}", R"({"title": "x", "default": 1, "x-mine": {"not": {}}})"}) {
    Expect({schema,
            {"null", "true", "-1.5e+10", R"("a\"\\\u00e9\ud83d\ude00é")", "[]", "[1, [2,{}]]", R"({"a": {"b":[]} })"},
            {"", "nul", "01", "1.", "-", R"("a)", R"("\ud83d")", R"("\x")", "\"\n\"", "[1,]", "[", R"({"a"})", "{a:1}",
             " 1", "1 "}});
  }
}

TEST(JsonSchema, BoundsWhiteSpace) {
  Expect({R"({"type": "array", "items": {"type": "null"}})",
          {"[]", "[ ]", "[\n]", "[null,null]", "[ null, null ]", "[\n\tnull,\n\tnull\n]",
           "[\n                                        null]"},
          {"[  ]", "[\n                                         null]", "[\n\n]", "[null ,null]", "[\n \tnull]", " []",
           "[] "}});
}

TEST(JsonSchema, WritesPropertiesInTheirOrder) {
  Expect(
      {R"({"type": "object", "properties": {"b": {"type": "integer"}, "a": {"type": "null"}, "c": {"enum": [1, "x"]}},
             "required": ["a"], "additionalProperties": false})",
       {R"({"a":null})", R"({"b":1,"a":null})", R"({ "b": 1, "a": null, "c": "x" })", R"({"a":null,"c":1})"},
       {"{}", R"({"b":1})", R"({"a":null,"b":1})", R"({"a":null,"a":null})", R"({"a":null,"d":1})", R"({,"a":null})",
        R"({"a":null,})"}});
  Expect({R"({"type": "object", "properties": {"a": true, "b": true}, "required": ["z", "a"]})",
          {R"({"a":1,"z":2})", R"({"a":1,"b":[],"z":{}})"},
          {R"({"a":1})", R"({"z":1})", R"({"z":1,"a":1})", R"({"a":1,"z":1,"other":1})"}});
  Expect({R"({"type": "object", "properties": {"é\"\n": {"const": {"k": [1.5, null, "v"]}}}, "required": ["é\"\n"]})",
          {R"({"é\"\n":{"k":[1.5,null,"v"]}})", R"({"é\"\n": { "k": [ 1.5, null, "v" ] }})"},
          {R"({"é":1})"}});
}

TEST(JsonSchema, WritesOtherPropertiesWhereTheSchemaSaysSo) {
  Expect(
      {R"({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "boolean"}})",
       {"{}", R"({"a":1})", R"({"a":1,"b":true,"c":false})", R"({"b":true})", R"({"aa":true,"":false})"},
       // Nor the listed one in disguise.
       {R"({"a":true})", R"({"b":1})", R"({"\u0061":true})", R"({"b":true,"a":1})"}});
  Expect({R"({"type": "object", "patternProperties": {"^n_": {"type": "integer"}, "_s$": {"type": "string"}},
             "additionalProperties": false, "properties": {"n_b": {"maximum": 5}}})",
          {R"({"n_a":1})", R"({"x_s":"y"})", R"({"n_b":5,"n_c":6})", "{}"},
          {R"({"n_a":"x"})", R"({"x_s":1})", R"({"n_x_s":1})", R"({"n_x_s":"x"})", R"({"n_b":6})", R"({"other":1})"}});
  Expect(
      {R"({"type": "object", "propertyNames": {"pattern": "^[a-z]+$", "maxLength": 3}, "additionalProperties": {"type": "null"}})",
       {R"({"abc":null})", "{}"},
       {R"({"abcd":null})", R"({"A":null})", R"({"":null})"}});
  Expect({R"({"type": "object", "additionalProperties": {"type": "null"}, "minProperties": 1, "maxProperties": 2})",
          {R"({"a":null})", R"({"a":null,"b":null})"},
          {"{}", R"({"a":null,"b":null,"c":null})"}});
}

TEST(JsonSchema, CountsItems) {
  Expect({R"({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3})",
          {"[1]", "[1, 2, 3]"},
          {"[]", "[1,2,3,4]", "[null]"}});
  Expect({R"({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": {"type": "null"}})",
          {"[]", "[1]", R"([1,"a"])", R"([1,"a",null,null])"},
          {R"(["a"])", R"([1,"a",1])", "[1,null]"}});
  Expect(
      {R"({"type": "array", "items": [{"type": "integer"}, {"type": "string"}], "additionalItems": false, "minItems": 1})",
       {"[1]", R"([1,"a"])"},
       {"[]", R"([1,"a",null])"}});
  Expect({R"({"type": "array", "maxItems": 0})", {"[]", "[ ]"}, {"[1]"}});
  Expect({R"({"type": "array", "prefixItems": [true, true], "maxItems": 1})", {"[]", "[1]"}, {"[1,1]"}});
}

TEST(JsonSchema, MeasuresStringsInCharacters) {
  Expect({R"({"type": "string", "minLength": 2, "maxLength": 3})",
          {R"("ab")", R"("é中😀")", R"("\ud83d\ude00\n")"},
          {R"("a")", R"("abcd")", R"("\ud83d\ude00")"}});
  Expect({R"({"type": "string", "maxLength": 4000000000})", {R"("")", R"("abc")"}, {"1"}});
}

TEST(JsonSchema, FollowsPatternsAndFormats) {
  Expect({R"({"type": "string", "pattern": "^[a-z\"\\\\]+\\d?$"})",
          {R"("ab1")", R"("\"\\")"},
          {R"("")", R"("A")", R"("a12")", R"("a)", R"("\u0061")"}});
  Expect({R"({"type": "string", "pattern": "b"})", {R"("abc")", R"("é\nb")"}, {R"("ac")"}});
  // With a length, or with each other, they are one automaton.
  Expect({R"({"type": "string", "pattern": "^(ab)+$", "minLength": 3, "maxLength": 6})",
          {R"("abab")", R"("ababab")"},
          {R"("ab")", R"("abababab")"}});
  Expect({R"({"allOf": [{"type": "string", "pattern": "^a"}, {"pattern": "z$"}, {"maxLength": 4}]})",
          {R"("az")", R"("abcz")"},
          {R"("a")", R"("abcdz")", R"("z")"}});
  Expect({R"({"type": "string", "format": "date"})",
          {R"("2024-02-29")", R"("1999-12-31")", R"("2000-02-29")"},
          {R"("2023-02-29")", R"("1900-02-29")", R"("2024-04-31")", R"("2024-13-01")", R"("24-01-01")",
           R"("0000-01-01")"}});
  Expect({R"({"type": "string", "format": "date-time"})",
          {R"("2024-02-29T23:59:59Z")", R"("2024-01-01T00:00:00.123+05:30")"},
          {R"("2024-02-29 23:59:59Z")", R"("2024-02-29T24:00:00Z")", R"("2024-02-29T23:59:59")"}});
  Expect({R"({"type": "string", "format": "ipv6"})",
          {R"("::")", R"("::1")", R"("2001:db8::8a2e:370:7334")", R"("1:2:3:4:5:6:7:8")", R"("1::8")"},
          {R"("1:2:3:4:5:6:7")", R"("1::2::3")", R"("12345::")", R"("1:2:3:4:5:6:7:8:9")"}});
  Expect({R"({"type": "string", "format": "duration"})",
          {R"("P1Y2M3DT4H5M6S")", R"("PT1H")", R"("P2W")", R"("P3D")"},
          {R"("P")", R"("PT")", R"("P1D2H")", R"("P1Y3D")"}});
  Expect({R"({"type": "string", "format": "of-my-own"})", {R"("anything")"}, {"1"}});
}

TEST(JsonSchema, KeepsNumbersInTheirRange) {
  Expect({R"({"type": "integer", "minimum": -3, "exclusiveMaximum": 120})",
          {"-3", "0", "119", "99"},
          {"-4", "120", "1.0", "1e1", "-0", "1000"}});
  Expect({R"({"type": "number", "exclusiveMinimum": 0, "maximum": 1.25})",
          {"0.001", "1", "1.25", "1.2"},
          {"0", "0.0", "1.26", "-1", "1.2500001"}});
  // More digits than are written.
  EXPECT_THAT(ErrorOf(R"({"type": "integer", "minimum": 1e30})"), HasSubstr("no value can meet it"));
  EXPECT_THAT(ErrorOf(R"({"type": "integer", "minimum": 0.2, "maximum": 0.8})"), HasSubstr("no value can meet it"));
}

TEST(JsonSchema, JoinsSchemas) {
  Expect({R"({"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}], "title": "x"})",
          {"1", R"("a")"},
          {R"("ab")", "1.5", "null"}});
  Expect({R"({"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                        {"properties": {"a": {"minimum": 5}, "b": {"type": "null"}}, "required": ["b"]}]})",
          {R"({"a":5,"b":null})"},
          {R"({"a":4,"b":null})", R"({"a":5})"}});
  // What one calls additional, the other does not name.
  Expect({R"({"allOf": [{"type": "object", "properties": {"a": true}, "additionalProperties": {"type": "integer"}},
                        {"properties": {"b": {"minimum": 3}}}]})",
          {R"({"a":"x","b":3,"c":1})"},
          {R"({"b":2})", R"({"b":"x"})", R"({"c":"x"})"}});
  Expect({R"({"type": ["integer", "null"], "enum": [1, 2.5, "x", null, 300], "maximum": 200})",
          {"1", "null"},
          {"2.5", R"("x")", "300"}});
  Expect(
      {R"({"enum": ["b", "a", "abc", "ab", ""], "maxLength": 2})", {R"("a")", R"("ab")", R"("")"}, {R"("abc")", "b"}});
}

TEST(JsonSchema, TakesOneOfWhereNothingCanBeTwoOfThem) {
  Expect(
      {R"({"oneOf": [{"type": "integer"}, {"type": "string"}, {"const": null}]})", {"1", R"("a")", "null"}, {"true"}});
  Expect({R"({"type": "integer", "oneOf": [{"maximum": 3}, {"minimum": 10}]})", {"3", "10"}, {"4"}});
  Expect({R"({"oneOf": [
            {"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}, "required": ["kind", "x"]},
            {"type": "object", "properties": {"kind": {"const": "b"}, "y": {"$ref": "#"}}, "required": ["kind", "y"]}]})",
          {R"({"kind":"a","x":1})", R"({"kind":"b","y":{"kind":"a","x":2}})"},
          {R"({"kind":"a","y":1})", R"({"kind":"c"})"}});
  EXPECT_THAT(ErrorOf(R"({"properties": {"p": {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 5}]}}})"),
              StartsWith("JSON schema, #/properties/p: \"oneOf\" is supported only where"));
  EXPECT_THAT(ErrorOf(R"({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]})"), HasSubstr("\"oneOf\""));
}

TEST(JsonSchema, FollowsReferences) {
  Expect({R"({"$defs": {"node": {"type": "object", "properties": {"v": {"type": "integer"},
              "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["v", "next"]}},
              "$ref": "#/$defs/node"})",
          {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":{"v":3,"next":null}}})"},
          {R"({"v":1})", R"({"v":1,"next":1})"}});
  Expect(
      {R"({"definitions": {"a/b~c d": {"type": "null"}}, "type": "array", "items": {"$ref": "#/definitions/a~1b~0c%20d"}})",
       {"[null]"},
       {"[1]"}});
  Expect({R"({"type": "array", "items": {"$ref": "#"}})", {"[]", "[[],[[]]]"}, {"[1]"}});
  // Beside it other keywords count, unless the draft is old.
  Expect({R"({"$defs": {"i": {"type": "integer"}}, "$ref": "#/$defs/i", "minimum": 3})", {"3"}, {"2", "3.5"}});
  Expect({R"({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"i": {"type": "integer"}},
              "$ref": "#/definitions/i", "minimum": 3})",
          {"3", "2"},
          {"3.5"}});
}

TEST(JsonSchema, NamesWhatItRefuses) {
  const auto refuses = [](std::string_view member, std::string_view message) {
    EXPECT_EQ(ErrorOf(fmt::format(R"({{"type": "object", "properties": {{"a b": {{"items": {{{}}}}}}}}})", member)),
              fmt::format("JSON schema, #/properties/a b/items: {}", message));
  };
  refuses(R"("not": {})", "\"not\" is not supported");
  refuses(R"("if": true, "then": false)", "\"if\" is not supported");
  refuses(R"("dependentRequired": {})", "\"dependentRequired\" is not supported");
  refuses(R"("contains": {})", "\"contains\" is not supported");
  refuses(R"("uniqueItems": true)", "\"uniqueItems\" is not supported");
  refuses(R"("unevaluatedProperties": false)", "\"unevaluatedProperties\" is not supported");
  refuses(R"("multipleOf": 0.5)", "\"multipleOf\" is not supported, but for 1");
  refuses(R"("$ref": "other.json#/a")",
          "\"$ref\": \"other.json#/a\" is not supported: only # and JSON pointers into the same schema are");
  refuses(R"("$ref": "#/nowhere")", "\"$ref\": \"#/nowhere\" leads nowhere");
  refuses(R"("$ref": "#/properties/a b/items")", "\"$ref\" leads back to where it came from");
  refuses(R"("$id": "x")", "\"$id\" is not supported below the root");
  refuses(R"x("pattern": "(?=x)")x", "\"pattern\": the pattern looks ahead, which is not supported (at offset 2)");
  refuses(R"("type": "int")", "\"type\" is one or several of null, boolean, integer, number, string, array, object");
  refuses(R"("enum": [])", "\"enum\" is a list of values, not empty");
  refuses(R"("minLength": -1)", "\"minLength\" is a count");
  refuses(R"("minimum": "1")", "\"minimum\" is a number");
  refuses(R"("exclusiveMinimum": true)", "\"exclusiveMinimum\" is a number");
  refuses(R"("required": ["a", 1])", "\"required\" is a list of names");
  refuses(R"("properties": [])", "\"properties\" is an object of schemas");
  refuses(R"("additionalProperties": 1)", "\"additionalProperties\" is a schema");
  refuses(R"("anyOf": [])", "\"anyOf\" is a list of schemas, not empty");
  refuses(R"("minProperties": 2)", "\"minProperties\" above 1 is not supported, but for as many as are required");
  refuses(R"("maxProperties": 1, "properties": {"a": {}, "b": {}})",
          "\"maxProperties\" is not supported beside properties that may or may not be there");
  EXPECT_THAT(ErrorOf("1"), HasSubstr("a schema is an object, true or false"));
  EXPECT_THAT(ErrorOf("{"), HasSubstr("JSON schema"));
  EXPECT_EQ(ParseJsonSchema("{").error().code, ErrorCode::kInvalidArgument);
}

TEST(JsonSchema, DoesNotLookAtWhatNoValueComesTo) {
  Expect({R"({"$defs": {"unused": {"not": {}}}, "type": "integer"})", {"1"}, {"null"}});
}

TEST(JsonSchema, SaysThatNoValueCanMeetIt) {
  for (const std::string_view schema :
       {"false", R"({"type": "integer", "minimum": 5, "maximum": 4})",
        R"({"allOf": [{"type": "null"}, {"type": "string"}]})",
        R"({"type": "object", "properties": {"a": false}, "required": ["a"]})", R"({"const": 1, "enum": [2]})",
        R"({"type": "object", "properties": {"me": {"$ref": "#"}}, "required": ["me"]})",
        R"({"type": "array", "items": false, "minItems": 1})",
        R"({"type": "string", "pattern": "^a$", "minLength": 2})"}) {
    EXPECT_EQ(ErrorOf(schema), "JSON schema, #: no value can meet it") << schema;
  }
}

TEST(JsonSchema, HasLimits) {
  const std::string longest = R"({"title": ")" + std::string(kMaxSchemaBytes - 13, 'x') + "\"}";
  EXPECT_EQ(longest.size(), kMaxSchemaBytes);
  EXPECT_EQ(ErrorOf(longest), "none");
  EXPECT_THAT(ErrorOf(longest + " "), HasSubstr("at most 1048576"));
  // Each doubles what the one before it means.
  std::string doubling = R"({"$ref": "#/$defs/d0", "$defs": {)";
  for (int i = 0; i < 40; i++) {
    doubling +=
        fmt::format(R"("d{}": {{"allOf": [{{"$ref": "#/$defs/d{}"}}, {{"$ref": "#/$defs/d{}"}}]}},)", i, i + 1, i + 1);
  }
  EXPECT_THAT(ErrorOf(doubling + R"("d40": {}}})"), HasSubstr("too large"));
  const auto choices = [](int count) {
    std::string schema = R"({"allOf": [)";
    for (int i = 0; i < count; i++) {
      schema += fmt::format(R"({}{{"anyOf": [{{"minimum": {}}}, {{"maxLength": {}}}]}})", i > 0 ? "," : "", i, i);
    }
    return schema + "]}";
  };
  EXPECT_EQ(ErrorOf(choices(9)), "none");
  EXPECT_THAT(ErrorOf(choices(10)), HasSubstr("more than 512 alternatives"));
  const auto listed = [](size_t count) {
    std::string schema = R"({"type": "array", "prefixItems": [true)";
    for (size_t i = 1; i < count; i++) schema += ",true";
    return schema + "]}";
  };
  EXPECT_EQ(ErrorOf(listed(kMaxPrefixItems)), "none");
  EXPECT_THAT(ErrorOf(listed(kMaxPrefixItems + 1)), HasSubstr("more than 256"));
  const auto patterns = [](size_t count) {
    std::string schema = R"({"type": "object", "patternProperties": {"^0": true)";
    for (size_t i = 1; i < count; i++) schema += fmt::format(R"(, "^{}": true)", i);
    return schema + "}}";
  };
  EXPECT_EQ(ErrorOf(patterns(kMaxNamePatterns)), "none");
  EXPECT_THAT(ErrorOf(patterns(kMaxNamePatterns + 1)), HasSubstr("more than 4 patterns"));
  const auto exclusive = [](size_t count) {
    std::string schema = R"({"oneOf": [{"const": 0})";
    for (size_t i = 1; i < count; i++) schema += fmt::format(R"(, {{"const": {}}})", i);
    return schema + "]}";
  };
  EXPECT_EQ(ErrorOf(exclusive(kMaxExclusive)), "none");
  EXPECT_THAT(ErrorOf(exclusive(kMaxExclusive + 1)), HasSubstr("more than 64 alternatives"));
  const auto chain = [](size_t schemas) {
    std::string schema = R"({"$ref": "#/$defs/d1", "$defs": {)";
    for (size_t i = 1; i + 1 < schemas; i++) schema += fmt::format(R"("d{}": {{"$ref": "#/$defs/d{}"}},)", i, i + 1);
    return schema + fmt::format(R"("d{}": {{}}}}}})", schemas - 1);
  };
  EXPECT_EQ(ErrorOf(chain(kMaxSchemaNesting)), "none");
  EXPECT_THAT(ErrorOf(chain(kMaxSchemaNesting + 1)), HasSubstr("more than 300 schemas in each other"));
  std::string many = R"({"type": "object", "additionalProperties": true, "properties": {)";
  for (int i = 0; i < 500; i++) many += fmt::format(R"("property_{}": {{"type": "string"}},)", i);
  EXPECT_EQ(ErrorOf(many + R"("last": {}}})"), "none");
}

TEST(JsonObject, IsAnyObject) {
  const auto program = GrammarProgram::Compile(JsonObjectGrammar());
  ASSERT_OK(program);
  for (const auto text : {"{}", R"({"a": [1, {"b": null}], "\u00e9": "x"})"}) EXPECT_TRUE(*Matches(*program, text));
  for (const auto text : {"[]", "1", "{", "{}{}"}) EXPECT_FALSE(*Matches(*program, text));
}

}  // namespace
}  // namespace bothy
