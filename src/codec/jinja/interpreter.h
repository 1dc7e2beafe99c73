// Walks a template's tree and writes its text. Statements are in interpreter.cc, expressions in evaluate.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "codec/jinja/ast.h"
#include "codec/jinja/runtime.h"
#include "codec/jinja/scope.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

class LoopObject;

class Interpreter {
 public:
  Interpreter(const ParsedTemplate& parsed, const RenderOptions& options);

  // Renders once. Errors begin with "line N: ".
  Result<std::string> Run(const boost::json::object& variables);

  // For the objects through which a template comes back here.
  Result<Value> CallMacro(const MacroDefinition& macro, const std::shared_ptr<Scope>& closure, Arguments& arguments);
  Result<Value> CallLoop(LoopObject& loop, const Value& items);
  Result<Value> CallBlock(const Statement& block);
  const ParsedTemplate& parsed() const { return parsed_; }

 private:
  enum class Flow : uint8_t { kOn, kBreak, kContinue };

  Result<Flow> Execute(const Body& body);
  Result<Flow> Execute(const Statement& statement);
  Result<Flow> ExecuteKind(const Statement& statement);
  Result<Flow> ExecuteIf(const Statement& statement);
  Result<Flow> ExecuteFor(const Statement& statement);
  Result<Flow> ExecuteWith(const Statement& statement);
  Result<Flow> ExecuteSetBlock(const Statement& statement);
  Result<Flow> ExecuteFilterBlock(const Statement& statement);
  Result<Flow> ExecuteAutoescape(const Statement& statement);
  Result<Flow> ExecuteBlock(const Statement& statement);
  Result<void> ExecutePrint(const Statement& statement);
  Result<void> ExecuteMacro(const Statement& statement);
  Result<void> ExecuteCallBlock(const Statement& statement);
  Result<void> ExecuteGeneration(const Statement& statement);
  // The turns of a loop over `items`. What it writes goes where all goes.
  Result<Flow> RunLoop(const Statement& statement, const std::shared_ptr<Scope>& around, const Value& items,
                       size_t depth);
  Result<std::shared_ptr<IteratorObject>> Filtered(const Statement& statement, const std::shared_ptr<Scope>& around,
                                                   std::shared_ptr<IteratorObject> items);
  Result<void> Assign(Scope& scope, const Expression& target, const Value& value);

  Result<Value> Evaluate(const Expression& expression);
  Result<Value> EvaluateKind(const Expression& expression);
  Result<Value> EvaluateName(const Expression& expression);
  Result<Value> EvaluateArithmetic(const Expression& expression);
  Result<Value> EvaluateAndOr(const Expression& expression);
  Result<Value> EvaluateCompare(const Expression& expression);
  Result<Value> EvaluateConditional(const Expression& expression);
  Result<Value> EvaluateConcatenate(const Expression& expression);
  Result<Value> EvaluateDict(const Expression& expression);
  Result<Value> EvaluateSubscript(const Expression& expression);
  Result<Value> EvaluateSlice(const Expression& expression);
  Result<Value> EvaluateCall(const Expression& expression, const Value* caller);
  Result<Value> EvaluateFilter(const Expression& expression);
  Result<Value> EvaluateTest(const Expression& expression);
  Result<std::vector<Value>> EvaluateAll(const std::vector<ExpressionPtr>& expressions);
  Result<Arguments> EvaluateArguments(const CallArguments& arguments);
  Result<void> AddNamed(Arguments& arguments, const Value& more);

  std::shared_ptr<Scope> NewScope(std::shared_ptr<Scope> parent);
  // Makes sure that a scope that something may hold on to is released in the end.
  void Keep(const std::shared_ptr<Scope>& scope);
  Value NewMacro(const MacroDefinition& macro);
  Result<void> Write(std::string_view text);
  // Runs a body with a scope of its own, its text going into `out`.
  Result<Flow> Capture(const Body& body, std::shared_ptr<Scope> scope, std::string& out);
  Result<Flow> InScope(const Body& body, std::shared_ptr<Scope> scope);
  // "line N: " in front of an error that has no line yet.
  Error Located(Error error, int line);

  const ParsedTemplate& parsed_;
  Runtime rt_;
  std::shared_ptr<Scope> globals_;
  std::shared_ptr<Scope> scope_;
  std::string* out_ = nullptr;
  const Value* filter_input_ = nullptr;  // the text of the filter block or set block whose filters are evaluated
  bool located_ = false;
};

}  // namespace bothy::jinja
