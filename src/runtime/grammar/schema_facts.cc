#include "runtime/grammar/schema_facts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

namespace bothy {
namespace {

class FactsReader {
 public:
  FactsReader(const SchemaDocument& document, SchemaBudget& budget) : document_(document), budget_(budget) {
    read_.facts.emplace_back();
  }

  Result<SchemaAlternatives> Run(const Conjunction& schemas) {
    for (const SchemaPart& part : schemas) TRY(Add(*part.schema, part.without_others, read_.facts));
    return std::move(read_);
  }

 private:
  using Alternatives = std::vector<SchemaFacts>;

  // Makes every alternative demand the schema as well.
  Result<void> Add(const json::value& schema, bool without_others, Alternatives& to) {
    TRY(budget_.Spend(to.size() + 1));
    if (const bool* simple = schema.if_bool()) {
      if (!*simple) to.clear();
      return {};
    }
    const json::object* object = schema.if_object();
    if (object == nullptr) return document_.Refuse(schema, "a schema is an object, true or false");
    if (std::ranges::find(path_, &schema) != path_.end()) {
      return document_.Refuse(schema, "\"$ref\" leads back to where it came from");
    }
    if (path_.size() >= kMaxSchemaNesting) {
      return document_.Refuse(schema, "more than {} schemas in each other", kMaxSchemaNesting);
    }
    path_.push_back(&schema);
    TRY(AddObject(schema, *object, without_others, to));
    path_.pop_back();
    return {};
  }

  Result<void> AddObject(const json::value& schema, const json::object& object, bool without_others, Alternatives& to) {
    if (&schema != &document_.root()) {
      if (const json::value* id = object.if_contains("$id"); id != nullptr && id->is_string()) {
        return document_.Refuse(schema, "\"$id\" is not supported below the root");
      }
    }
    const json::value* reference = object.if_contains("$ref");
    if (reference != nullptr && !without_others) {
      if (!reference->is_string()) return document_.Refuse(schema, "\"$ref\" is a string");
      const auto target = document_.Resolve(reference->get_string());
      if (!target) return document_.Refuse(schema, "{}", target.error().message);
      TRY(Add(**target, false, to));
      if (document_.references_stand_alone()) return {};
    }
    for (SchemaFacts& facts : to) TRY(ReadKeywords(schema, object, facts));
    if (without_others) return {};
    if (const auto all = object.if_contains("allOf")) {
      for (const json::value& one : *TRY(Schemas(schema, "allOf", *all))) TRY(Add(one, false, to));
    }
    if (const auto any = object.if_contains("anyOf")) TRY(AddAny(*TRY(Schemas(schema, "anyOf", *any)), schema, to));
    if (const auto one = object.if_contains("oneOf")) {
      const json::array& schemas = *TRY(Schemas(schema, "oneOf", *one));
      if (schemas.size() > kMaxExclusive) {
        return document_.Refuse(schema, "\"oneOf\" has more than {} alternatives", kMaxExclusive);
      }
      TRY(AddAny(schemas, schema, to));
      for (size_t i = 0; i < schemas.size(); i++) {
        TRY(budget_.Spend(i));
        for (size_t j = 0; j < i; j++) {
          read_.exclusions.push_back({{{&schema, true}, {&schemas[j], false}, {&schemas[i], false}}, &schema});
        }
      }
    }
    return {};
  }

  Result<void> AddAny(const json::array& schemas, const json::value& at, Alternatives& to) {
    Alternatives all;
    for (const json::value& schema : schemas) {
      Alternatives some = to;
      TRY(Add(schema, false, some));
      std::ranges::move(some, std::back_inserter(all));
      if (all.size() > kMaxAlternatives) {
        return document_.Refuse(at, "more than {} alternatives, when all that are in each other are multiplied",
                                kMaxAlternatives);
      }
    }
    to = std::move(all);
    return {};
  }

  Result<const json::array*> Schemas(const json::value& schema, std::string_view keyword, const json::value& value) {
    const json::array* schemas = value.if_array();
    if (schemas == nullptr || schemas->empty()) {
      return document_.Refuse(schema, "\"{}\" is a list of schemas, not empty", keyword);
    }
    return schemas;
  }

  Result<void> ReadKeywords(const json::value& schema, const json::object& object, SchemaFacts& facts) {
    ArrayView array;
    ObjectView fields;
    const json::value *items = nullptr, *additional_items = nullptr;
    for (const auto& member : object) {
      const std::string_view keyword = member.key();
      const json::value& value = member.value();
      const auto wrong = [&](std::string_view expected) {
        return document_.Refuse(schema, "\"{}\" is {}", keyword, expected);
      };
      const auto count = [&]() -> Result<uint64_t> {
        uint64_t number = 0;
        if (value.is_int64() && value.get_int64() >= 0) {
          number = static_cast<uint64_t>(value.get_int64());
        } else if (value.is_uint64()) {
          number = value.get_uint64();
        } else if (value.is_double() && value.get_double() >= 0 && value.get_double() < 0x1p63 &&
                   std::floor(value.get_double()) == value.get_double()) {
          number = static_cast<uint64_t>(value.get_double());
        } else {
          return wrong("a count");
        }
        return number;
      };
      const auto bound = [&]() -> Result<Decimal> {
        if (value.is_int64()) return Decimal::Of(value.get_int64());
        if (value.is_uint64()) return Decimal::Of(value.get_uint64());
        if (value.is_double()) return Decimal::Of(value.get_double());
        return wrong("a number");
      };
      const auto text = [&]() -> Result<std::string> {
        if (!value.is_string()) return wrong("a string");
        return std::string(value.get_string());
      };
      const auto is_schema = [&]() -> Result<const json::value*> {
        if (!value.is_object() && !value.is_bool()) return wrong("a schema");
        return &value;
      };
      const auto schemas_by_name = [&]() -> Result<const json::object*> {
        const json::object* named = value.if_object();
        if (named == nullptr) return wrong("an object of schemas");
        return named;
      };
      bool demands = true;
      if (keyword == "type") {
        facts.types &= TRY(ReadTypes(schema, value));
      } else if (keyword == "enum") {
        if (!value.is_array() || value.get_array().empty()) return wrong("a list of values, not empty");
        if (facts.values == nullptr) facts.values = &value.get_array();
      } else if (keyword == "const") {
        facts.value = &value;
      } else if (keyword == "minimum") {
        TakeLow(facts.numbers, {TRY(bound()), false});
      } else if (keyword == "exclusiveMinimum") {
        TakeLow(facts.numbers, {TRY(bound()), true});
      } else if (keyword == "maximum") {
        TakeHigh(facts.numbers, {TRY(bound()), false});
      } else if (keyword == "exclusiveMaximum") {
        TakeHigh(facts.numbers, {TRY(bound()), true});
      } else if (keyword == "multipleOf") {
        const bool one = value.is_number() && value.to_number<double>() == 1;
        if (!one) return document_.Refuse(schema, "\"multipleOf\" is not supported, but for 1");
        facts.types &= static_cast<uint8_t>(~kFractionType);
      } else if (keyword == "minLength") {
        facts.strings.min_length = std::max(facts.strings.min_length, TRY(count()));
      } else if (keyword == "maxLength") {
        facts.strings.max_length = std::min(facts.strings.max_length, TRY(count()));
      } else if (keyword == "pattern") {
        facts.strings.patterns.push_back(TRY(text()));
      } else if (keyword == "format") {
        facts.strings.formats.push_back(TRY(text()));
      } else if (keyword == "minItems") {
        facts.arrays.min_items = std::max(facts.arrays.min_items, TRY(count()));
      } else if (keyword == "maxItems") {
        facts.arrays.max_items = std::min(facts.arrays.max_items, TRY(count()));
      } else if (keyword == "uniqueItems") {
        if (!value.is_bool()) return wrong("true or false");
        if (value.get_bool()) return document_.Refuse(schema, "\"uniqueItems\" is not supported");
        demands = false;
      } else if (keyword == "prefixItems") {
        if (!value.is_array()) return wrong("a list of schemas");
        for (const json::value& one : value.get_array()) array.first.push_back(&one);
      } else if (keyword == "items") {
        items = &value;
      } else if (keyword == "additionalItems") {
        additional_items = TRY(is_schema());
      } else if (keyword == "minProperties") {
        facts.objects.min_properties = std::max(facts.objects.min_properties, TRY(count()));
      } else if (keyword == "maxProperties") {
        facts.objects.max_properties = std::min(facts.objects.max_properties, TRY(count()));
      } else if (keyword == "required") {
        if (!value.is_array()) return wrong("a list of names");
        for (const json::value& name : value.get_array()) {
          if (!name.is_string()) return wrong("a list of names");
          auto& names = facts.objects.required;
          const std::string_view wanted = name.get_string();
          if (std::ranges::find(names, wanted) == names.end()) names.emplace_back(wanted);
        }
      } else if (keyword == "properties") {
        fields.properties = TRY(schemas_by_name());
      } else if (keyword == "patternProperties") {
        fields.patterns = TRY(schemas_by_name());
      } else if (keyword == "additionalProperties") {
        fields.additional = TRY(is_schema());
      } else if (keyword == "propertyNames") {
        facts.objects.names.push_back(TRY(is_schema()));
      } else if (IsRefused(keyword)) {
        return document_.Refuse(schema, "\"{}\" is not supported", keyword);
      } else {
        demands = false;  // an annotation, or one that no draft knows, which is the same to a validator
      }
      if (demands) facts.open = false;
    }
    if (items != nullptr && items->is_array()) {  // before 2020-12
      for (const json::value& one : items->get_array()) array.first.push_back(&one);
      array.rest = additional_items;
      facts.open = false;
    } else if (items != nullptr) {
      if (!items->is_object() && !items->is_bool()) return document_.Refuse(schema, "\"items\" is a schema");
      array.rest = items;
      facts.open = false;
    }
    if (array.rest != nullptr || !array.first.empty()) facts.arrays.views.push_back(std::move(array));
    if (fields.properties != nullptr || fields.patterns != nullptr || fields.additional != nullptr) {
      facts.objects.views.push_back(fields);
    }
    return {};
  }

  static bool IsRefused(std::string_view keyword) {
    for (const std::string_view refused :
         {"not", "if", "dependentRequired", "dependentSchemas", "dependencies", "contains", "unevaluatedItems",
          "unevaluatedProperties", "$dynamicRef", "$recursiveRef", "extends", "disallow", "divisibleBy"}) {
      if (keyword == refused) return true;
    }
    return false;
  }

  Result<uint8_t> ReadTypes(const json::value& schema, const json::value& value) {
    static const std::map<std::string_view, uint8_t> kTypes = {
        {"null", kNullType},     {"boolean", kBooleanType}, {"integer", kIntegerType},
        {"string", kStringType}, {"array", kArrayType},     {"number", kIntegerType | kFractionType},
        {"object", kObjectType}};
    uint8_t types = 0;
    const auto add = [&](const json::value& name) -> Result<void> {
      const auto found = name.is_string() ? kTypes.find(std::string_view(name.get_string())) : kTypes.end();
      if (found == kTypes.end()) {
        return document_.Refuse(schema,
                                "\"type\" is one or several of null, boolean, integer, number, string, array, object");
      }
      types |= found->second;
      return {};
    };
    if (const json::array* names = value.if_array()) {
      for (const json::value& name : *names) TRY(add(name));
    } else {
      TRY(add(value));
    }
    return types;
  }

  const SchemaDocument& document_;
  SchemaBudget& budget_;
  SchemaAlternatives read_;
  std::vector<const json::value*> path_;  // of schemas that are being read
};

}  // namespace

Result<void> SchemaBudget::Spend(size_t work) {
  spent_ += work;
  if (spent_ <= kWork) return {};
  return Fail(ErrorCode::kResourceExhausted, "the JSON schema is too large, when all that it refers to is written out");
}

Result<SchemaAlternatives> ReadFacts(const SchemaDocument& document, const Conjunction& schemas, SchemaBudget& budget) {
  return FactsReader(document, budget).Run(schemas);
}

}  // namespace bothy
