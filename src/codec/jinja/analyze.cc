#include "codec/jinja/analyze.h"

#include <algorithm>
#include <array>

#include "codec/jinja/filters.h"

namespace bothy::jinja {
namespace {

// The names that a macro gets without declaring them, if its body reads one before it sets it.
struct SpecialNames {
  static constexpr std::array<std::string_view, 3> kNames = {"caller", "kwargs", "varargs"};
  std::array<bool, 3> read{};
  std::array<bool, 3> assigned{};
};

class Analyzer {
 public:
  explicit Analyzer(ParsedTemplate& parsed) : parsed_(parsed) {}

  Result<void> VisitBody(Body& body) {
    for (const auto& statement : body) TRY(Visit(*statement));
    return {};
  }

 private:
  Result<void> Visit(Statement& statement);
  Result<void> VisitFor(Statement& statement);
  Result<void> VisitMacro(MacroDefinition& macro, int line);
  Result<void> VisitBlock(Statement& statement);
  Result<void> VisitTarget(const Expression& target, bool parameter);
  Result<void> VisitOptional(const ExpressionPtr& expression);
  Result<void> Visit(const Expression& expression);
  void NoteName(std::string_view name, bool assigned);

  // A body that is no branch of a condition: an unknown filter there is an error at once.
  Result<void> VisitHard(Body& body) {
    const bool soft = std::exchange(soft_, false);
    TRY(VisitBody(body));
    soft_ = soft;
    return {};
  }

  ParsedTemplate& parsed_;
  int loops_ = 0;      // that break would leave
  int for_depth_ = 0;  // for statements around, in which loop is not assigned to
  bool soft_ = false;  // directly in a condition: what is unknown is an error only when it is reached
  std::vector<SpecialNames> macros_;
};

void Analyzer::NoteName(std::string_view name, bool assigned) {
  for (size_t i = 0; i < SpecialNames::kNames.size(); ++i) {
    if (SpecialNames::kNames[i] != name) continue;
    for (SpecialNames& macro : macros_) {
      if (assigned) {
        macro.assigned[i] = true;
      } else if (!macro.assigned[i]) {
        macro.read[i] = true;
      }
    }
  }
}

Result<void> Analyzer::VisitOptional(const ExpressionPtr& expression) {
  if (expression) return Visit(*expression);
  return {};
}

Result<void> Analyzer::Visit(const Expression& expression) {
  if (expression.kind == ExpressionKind::kName) NoteName(expression.name, false);
  if (!soft_ && expression.kind == ExpressionKind::kFilter && FindFilter(expression.name) == nullptr) {
    return Fail(ErrorCode::kCorrupt, "line {}: no filter is called '{}'", expression.line, expression.name);
  }
  if (!soft_ && expression.kind == ExpressionKind::kTest && FindTest(expression.name) == nullptr) {
    return Fail(ErrorCode::kCorrupt, "line {}: no test is called '{}'", expression.line, expression.name);
  }
  const bool soft = soft_;
  if (expression.kind == ExpressionKind::kConditional) soft_ = true;
  for (const auto& operand : expression.operands) TRY(VisitOptional(operand));
  for (const auto& argument : expression.arguments.positional) TRY(VisitOptional(argument));
  for (const auto& [name, argument] : expression.arguments.named) TRY(VisitOptional(argument));
  TRY(VisitOptional(expression.arguments.more_positional));
  TRY(VisitOptional(expression.arguments.more_named));
  soft_ = soft;
  return {};
}

Result<void> Analyzer::VisitTarget(const Expression& target, bool parameter) {
  if (target.kind == ExpressionKind::kTuple) {
    for (const auto& part : target.operands) TRY(VisitTarget(*part, parameter));
    return {};
  }
  if (target.kind != ExpressionKind::kName) return {};
  NoteName(target.name, true);
  if (target.name == "loop" && for_depth_ > 0 && !parameter) {
    return Fail(ErrorCode::kCorrupt, "line {}: can't assign to special loop variable", target.line);
  }
  return {};
}

Result<void> Analyzer::VisitFor(Statement& statement) {
  ++for_depth_;
  TRY(VisitTarget(*statement.target, false));
  TRY(VisitOptional(statement.expression));
  const bool soft = std::exchange(soft_, false);
  // A recursive loop is a function of its own: what is around it cannot be left from its else branch.
  const int loops = loops_;
  loops_ = statement.recursive ? 1 : loops + 1;
  TRY(VisitBody(statement.body));
  loops_ = statement.recursive ? 0 : loops;
  TRY(VisitBody(statement.otherwise));
  loops_ = loops;
  TRY(VisitOptional(statement.test));
  soft_ = soft;
  --for_depth_;
  return {};
}

Result<void> Analyzer::VisitMacro(MacroDefinition& macro, int line) {
  for (const std::string& parameter : macro.parameters) NoteName(parameter, true);
  const bool soft = std::exchange(soft_, false);
  const int loops = std::exchange(loops_, 0);
  for (const auto& value : macro.defaults) TRY(Visit(*value));
  macros_.emplace_back();
  TRY(VisitBody(macro.body));
  const SpecialNames names = macros_.back();
  macros_.pop_back();
  loops_ = loops;
  soft_ = soft;
  const auto declared = [&](std::string_view name) {
    return std::find(macro.parameters.begin(), macro.parameters.end(), name) != macro.parameters.end();
  };
  macro.uses_caller = names.read[0];
  macro.uses_kwargs = names.read[1] && !declared("kwargs");
  macro.uses_varargs = names.read[2] && !declared("varargs");
  if (macro.uses_caller && declared("caller")) {
    const auto index = static_cast<size_t>(std::find(macro.parameters.begin(), macro.parameters.end(), "caller") -
                                           macro.parameters.begin());
    if (index + macro.defaults.size() < macro.parameters.size()) {
      return Fail(ErrorCode::kCorrupt, "line {}: the special parameter caller needs a default", line);
    }
  }
  return {};
}

Result<void> Analyzer::VisitBlock(Statement& statement) {
  for (const Statement* other : parsed_.blocks) {
    if (other->text == statement.text) {
      return Fail(ErrorCode::kCorrupt, "line {}: block '{}' is defined twice", statement.line, statement.text);
    }
  }
  parsed_.blocks.push_back(&statement);
  const std::vector<SpecialNames> macros = std::exchange(macros_, {});
  const int loops = std::exchange(loops_, 0);
  TRY(VisitHard(statement.body));
  loops_ = loops;
  macros_ = macros;
  return {};
}

Result<void> Analyzer::Visit(Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kText:
    case StatementKind::kLoad: return {};
    case StatementKind::kPrint:
      for (const auto& expression : statement.expressions) TRY(Visit(*expression));
      return {};
    case StatementKind::kIf: {
      const bool soft = std::exchange(soft_, true);
      for (size_t i = 0; i < statement.branches.size(); ++i) {
        TRY(Visit(*statement.expressions[i]));
        TRY(VisitBody(statement.branches[i]));
      }
      TRY(VisitBody(statement.otherwise));
      soft_ = soft;
      return {};
    }
    case StatementKind::kFor: return VisitFor(statement);
    case StatementKind::kSet: TRY(VisitTarget(*statement.target, false)); return Visit(*statement.expression);
    case StatementKind::kSetBlock: {
      TRY(VisitTarget(*statement.target, false));
      const bool soft = std::exchange(soft_, false);
      TRY(VisitOptional(statement.expression));
      TRY(VisitBody(statement.body));
      soft_ = soft;
      return {};
    }
    case StatementKind::kWith:
      for (size_t i = 0; i < statement.expressions.size(); i += 2) {
        TRY(VisitTarget(*statement.expressions[i], true));
        TRY(Visit(*statement.expressions[i + 1]));
      }
      return VisitHard(statement.body);
    case StatementKind::kMacro:
    case StatementKind::kGeneration: return VisitMacro(*statement.macro, statement.line);
    case StatementKind::kCallBlock:
      TRY(Visit(*statement.expression));
      return VisitMacro(*statement.macro, statement.line);
    case StatementKind::kFilterBlock: {
      const bool soft = std::exchange(soft_, false);
      TRY(VisitBody(statement.body));
      TRY(Visit(*statement.expression));
      soft_ = soft;
      return {};
    }
    case StatementKind::kAutoescape: TRY(Visit(*statement.expression)); return VisitHard(statement.body);
    case StatementKind::kBlock: return VisitBlock(statement);
    case StatementKind::kBreak:
    case StatementKind::kContinue:
      if (loops_ == 0) {
        return Fail(ErrorCode::kCorrupt, "line {}: break and continue only stand in a loop", statement.line);
      }
      return {};
  }
  return {};
}

}  // namespace

Result<void> Analyze(ParsedTemplate& parsed) { return Analyzer(parsed).VisitBody(parsed.body); }

}  // namespace bothy::jinja
