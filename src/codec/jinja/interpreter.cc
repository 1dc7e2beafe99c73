#include "codec/jinja/interpreter.h"

#include <fmt/format.h>

#include <utility>

#include "codec/jinja/attributes.h"
#include "codec/jinja/from_json.h"
#include "codec/jinja/functions.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/loop.h"
#include "codec/jinja/text.h"

namespace bothy::jinja {
namespace {

struct MacroObject final : Object {
  MacroObject(Interpreter& owner, const MacroDefinition& of, std::shared_ptr<Scope> scope)
      : interpreter(owner), definition(of), closure(std::move(scope)) {}

  Interpreter& interpreter;
  const MacroDefinition& definition;
  std::shared_ptr<Scope> closure;

  std::string TypeName() const override { return "Macro"; }
  Result<std::string> Repr(Runtime&) const override {
    return definition.name.empty() ? "<Macro anonymous>" : fmt::format("<Macro '{}'>", definition.name);
  }
  bool IsCallable() const override { return true; }
  Result<Value> Call(Runtime&, Arguments& arguments) override {
    return interpreter.CallMacro(definition, closure, arguments);
  }
  Result<std::optional<Value>> GetAttribute(Runtime& rt, std::string_view name) override {
    if (name == "name") return definition.name.empty() ? Value() : rt.String(definition.name);
    if (name == "arguments") {
      std::vector<Value> names;
      for (const std::string& parameter : definition.parameters) names.push_back(rt.String(parameter));
      return rt.Tuple(std::move(names));
    }
    if (name == "caller") return Value::Bool(definition.uses_caller);
    if (name == "catch_kwargs") return Value::Bool(definition.uses_kwargs);
    if (name == "catch_varargs") return Value::Bool(definition.uses_varargs);
    if (name == "explicit_caller") {
      const auto& names = definition.parameters;
      return Value::Bool(std::find(names.begin(), names.end(), "caller") != names.end());
    }
    return std::nullopt;
  }
};

// self.name of a block: calling it renders the block once more.
struct BlockObject final : Object {
  BlockObject(Interpreter& owner, const Statement& of) : interpreter(owner), block(of) {}
  Interpreter& interpreter;
  const Statement& block;

  std::string TypeName() const override { return "BlockReference"; }
  bool IsCallable() const override { return true; }
  Result<Value> Call(Runtime&, Arguments& arguments) override {
    if (!arguments.positional.empty() || !arguments.named.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "a block takes no arguments");
    }
    return interpreter.CallBlock(block);
  }
};

// The variable `self`, whose attributes are the template's blocks.
struct SelfObject final : Object {
  explicit SelfObject(Interpreter& owner) : interpreter(owner) {}
  Interpreter& interpreter;

  std::string TypeName() const override { return "TemplateReference"; }
  Result<std::string> Repr(Runtime&) const override { return "<TemplateReference None>"; }
  Result<std::optional<Value>> GetAttribute(Runtime& rt, std::string_view name) override {
    for (const Statement* block : interpreter.parsed().blocks) {
      if (block->text == name) return Value(Kind::kObject, rt.Make<BlockObject>(0, 0, interpreter, *block));
    }
    return std::nullopt;
  }
};

}  // namespace

Interpreter::Interpreter(const ParsedTemplate& parsed, const RenderOptions& options) : parsed_(parsed), rt_(options) {}

Result<std::string> Interpreter::Run(const boost::json::object& variables) {
  globals_ = NewScope(nullptr);
  for (const auto& [name, value] : variables) {
    globals_->Set(name, TRY_CONTEXT(fmt::format("variable \"{}\"", std::string_view(name)), FromJson(rt_, value)));
  }
  if (!parsed_.blocks.empty() || !variables.contains("self")) {
    globals_->Set("self", Value(Kind::kObject, rt_.Make<SelfObject>(0, 0, *this)));
  }
  scope_ = NewScope(globals_);
  Keep(scope_);
  std::string out;
  out_ = &out;
  TRY(Execute(parsed_.body));
  return out;
}

std::shared_ptr<Scope> Interpreter::NewScope(std::shared_ptr<Scope> parent) {
  return rt_.Make<Scope>(0, sizeof(Scope), std::move(parent));
}

void Interpreter::Keep(const std::shared_ptr<Scope>& scope) {
  for (std::shared_ptr<Scope> at = scope; at && !at->kept; at = at->parent) {
    at->kept = true;
    rt_.KeepUntilEnd([at] { at->Clear(); });
  }
}

Value Interpreter::NewMacro(const MacroDefinition& macro) {
  Keep(scope_);
  return {Kind::kObject, rt_.Make<MacroObject>(0, 0, *this, macro, scope_)};
}

Error Interpreter::Located(Error error, int line) {
  if (!located_) {
    located_ = true;
    error.message = fmt::format("line {}: {}", line, error.message);
  }
  return error;
}

Result<void> Interpreter::Write(std::string_view text) {
  TRY(rt_.Bytes(text.size()));
  *out_ += text;
  if (out_->size() <= rt_.options().limits.output) return {};
  return Fail(ErrorCode::kResourceExhausted, "the template writes more than {} bytes", rt_.options().limits.output);
}

Result<Interpreter::Flow> Interpreter::InScope(const Body& body, std::shared_ptr<Scope> scope) {
  std::swap(scope_, scope);
  auto flow = Execute(body);
  std::swap(scope_, scope);
  return flow;
}

Result<Interpreter::Flow> Interpreter::Capture(const Body& body, std::shared_ptr<Scope> scope, std::string& out) {
  std::string* outer = std::exchange(out_, &out);
  auto flow = InScope(body, std::move(scope));
  out_ = outer;
  return flow;
}

Result<Interpreter::Flow> Interpreter::Execute(const Body& body) {
  for (const StatementPtr& statement : body) {
    const Flow flow = TRY(Execute(*statement));
    if (flow != Flow::kOn) return flow;
  }
  return Flow::kOn;
}

Result<Interpreter::Flow> Interpreter::Execute(const Statement& statement) {
  const Runtime::Deeper deeper(rt_);
  auto step = rt_.Step();
  if (step) step = rt_.CheckDepth();
  Result<Flow> flow = step ? ExecuteKind(statement) : tl::unexpected(std::move(step).error());
  if (!flow) return tl::unexpected(Located(std::move(flow).error(), statement.line));
  return flow;
}

Result<Interpreter::Flow> Interpreter::ExecuteKind(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kText: TRY(Write(statement.text)); return Flow::kOn;
    case StatementKind::kPrint: TRY(ExecutePrint(statement)); return Flow::kOn;
    case StatementKind::kIf: return ExecuteIf(statement);
    case StatementKind::kFor: return ExecuteFor(statement);
    case StatementKind::kSet: {
      const Value value = TRY(Evaluate(*statement.expression));
      TRY(Assign(*scope_, *statement.target, value));
      return Flow::kOn;
    }
    case StatementKind::kSetBlock: return ExecuteSetBlock(statement);
    case StatementKind::kWith: return ExecuteWith(statement);
    case StatementKind::kMacro: TRY(ExecuteMacro(statement)); return Flow::kOn;
    case StatementKind::kCallBlock: TRY(ExecuteCallBlock(statement)); return Flow::kOn;
    case StatementKind::kGeneration: TRY(ExecuteGeneration(statement)); return Flow::kOn;
    case StatementKind::kFilterBlock: return ExecuteFilterBlock(statement);
    case StatementKind::kAutoescape: return ExecuteAutoescape(statement);
    case StatementKind::kBlock: return ExecuteBlock(statement);
    case StatementKind::kBreak: return Flow::kBreak;
    case StatementKind::kContinue: return Flow::kContinue;
    case StatementKind::kLoad:
      return Fail(ErrorCode::kUnimplemented, "{}: a chat template cannot load other templates", statement.text);
  }
  return Flow::kOn;
}

Result<void> Interpreter::ExecutePrint(const Statement& statement) {
  for (const ExpressionPtr& expression : statement.expressions) {
    const Value value = TRY(Evaluate(*expression));
    if (rt_.autoescape) {
      TRY(Write(TRY(Escape(rt_, value)).text()));
    } else if (value.IsString()) {
      TRY(Write(value.text()));
    } else {
      TRY(Write(TRY(Str(rt_, value))));
    }
  }
  return {};
}

Result<Interpreter::Flow> Interpreter::ExecuteIf(const Statement& statement) {
  for (size_t i = 0; i < statement.branches.size(); ++i) {
    if (IsTrue(TRY(Evaluate(*statement.expressions[i])))) return Execute(statement.branches[i]);
  }
  return Execute(statement.otherwise);
}

Result<Interpreter::Flow> Interpreter::ExecuteFor(const Statement& statement) {
  const Value items = TRY(Evaluate(*statement.expression));
  const Flow flow = TRY(RunLoop(statement, scope_, items, 0));
  return flow;
}

Result<std::shared_ptr<IteratorObject>> Interpreter::Filtered(const Statement& statement,
                                                              const std::shared_ptr<Scope>& around,
                                                              std::shared_ptr<IteratorObject> items) {
  const uint32_t depth = items->depth;
  // Asked for one item at a time, so that a test sees what the turns before have set in a namespace.
  auto next = [this, &statement, around, items = std::move(items)](Runtime& rt) -> Result<std::optional<Value>> {
    while (auto item = TRY(items->Next(rt))) {
      std::shared_ptr<Scope> scope = NewScope(around);
      TRY(Assign(*scope, *statement.target, *item));
      std::swap(scope_, scope);
      auto test = Evaluate(*statement.test);
      std::swap(scope_, scope);
      if (IsTrue(TRY(std::move(test)))) return item;
    }
    return std::nullopt;
  };
  const Value generator = Generator(rt_, depth, std::move(next));
  return std::static_pointer_cast<IteratorObject>(generator.heap());
}

Result<Interpreter::Flow> Interpreter::RunLoop(const Statement& statement, const std::shared_ptr<Scope>& around,
                                               const Value& items, size_t depth) {
  auto source = TRY(Iterate(rt_, items));
  std::optional<size_t> length = KnownLength(items);
  if (statement.test) {
    source = TRY(Filtered(statement, around, std::move(source)));
    length.reset();
  }
  auto loop = rt_.Make<LoopObject>(1, sizeof(LoopObject), *this, statement, around, std::move(source), length, depth);
  // A loop that was stored somewhere may be part of a cycle.
  struct Guard {
    Runtime& rt;
    std::shared_ptr<LoopObject>& loop;
    ~Guard() {
      if (loop.use_count() > 1) rt.KeepUntilEnd(std::shared_ptr<Object>(loop));
    }
  } const guard{rt_, loop};
  bool completed = false;  // a turn to its end: without one, else is run, even where continue left them all
  std::shared_ptr<Scope> scope;
  while (const auto item = TRY(loop->Next(rt_))) {
    TRY(rt_.Step());
    if (!scope || scope.use_count() > 1 || scope->kept) {
      scope = NewScope(around);
    } else {
      scope->Clear();
    }
    scope->Set("loop", Value(Kind::kObject, loop));
    TRY(Assign(*scope, *statement.target, *item));
    const Flow flow = TRY(InScope(statement.body, scope));
    if (flow == Flow::kBreak) break;
    if (flow == Flow::kOn) completed = true;
  }
  scope.reset();
  if (completed || statement.otherwise.empty()) return Flow::kOn;
  return InScope(statement.otherwise, NewScope(around));
}

Result<Value> Interpreter::CallLoop(LoopObject& loop, const Value& items) {
  std::string text;
  std::string* outer = std::exchange(out_, &text);
  const std::shared_ptr<Scope> scope = scope_;
  auto flow = RunLoop(loop.statement(), loop.scope(), items, loop.depth0() + 1);
  scope_ = scope;
  out_ = outer;
  TRY(std::move(flow));
  return rt_.String(std::move(text), rt_.autoescape);
}

Result<void> Interpreter::Assign(Scope& scope, const Expression& target, const Value& value) {
  if (target.kind == ExpressionKind::kName) {
    const size_t before = scope.variables.size();
    scope.Set(target.name, value);
    if (scope.variables.size() > before) rt_.Grow(scope, 2 * sizeof(Value) + 64);
    return {};
  }
  if (target.kind == ExpressionKind::kNamespaceName) {
    const Value* found = scope_->Find(target.name);
    if (found == nullptr || !found->Is(Kind::kObject) || found->object().TypeName() != "Namespace") {
      return Fail(ErrorCode::kInvalidArgument, "cannot assign attribute on non-namespace object");
    }
    return found->As<NamespaceObject>().Set(rt_, target.attribute, value);
  }
  const auto iterator = TRY(Iterate(rt_, value));
  for (size_t i = 0; i < target.operands.size(); ++i) {
    const auto part = TRY(iterator->Next(rt_));
    if (!part) {
      return Fail(ErrorCode::kInvalidArgument, "not enough values to unpack (expected {}, got {})",
                  target.operands.size(), i);
    }
    TRY(Assign(scope, *target.operands[i], *part));
  }
  if (TRY(iterator->Next(rt_))) {
    return Fail(ErrorCode::kInvalidArgument, "too many values to unpack (expected {})", target.operands.size());
  }
  return {};
}

Result<Interpreter::Flow> Interpreter::ExecuteWith(const Statement& statement) {
  std::shared_ptr<Scope> scope = NewScope(scope_);
  for (size_t i = 0; i < statement.expressions.size(); i += 2) {
    const Value value = TRY(Evaluate(*statement.expressions[i + 1]));
    TRY(Assign(*scope, *statement.expressions[i], value));
  }
  return InScope(statement.body, std::move(scope));
}

Result<Interpreter::Flow> Interpreter::ExecuteSetBlock(const Statement& statement) {
  std::string text;
  std::shared_ptr<Scope> scope = NewScope(scope_);
  const Flow flow = TRY(Capture(statement.body, scope, text));
  if (flow != Flow::kOn) return flow;  // a break or continue in it leaves without setting
  Value value = rt_.String(std::move(text), rt_.autoescape);
  if (statement.expression) {
    const Value* outer = std::exchange(filter_input_, &value);
    std::swap(scope_, scope);
    auto filtered = Evaluate(*statement.expression);
    std::swap(scope_, scope);
    filter_input_ = outer;
    value = TRY(std::move(filtered));
    if (rt_.autoescape) value = rt_.String(TRY(Str(rt_, value)), true);
  }
  TRY(Assign(*scope_, *statement.target, value));
  return Flow::kOn;
}

Result<Interpreter::Flow> Interpreter::ExecuteFilterBlock(const Statement& statement) {
  std::string text;
  std::shared_ptr<Scope> scope = NewScope(scope_);
  const Flow flow = TRY(Capture(statement.body, scope, text));
  if (flow != Flow::kOn) return flow;
  const Value value = rt_.String(std::move(text), rt_.autoescape);
  const Value* outer = std::exchange(filter_input_, &value);
  std::swap(scope_, scope);
  auto filtered = Evaluate(*statement.expression);
  std::swap(scope_, scope);
  filter_input_ = outer;
  const Value result = TRY(std::move(filtered));
  TRY(Write(rt_.autoescape ? TRY(Escape(rt_, result)).text() : TRY(Str(rt_, result))));
  return Flow::kOn;
}

Result<Interpreter::Flow> Interpreter::ExecuteAutoescape(const Statement& statement) {
  const bool wanted = IsTrue(TRY(Evaluate(*statement.expression)));
  const bool outer = std::exchange(rt_.autoescape, wanted);
  auto flow = InScope(statement.body, NewScope(scope_));
  rt_.autoescape = outer;
  return flow;
}

Result<Interpreter::Flow> Interpreter::ExecuteBlock(const Statement& statement) {
  // A block sees the template's variables, and those around it only where it says scoped.
  std::shared_ptr<Scope> around = scope_;
  if (!statement.scoped) {
    while (around->parent != globals_) around = around->parent;
  }
  TRY(InScope(statement.body, NewScope(around)));
  return Flow::kOn;
}

Result<Value> Interpreter::CallBlock(const Statement& block) {
  std::shared_ptr<Scope> root = scope_;
  while (root->parent != globals_) root = root->parent;
  std::string text;
  TRY(Capture(block.body, NewScope(root), text));
  return rt_.String(std::move(text), rt_.autoescape);
}

Result<void> Interpreter::ExecuteMacro(const Statement& statement) {
  const Value macro = NewMacro(*statement.macro);
  scope_->Set(statement.macro->name, macro);
  return {};
}

Result<void> Interpreter::ExecuteCallBlock(const Statement& statement) {
  const Value caller = NewMacro(*statement.macro);
  const Value result = TRY(EvaluateCall(*statement.expression, &caller));
  return Write(rt_.autoescape ? TRY(Escape(rt_, result)).text() : TRY(Str(rt_, result)));
}

Result<void> Interpreter::ExecuteGeneration(const Statement& statement) {
  TRY(InScope(statement.macro->body, NewScope(scope_)));
  return {};
}

Result<Value> Interpreter::CallMacro(const MacroDefinition& macro, const std::shared_ptr<Scope>& closure,
                                     Arguments& arguments) {
  std::shared_ptr<Scope> scope = NewScope(closure);
  const size_t count = macro.parameters.size();
  const auto take = [&](std::string_view name) -> std::optional<Value> {
    for (auto at = arguments.named.begin(); at != arguments.named.end(); ++at) {
      if (at->first != name) continue;
      Value value = std::move(at->second);
      arguments.named.erase(at);
      return value;
    }
    return std::nullopt;
  };
  std::vector<bool> missing(count, false);
  bool found_caller = false;
  for (size_t i = 0; i < count; ++i) {
    const std::string& name = macro.parameters[i];
    std::optional<Value> value;
    if (i < arguments.positional.size()) {
      value = arguments.positional[i];
    } else {
      value = take(name);
    }
    if (name == "caller") found_caller = true;
    missing[i] = !value;
    scope->Set(name, value ? std::move(*value)
                           : rt_.UndefinedHint(fmt::format("parameter '{}' was not provided", name), name));
  }
  TRY(rt_.Step(1 + count + arguments.named.size()));
  if (macro.uses_caller && !found_caller) {
    auto caller = take("caller");
    scope->Set("caller", caller ? std::move(*caller) : rt_.UndefinedHint("No caller defined", "caller"));
  }
  if (macro.uses_kwargs) {
    std::vector<DictObject::Entry> entries;
    for (auto& [name, value] : arguments.named) entries.emplace_back(rt_.String(name), std::move(value));
    scope->Set("kwargs", rt_.Dict(std::move(entries)));
  } else if (!arguments.named.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "macro '{}' takes no keyword argument '{}'", macro.name,
                arguments.named[0].first);
  }
  if (macro.uses_varargs) {
    std::vector<Value> more;
    for (size_t i = count; i < arguments.positional.size(); ++i) more.push_back(arguments.positional[i]);
    scope->Set("varargs", rt_.Tuple(std::move(more)));
  } else if (arguments.positional.size() > count) {
    return Fail(ErrorCode::kInvalidArgument, "macro '{}' takes not more than {} argument(s)", macro.name, count);
  }
  rt_.Grow(*scope, scope->variables.size() * 2 * sizeof(Value));
  for (size_t i = 0; i < count; ++i) {
    const size_t with_default = count - macro.defaults.size();
    if (!missing[i] || i < with_default) continue;
    std::swap(scope_, scope);
    auto value = Evaluate(*macro.defaults[i - with_default]);
    std::swap(scope_, scope);
    scope->Set(macro.parameters[i], TRY(std::move(value)));
  }
  std::string text;
  TRY(Capture(macro.body, std::move(scope), text));
  return rt_.String(std::move(text), rt_.autoescape);
}

}  // namespace bothy::jinja
