#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "codec/jinja/parser.h"

namespace bothy::jinja {
namespace {

std::string Joined(const std::vector<std::string_view>& names) {
  std::string out;
  for (const std::string_view name : names) {
    if (!out.empty()) out += " or ";
    out += name;
  }
  return out;
}

bool CanAssign(const Expression& target) {
  if (target.kind == ExpressionKind::kTuple) {
    return std::all_of(target.operands.begin(), target.operands.end(), [](const auto& t) { return CanAssign(*t); });
  }
  return target.kind == ExpressionKind::kName || target.kind == ExpressionKind::kNamespaceName;
}

}  // namespace

std::unique_ptr<Statement> Parser::Make(StatementKind kind, int line) {
  auto statement = std::make_unique<Statement>();
  statement->kind = kind;
  statement->line = line;
  return statement;
}

Result<Body> Parser::Parse() {
  Body body = TRY(ParseBody({}));
  if (Current().type != TokenType::kEnd) return Unexpected("the end of the template");
  return body;
}

tl::unexpected<Error> Parser::UnknownTag(const Token& tag) const {
  std::string hint;
  if (!awaited_.empty()) {
    hint = fmt::format("; {} is open and waits for {}", open_tags_.back(), Joined(awaited_.back()));
  }
  if (tag.text == "do") hint = "; chat templates run without the do extension" + hint;
  return FailAt(tag.line, "unknown tag {}{}", tag.text, hint);
}

tl::unexpected<Error> Parser::Unfinished() const {
  return FailAt(Current().line, "the template ends while {} is open and waits for {}", open_tags_.back(),
                Joined(awaited_.back()));
}

Result<Body> Parser::ParseBody(Names ends) {
  const Deeper deeper(*this);
  TRY(CheckDepth());
  if (ends.size() > 0) awaited_.emplace_back(ends);
  Body body;
  while (Current().type != TokenType::kEnd) {
    const int line = Current().line;
    if (Current().type == TokenType::kData) {
      auto text = Make(StatementKind::kText, line);
      text->text = Next().text;
      body.push_back(std::move(text));
      continue;
    }
    if (Current().type == TokenType::kVariableBegin) {
      Next();
      auto print = Make(StatementKind::kPrint, line);
      print->expressions.push_back(TRY(ParseTuple()));
      TRY(Expect(TokenType::kVariableEnd, "}}"));
      body.push_back(std::move(print));
      continue;
    }
    TRY(Expect(TokenType::kBlockBegin, "a tag"));
    if (std::any_of(ends.begin(), ends.end(), [this](auto name) { return Current().IsName(name); })) {
      awaited_.pop_back();
      return body;
    }
    body.push_back(TRY(ParseStatement()));
    TRY(Expect(TokenType::kBlockEnd, "%}"));
  }
  if (ends.size() > 0) return Unfinished();
  return body;
}

Result<Body> Parser::ParseBlockBody(Names ends) {
  TakeOperator(":");  // {% if x: %} is let pass
  TRY(Expect(TokenType::kBlockEnd, "%}"));
  return ParseBody(ends);
}

Result<StatementPtr> Parser::ParseStatement() {
  const Token tag = Current();
  if (tag.type != TokenType::kName) return Unexpected("the name of a tag");
  open_tags_.push_back(tag.text);
  auto statement = ParseTag(tag);
  if (statement) open_tags_.pop_back();
  return statement;
}

Result<StatementPtr> Parser::ParseTag(const Token& tag) {
  using Handler = Result<StatementPtr> (Parser::*)();
  static constexpr std::pair<std::string_view, Handler> kTags[] = {
      {"if", &Parser::ParseIf},
      {"for", &Parser::ParseFor},
      {"set", &Parser::ParseSet},
      {"with", &Parser::ParseWith},
      {"macro", &Parser::ParseMacro},
      {"call", &Parser::ParseCallBlock},
      {"generation", &Parser::ParseGeneration},
      {"filter", &Parser::ParseFilterBlock},
      {"autoescape", &Parser::ParseAutoescape},
      {"block", &Parser::ParseBlock},
      {"print", &Parser::ParsePrint},
      {"break", &Parser::ParseLoopControl},
      {"continue", &Parser::ParseLoopControl},
      {"include", &Parser::ParseLoad},
      {"import", &Parser::ParseLoad},
      {"from", &Parser::ParseLoad},
      {"extends", &Parser::ParseLoad},
  };
  const auto* found =
      std::find_if(std::begin(kTags), std::end(kTags), [&](const auto& entry) { return entry.first == tag.text; });
  if (found == std::end(kTags)) {
    open_tags_.pop_back();
    return UnknownTag(tag);
  }
  return (this->*found->second)();
}

Result<StatementPtr> Parser::ParseIf() {
  auto statement = Make(StatementKind::kIf, Next().line);
  while (true) {
    statement->expressions.push_back(TRY(ParseTuple(false)));
    statement->branches.push_back(TRY(ParseBlockBody({"elif", "else", "endif"})));
    if (TakeName("elif")) continue;
    if (TakeName("else")) statement->otherwise = TRY(ParseBlockBody({"endif"}));
    TRY(ExpectName("endif"));
    return statement;
  }
}

Result<StatementPtr> Parser::ParseFor() {
  auto statement = Make(StatementKind::kFor, Next().line);
  statement->target = TRY(ParseTarget(false, {"in"}));
  TRY(ExpectName("in"));
  statement->expression = TRY(ParseTuple(false, {"recursive"}));
  if (TakeName("if")) statement->test = TRY(ParseExpression());
  statement->recursive = TakeName("recursive");
  statement->body = TRY(ParseBlockBody({"endfor", "else"}));
  if (TakeName("else")) statement->otherwise = TRY(ParseBlockBody({"endfor"}));
  TRY(ExpectName("endfor"));
  return statement;
}

Result<ExpressionPtr> Parser::ParseTargetPart(bool with_namespace) {
  const int line = Current().line;
  if (with_namespace && Current().type == TokenType::kName && Ahead().IsOperator(".")) {
    ExpressionPtr target = TRY(Node(ExpressionKind::kNamespaceName, line, {}));
    target->name = Next().text;
    Next();
    target->attribute = TRY(ExpectAnyName());
    return target;
  }
  ExpressionPtr target = TRY(ParsePrimary());
  if (!CanAssign(*target)) return FailAt(line, "cannot assign to this");
  return target;
}

// A name, names with commas between, or in parentheses.
Result<ExpressionPtr> Parser::ParseTarget(bool with_namespace, Names end_names) {
  const int line = Current().line;
  std::vector<ExpressionPtr> parts;
  bool is_tuple = false;
  while (true) {
    if (!parts.empty()) TRY(ExpectOperator(","));
    const bool at_end =
        Current().type == TokenType::kBlockEnd || Current().IsOperator(")") ||
        std::any_of(end_names.begin(), end_names.end(), [this](auto name) { return Current().IsName(name); });
    if (at_end) break;
    parts.push_back(TRY(ParseTargetPart(with_namespace)));
    if (!Current().IsOperator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && parts.empty()) return Unexpected("a name to assign to");
  if (!is_tuple) return std::move(parts[0]);
  return Node(ExpressionKind::kTuple, line, std::move(parts));
}

Result<StatementPtr> Parser::ParseSet() {
  const int line = Next().line;
  ExpressionPtr target = TRY(ParseTarget(true));
  if (TakeOperator("=")) {
    auto statement = Make(StatementKind::kSet, line);
    statement->target = std::move(target);
    statement->expression = TRY(ParseTuple());
    return statement;
  }
  auto statement = Make(StatementKind::kSetBlock, line);
  statement->target = std::move(target);
  statement->expression = TRY(ParseFilters(nullptr));
  statement->body = TRY(ParseBlockBody({"endset"}));
  Next();
  return statement;
}

Result<StatementPtr> Parser::ParseWith() {
  auto statement = Make(StatementKind::kWith, Next().line);
  while (Current().type != TokenType::kBlockEnd) {
    if (!statement->expressions.empty()) TRY(ExpectOperator(","));
    statement->expressions.push_back(TRY(ParseTarget(false)));
    TRY(ExpectOperator("="));
    statement->expressions.push_back(TRY(ParseExpression()));
  }
  statement->body = TRY(ParseBlockBody({"endwith"}));
  Next();
  return statement;
}

Result<void> Parser::ParseSignature(MacroDefinition& macro) {
  TRY(ExpectOperator("("));
  while (!Current().IsOperator(")")) {
    if (!macro.parameters.empty()) TRY(ExpectOperator(","));
    const ExpressionPtr parameter = TRY(ParseTargetPart(false));
    if (parameter->kind != ExpressionKind::kName) return Unexpected("a parameter's name");
    if (std::find(macro.parameters.begin(), macro.parameters.end(), parameter->name) != macro.parameters.end()) {
      return FailAt(parameter->line, "two parameters are called {}", parameter->name);
    }
    macro.parameters.push_back(parameter->name);
    if (TakeOperator("=")) {
      macro.defaults.push_back(TRY(ParseExpression()));
    } else if (!macro.defaults.empty()) {
      return FailAt(parameter->line, "parameter {} without a default behind one with it", parameter->name);
    }
  }
  Next();
  return {};
}

Result<StatementPtr> Parser::ParseMacro() {
  auto statement = Make(StatementKind::kMacro, Next().line);
  const ExpressionPtr name = TRY(ParseTargetPart(false));
  if (name->kind != ExpressionKind::kName) return FailAt(name->line, "a macro needs a name");
  statement->macro = std::make_unique<MacroDefinition>();
  statement->macro->name = name->name;
  TRY(ParseSignature(*statement->macro));
  statement->macro->body = TRY(ParseBlockBody({"endmacro"}));
  Next();
  return statement;
}

Result<StatementPtr> Parser::ParseCallBlock() {
  auto statement = Make(StatementKind::kCallBlock, Next().line);
  statement->macro = std::make_unique<MacroDefinition>();
  if (Current().IsOperator("(")) TRY(ParseSignature(*statement->macro));
  statement->expression = TRY(ParseExpression());
  if (statement->expression->kind != ExpressionKind::kCall) return FailAt(statement->line, "call needs a call");
  statement->macro->body = TRY(ParseBlockBody({"endcall"}));
  Next();
  return statement;
}

Result<StatementPtr> Parser::ParseGeneration() {
  auto statement = Make(StatementKind::kGeneration, Next().line);
  statement->macro = std::make_unique<MacroDefinition>();
  statement->macro->body = TRY(ParseBlockBody({"endgeneration"}));
  Next();
  return statement;
}

Result<StatementPtr> Parser::ParseFilterBlock() {
  auto statement = Make(StatementKind::kFilterBlock, Next().line);
  statement->expression = TRY(ParseFilters(nullptr, true));
  statement->body = TRY(ParseBlockBody({"endfilter"}));
  Next();
  return statement;
}

Result<StatementPtr> Parser::ParseAutoescape() {
  auto statement = Make(StatementKind::kAutoescape, Next().line);
  statement->expression = TRY(ParseExpression());
  statement->body = TRY(ParseBlockBody({"endautoescape"}));
  Next();
  return statement;
}

Result<StatementPtr> Parser::ParseBlock() {
  auto statement = Make(StatementKind::kBlock, Next().line);
  statement->text = TRY(ExpectAnyName());
  statement->scoped = TakeName("scoped");
  const bool required = TakeName("required");
  statement->body = TRY(ParseBlockBody({"endblock"}));
  Next();
  TakeName(statement->text);
  // There is nothing that could fill in a required block.
  if (required) return FailAt(statement->line, "required block {} is not filled in", statement->text);
  return statement;
}

Result<StatementPtr> Parser::ParsePrint() {
  auto statement = Make(StatementKind::kPrint, Next().line);
  while (Current().type != TokenType::kBlockEnd) {
    if (!statement->expressions.empty()) TRY(ExpectOperator(","));
    statement->expressions.push_back(TRY(ParseExpression()));
  }
  return statement;
}

Result<StatementPtr> Parser::ParseLoopControl() {
  const Token& token = Next();
  return Make(token.text == "break" ? StatementKind::kBreak : StatementKind::kContinue, token.line);
}

// Read for their grammar; reaching one is an error, since a chat template stands alone.
Result<StatementPtr> Parser::ParseLoad() {
  auto statement = Make(StatementKind::kLoad, Current().line);
  statement->text = Next().text;
  TRY(ParseExpression());
  while (Current().type == TokenType::kName || Current().IsOperator(",")) Next();
  return statement;
}

}  // namespace bothy::jinja
