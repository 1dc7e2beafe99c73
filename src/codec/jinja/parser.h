// From tokens to a tree. Expressions are in parse_expression.cc, statements in parse_statement.cc; what a tree must
// keep besides the grammar is looked at afterwards, in analyze.h.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "codec/jinja/ast.h"
#include "codec/jinja/lexer.h"

namespace bothy::jinja {

inline constexpr int kMaxParseDepth = 200;             // nested brackets and blocks
inline constexpr uint32_t kMaxExpressionHeight = 400;  // a + b + c ... counts one for each sign

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  // Errors begin with "line N: ".
  Result<Body> Parse();

 private:
  using Names = std::initializer_list<std::string_view>;

  // Statements.
  Result<Body> ParseBody(Names ends);       // up to the name that ends it, which stays
  Result<Body> ParseBlockBody(Names ends);  // the same with the %} before
  Result<StatementPtr> ParseStatement();
  Result<StatementPtr> ParseTag(const Token& tag);
  Result<StatementPtr> ParseIf();
  Result<StatementPtr> ParseFor();
  Result<StatementPtr> ParseSet();
  Result<StatementPtr> ParseWith();
  Result<StatementPtr> ParseMacro();
  Result<StatementPtr> ParseCallBlock();
  Result<StatementPtr> ParseGeneration();
  Result<StatementPtr> ParseFilterBlock();
  Result<StatementPtr> ParseAutoescape();
  Result<StatementPtr> ParseBlock();
  Result<StatementPtr> ParsePrint();
  Result<StatementPtr> ParseLoopControl();
  Result<StatementPtr> ParseLoad();
  Result<void> ParseSignature(MacroDefinition& macro);
  Result<void> ParseMacroBody(MacroDefinition& macro, std::string_view end);
  Result<ExpressionPtr> ParseTarget(bool with_namespace, Names end_names = {});
  Result<ExpressionPtr> ParseTargetPart(bool with_namespace);
  tl::unexpected<Error> UnknownTag(const Token& tag) const;
  tl::unexpected<Error> Unfinished() const;
  static std::unique_ptr<Statement> Make(StatementKind kind, int line);

  // Expressions.
  Result<ExpressionPtr> ParseTuple(bool with_conditional = true, Names end_names = {}, bool in_parentheses = false);
  Result<ExpressionPtr> ParseExpression(bool with_conditional = true);
  Result<ExpressionPtr> ParseConditional();
  Result<ExpressionPtr> ParseOr();
  Result<ExpressionPtr> ParseAnd();
  Result<ExpressionPtr> ParseNot();
  Result<ExpressionPtr> ParseCompare();
  Result<ExpressionPtr> ParseSum();
  Result<ExpressionPtr> ParseConcatenate();
  Result<ExpressionPtr> ParseProduct();
  Result<ExpressionPtr> ParsePower();
  Result<ExpressionPtr> ParseUnary(bool with_filters = true);
  Result<ExpressionPtr> ParsePrimary();
  Result<ExpressionPtr> ParseName();
  Result<ExpressionPtr> ParseNumber();
  Result<ExpressionPtr> ParseList();
  Result<ExpressionPtr> ParseDict();
  Result<ExpressionPtr> ParsePostfix(ExpressionPtr value);
  Result<ExpressionPtr> ParseSubscript(ExpressionPtr value);
  Result<ExpressionPtr> ParseFilters(ExpressionPtr value, bool starts_inline = false);
  Result<ExpressionPtr> ParseFiltersAndTests(ExpressionPtr value);
  Result<ExpressionPtr> ParseTest(ExpressionPtr value);
  Result<ExpressionPtr> ParseCall(ExpressionPtr callee);
  Result<CallArguments> ParseArguments();

  // A node over operands; fails where the tree becomes too high.
  Result<ExpressionPtr> Node(ExpressionKind kind, int line, std::vector<ExpressionPtr> operands) const;
  Result<ExpressionPtr> Grown(ExpressionPtr node) const;  // with its height computed

  // Tokens.
  const Token& Current() const { return tokens_[at_]; }
  const Token& Ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& Next();
  bool TakeName(std::string_view name);
  bool TakeOperator(std::string_view sign);
  Result<void> ExpectOperator(std::string_view sign);
  Result<void> ExpectName(std::string_view name);
  Result<void> Expect(TokenType type, std::string_view description);
  Result<std::string> ExpectAnyName();
  tl::unexpected<Error> Unexpected(std::string_view expected) const;

  template <class... Args>
  tl::unexpected<Error> FailAt(int line, fmt::format_string<Args...> format, Args&&... args) const {
    return Fail(ErrorCode::kCorrupt, "line {}: {}", line, fmt::format(format, std::forward<Args>(args)...));
  }

  class Deeper {
   public:
    explicit Deeper(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Parser& parser_;
  };
  Result<void> CheckDepth() const;

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  std::vector<std::string> open_tags_;                  // of the statements around
  std::vector<std::vector<std::string_view>> awaited_;  // the names that may end each of their bodies
};

}  // namespace bothy::jinja
