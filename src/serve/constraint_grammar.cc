#include "serve/constraint_grammar.h"

#include "runtime/grammar/gbnf.h"
#include "runtime/grammar/json_schema.h"
#include "runtime/grammar/pattern.h"

namespace bothy::serve {
namespace {

Result<Grammar> CallsGrammar(const ConstraintSpec& constraint) {
  Grammar grammar;
  std::vector<Grammar::Node> calls;
  for (const std::vector<ConstraintPart>& parts : constraint.calls) {
    std::vector<Grammar::Node> sequence;
    for (const ConstraintPart& part : parts) {
      if (const auto* text = std::get_if<std::string>(&part)) {
        sequence.push_back(grammar.Literal(*text));
      } else {
        const Grammar schema = TRY(JsonSchemaGrammar(std::get<json::value>(part)));
        sequence.push_back(grammar.Reference(grammar.Import(schema)));
      }
    }
    calls.push_back(grammar.Sequence(std::move(sequence)));
  }
  const Grammar::Rule call = grammar.Add("call", grammar.Choice(std::move(calls)));
  std::vector<Grammar::Node> all = {grammar.Literal(constraint.begin), grammar.Reference(call)};
  if (constraint.several) {
    all.push_back(grammar.Repeat(grammar.Sequence({grammar.Literal(constraint.between), grammar.Reference(call)}), 0,
                                 Grammar::kUnbounded));
  }
  all.push_back(grammar.Literal(constraint.end));
  grammar.SetRoot(grammar.Add("root", grammar.Sequence(std::move(all))));
  TRY(grammar.Check());
  return grammar;
}

}  // namespace

Result<Grammar> GrammarOf(const ConstraintSpec& constraint) {
  switch (constraint.kind) {
    case ConstraintSpec::Kind::kNone: break;
    case ConstraintSpec::Kind::kJsonObject: return JsonObjectGrammar();
    case ConstraintSpec::Kind::kJsonSchema: return JsonSchemaGrammar(constraint.schema);
    case ConstraintSpec::Kind::kRegex: return PatternGrammar(constraint.text);
    case ConstraintSpec::Kind::kGbnf: return ParseGbnf(constraint.text);
    case ConstraintSpec::Kind::kCalls: return CallsGrammar(constraint);
  }
  return Fail(ErrorCode::kInternal, "no constraint has no grammar");
}

std::string KeyOf(const ConstraintSpec& constraint) {
  // Every text as JSON, so that no two constraints run into one.
  json::array calls;
  for (const std::vector<ConstraintPart>& parts : constraint.calls) {
    json::array& call = calls.emplace_back(json::array()).get_array();
    for (const ConstraintPart& part : parts) {
      if (const auto* text = std::get_if<std::string>(&part)) {
        call.emplace_back(*text);
      } else {
        call.emplace_back(json::array{std::get<json::value>(part)});
      }
    }
  }
  return json::Serialize(json::array{static_cast<int>(constraint.kind), constraint.schema, constraint.text,
                                     constraint.begin, constraint.between, constraint.end, constraint.several,
                                     std::move(calls)});
}

Result<std::span<const uint64_t>> GrammarConstraint::Mask() {
  if (reasoning_.thinking()) return std::span<const uint64_t>();
  return state_.Mask();
}

Result<void> GrammarConstraint::Accept(int32_t token) {
  if (!reasoning_.thinking()) return state_.Accept(token);
  reasoning_.Feed(decoder_.Push(token));
  return {};
}

}  // namespace bothy::serve
