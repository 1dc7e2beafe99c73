#include "runtime/grammar/json_schema.h"

#include <algorithm>
#include <map>
#include <optional>

#include "runtime/grammar/program.h"
#include "runtime/grammar/schema_check.h"
#include "runtime/grammar/schema_parts.h"

namespace bothy {
namespace {

using Node = Grammar::Node;
using Rule = Grammar::Rule;

// Makes a rule for each set of schemas that some value must meet together. There are finitely many, so schemas that
// refer to each other in circles end.
class SchemaCompiler {
 public:
  explicit SchemaCompiler(const json::value& schema)
      : document_(schema), json_(grammar_), check_(document_, patterns_) {}

  Result<Grammar> Run() {
    const Rule root = RuleFor({{&document_.root(), false}});
    grammar_.SetRoot(root);
    // Rules are written one after the other, not in each other.
    for (size_t i = 0; i < made_.size() && !grammar_.full(); i++) {
      const auto [rule, schemas] = made_[i];  // copies: more are made meanwhile
      auto body = Write(schemas, rule);
      if (!body) errors_.emplace(rule, body.error());
      grammar_.Define(rule, body ? *body : grammar_.Empty());
    }
    TRY(grammar_.Check());
    // What goes wrong in schemas that no value comes to does not matter.
    const std::vector<bool> needed = RulesBelow(root);
    for (const Made& made : made_) {
      if (!needed[Grammar::Index(made.rule)]) continue;
      const auto error = errors_.find(made.rule);
      if (error != errors_.end()) return tl::unexpected<Error>(error->second);
    }
    TRY(CheckExclusions(needed));
    return std::move(grammar_);
  }

 private:
  struct Made {
    Rule rule;
    Conjunction schemas;
  };
  struct Promise {  // that no value meets both
    Rule owner, both;
    const json::value* one_of;
  };

  Rule RuleFor(Conjunction schemas) {
    // The order matters for how a value is written, not for what it must meet.
    Conjunction unique;
    for (const SchemaPart& part : schemas) {
      if (std::ranges::find(unique, part) == unique.end()) unique.push_back(part);
    }
    Conjunction key = unique;
    std::ranges::sort(key);
    const auto [found, added] = rules_.try_emplace(std::move(key));
    if (added) {
      found->second = grammar_.Declare(unique.empty() ? "any value" : "the JSON schema");
      made_.push_back({found->second, std::move(unique)});
    }
    return found->second;
  }

  Result<Node> Write(const Conjunction& schemas, Rule rule) {
    const SchemaAlternatives read = TRY(ReadFacts(document_, schemas, budget_));
    std::vector<Node> alternatives;
    for (const SchemaFacts& facts : read.facts) {
      auto written = WriteFacts(facts, schemas);
      if (written) {
        alternatives.push_back(*written);
      } else if (written.error().message.starts_with("JSON schema")) {
        return written;
      } else {
        return document_.Refuse(*schemas.back().schema, "{}", written.error().message);
      }
    }
    for (const Exclusion& exclusion : read.exclusions) {
      promises_.push_back({rule, RuleFor(exclusion.both), exclusion.one_of});
    }
    return grammar_.Choice(std::move(alternatives));
  }

  Result<Node> WriteFacts(const SchemaFacts& facts, const Conjunction& schemas) {
    if (facts.open) return json_.Value();
    if (facts.values != nullptr || facts.value != nullptr) return WriteConstants(facts, schemas);
    const RuleForSchemas rule_for = [this](Conjunction below) { return RuleFor(std::move(below)); };
    std::vector<Node> kinds;
    if ((facts.types & kObjectType) != 0) {
      kinds.push_back(TRY(WriteObject(facts.objects, json_, patterns_, budget_, rule_for)));
    }
    if ((facts.types & kArrayType) != 0) kinds.push_back(TRY(WriteArray(facts.arrays, json_, rule_for)));
    if ((facts.types & kStringType) != 0) kinds.push_back(TRY(WriteString(facts.strings, json_, budget_)));
    if ((facts.types & (kIntegerType | kFractionType)) != 0) {
      const bool integers = (facts.types & kFractionType) == 0;
      if (facts.numbers.open()) {
        kinds.push_back(integers ? json_.Integer() : json_.Number());
      } else {
        kinds.push_back(WriteNumberRange(facts.numbers, integers, json_));
      }
    }
    if ((facts.types & kBooleanType) != 0) {
      kinds.push_back(grammar_.Literal("true"));
      kinds.push_back(grammar_.Literal("false"));
    }
    if ((facts.types & kNullType) != 0) kinds.push_back(grammar_.Literal("null"));
    return grammar_.Choice(std::move(kinds));
  }

  // Those that meet everything else.
  Result<Node> WriteConstants(const SchemaFacts& facts, const Conjunction& schemas) {
    std::vector<const json::value*> values;
    const auto add = [&](const json::value& value) -> Result<void> {
      TRY(budget_.Spend(1));
      for (const SchemaPart& part : schemas) {
        if (!part.without_others && !TRY(check_.Meets(value, *part.schema))) return {};
      }
      values.push_back(&value);
      return {};
    };
    if (facts.value != nullptr) {
      TRY(add(*facts.value));
    } else {
      for (const json::value& value : *facts.values) TRY(add(value));
    }
    return json_.Constants(values);
  }

  std::vector<bool> RulesBelow(Rule root) const {
    std::vector<bool> seen(grammar_.rule_count());
    std::vector<Rule> work = {root};
    seen[Grammar::Index(root)] = true;
    const auto visit = [&](auto& self, Node node) -> void {
      const Grammar::Part& part = grammar_.part(node);
      if (part.kind == Grammar::Kind::kReference && !seen[part.target]) {
        seen[part.target] = true;
        work.push_back(static_cast<Rule>(part.target));
      }
      if (part.kind == Grammar::Kind::kRepeat) self(self, static_cast<Node>(part.target));
      if (part.kind == Grammar::Kind::kSequence || part.kind == Grammar::Kind::kChoice) {
        for (const Node child : grammar_.children(part)) self(self, child);
      }
    };
    while (!work.empty()) {
      const Rule rule = work.back();
      work.pop_back();
      visit(visit, grammar_.body(rule));
    }
    return seen;
  }

  // That no value meets two alternatives of a oneOf is shown where the grammar of both together has no text.
  Result<void> CheckExclusions(const std::vector<bool>& needed) const {
    std::vector<Rule> rules = {grammar_.root()};
    for (const Promise& promise : promises_) rules.push_back(promise.both);
    const std::vector<bool> can_end = GrammarProgram::CanEnd(grammar_, rules);
    if (!can_end[0]) return document_.Refuse(document_.root(), "no value can meet it");
    for (size_t i = 0; i < promises_.size(); i++) {
      if (!needed[Grammar::Index(promises_[i].owner)] || !can_end[i + 1]) continue;
      return document_.Refuse(*promises_[i].one_of,
                              "\"oneOf\" is supported only where no value can meet two of its alternatives; use "
                              "\"anyOf\", or a property with another \"const\" in each");
    }
    return {};
  }

  const SchemaDocument document_;
  Grammar grammar_;
  JsonGrammar json_;
  PatternSets patterns_;
  SchemaBudget budget_;
  SchemaCheck check_;
  std::map<Conjunction, Rule> rules_;
  std::vector<Made> made_;
  std::map<Rule, Error> errors_;
  std::vector<Promise> promises_;
};

}  // namespace

Result<Grammar> JsonSchemaGrammar(const json::value& schema) { return SchemaCompiler(schema).Run(); }

Result<Grammar> ParseJsonSchema(std::string_view text) {
  if (text.size() > kMaxSchemaBytes) {
    return Fail(ErrorCode::kResourceExhausted, "a JSON schema of {} bytes, at most {} are read", text.size(),
                kMaxSchemaBytes);
  }
  auto schema = json::Parse(text, "JSON schema", kMaxSchemaValues);
  if (!schema && schema.error().code == ErrorCode::kCorrupt) schema.error().code = ErrorCode::kInvalidArgument;
  return JsonSchemaGrammar(TRY(std::move(schema)));
}

Grammar JsonObjectGrammar() {
  Grammar grammar;
  JsonGrammar json(grammar);
  grammar.SetRoot(grammar.Add("a JSON object", json.Object()));
  return grammar;
}

}  // namespace bothy
