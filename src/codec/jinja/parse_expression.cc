#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "codec/jinja/number.h"
#include "codec/jinja/parser.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

std::vector<ExpressionPtr> Operands(ExpressionPtr a) {
  std::vector<ExpressionPtr> operands;
  operands.push_back(std::move(a));
  return operands;
}

std::vector<ExpressionPtr> Operands(ExpressionPtr a, ExpressionPtr b) {
  std::vector<ExpressionPtr> operands = Operands(std::move(a));
  operands.push_back(std::move(b));
  return operands;
}

// The constants of a template belong to no rendering's memory.
Value ConstantString(std::string text) {
  auto object = std::make_shared<StringObject>();
  object->length = CountCodePoints(text);
  object->text = std::move(text);
  return {Kind::kString, std::move(object)};
}

}  // namespace

Result<void> Parser::CheckDepth() const {
  if (depth_ <= kMaxParseDepth) return {};
  return FailAt(Current().line, "nested more than {} levels deep", kMaxParseDepth);
}

const Token& Parser::Next() {
  const Token& token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::TakeName(std::string_view name) {
  if (!Current().IsName(name)) return false;
  Next();
  return true;
}

bool Parser::TakeOperator(std::string_view sign) {
  if (!Current().IsOperator(sign)) return false;
  Next();
  return true;
}

tl::unexpected<Error> Parser::Unexpected(std::string_view expected) const {
  return FailAt(Current().line, "expected {}, found {}", expected, Current().Describe());
}

Result<void> Parser::ExpectOperator(std::string_view sign) {
  if (!TakeOperator(sign)) return Unexpected(sign);
  return {};
}

Result<void> Parser::ExpectName(std::string_view name) {
  if (!TakeName(name)) return Unexpected(name);
  return {};
}

Result<void> Parser::Expect(TokenType type, std::string_view description) {
  if (Current().type != type) return Unexpected(description);
  Next();
  return {};
}

Result<std::string> Parser::ExpectAnyName() {
  if (Current().type != TokenType::kName) return Unexpected("a name");
  return Next().text;
}

Result<ExpressionPtr> Parser::Grown(ExpressionPtr node) const {
  uint32_t below = 0;
  const auto see = [&](const ExpressionPtr& part) {
    if (part) below = std::max(below, part->height);
  };
  for (const auto& operand : node->operands) see(operand);
  for (const auto& argument : node->arguments.positional) see(argument);
  for (const auto& [name, argument] : node->arguments.named) see(argument);
  see(node->arguments.more_positional);
  see(node->arguments.more_named);
  node->height = below + 1;
  if (node->height > kMaxExpressionHeight) {
    return FailAt(node->line, "an expression of more than {} operations", kMaxExpressionHeight);
  }
  return node;
}

Result<ExpressionPtr> Parser::Node(ExpressionKind kind, int line, std::vector<ExpressionPtr> operands) const {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->line = line;
  node->operands = std::move(operands);
  return Grown(std::move(node));
}

Result<ExpressionPtr> Parser::ParseExpression(bool with_conditional) {
  const Deeper deeper(*this);
  TRY(CheckDepth());
  return with_conditional ? ParseConditional() : ParseOr();
}

Result<ExpressionPtr> Parser::ParseConditional() {
  int line = Current().line;
  ExpressionPtr value = TRY(ParseOr());
  while (TakeName("if")) {
    std::vector<ExpressionPtr> operands = Operands(TRY(ParseOr()), std::move(value));
    operands.push_back(TakeName("else") ? TRY(ParseExpression()) : nullptr);
    value = TRY(Node(ExpressionKind::kConditional, line, std::move(operands)));
    line = Current().line;
  }
  return value;
}

Result<ExpressionPtr> Parser::ParseOr() {
  const int line = Current().line;
  ExpressionPtr left = TRY(ParseAnd());
  while (TakeName("or")) {
    left = TRY(Node(ExpressionKind::kOr, line, Operands(std::move(left), TRY(ParseAnd()))));
  }
  return left;
}

Result<ExpressionPtr> Parser::ParseAnd() {
  const int line = Current().line;
  ExpressionPtr left = TRY(ParseNot());
  while (TakeName("and")) {
    left = TRY(Node(ExpressionKind::kAnd, line, Operands(std::move(left), TRY(ParseNot()))));
  }
  return left;
}

Result<ExpressionPtr> Parser::ParseNot() {
  const int line = Current().line;
  if (!TakeName("not")) return ParseCompare();
  const Deeper deeper(*this);
  TRY(CheckDepth());
  return Node(ExpressionKind::kNot, line, Operands(TRY(ParseNot())));
}

Result<ExpressionPtr> Parser::ParseCompare() {
  constexpr std::pair<std::string_view, CompareOp> kSigns[] = {
      {"==", CompareOp::kEqual},     {"!=", CompareOp::kNotEqual}, {"<", CompareOp::kLess},
      {"<=", CompareOp::kLessEqual}, {">", CompareOp::kGreater},   {">=", CompareOp::kGreaterEqual}};
  const int line = Current().line;
  std::vector<ExpressionPtr> operands = Operands(TRY(ParseSum()));
  std::vector<CompareOp> comparisons;
  while (true) {
    const auto* sign = std::find_if(std::begin(kSigns), std::end(kSigns),
                                    [this](const auto& entry) { return Current().IsOperator(entry.first); });
    if (sign != std::end(kSigns)) {
      Next();
      comparisons.push_back(sign->second);
    } else if (TakeName("in")) {
      comparisons.push_back(CompareOp::kIn);
    } else if (Current().IsName("not") && Ahead().IsName("in")) {
      Next();
      Next();
      comparisons.push_back(CompareOp::kNotIn);
    } else {
      break;
    }
    operands.push_back(TRY(ParseSum()));
  }
  if (comparisons.empty()) return std::move(operands[0]);
  ExpressionPtr node = TRY(Node(ExpressionKind::kCompare, line, std::move(operands)));
  node->comparisons = std::move(comparisons);
  return node;
}

Result<ExpressionPtr> Parser::ParseSum() {
  const int line = Current().line;
  ExpressionPtr left = TRY(ParseConcatenate());
  while (Current().IsOperator("+") || Current().IsOperator("-")) {
    const ArithmeticOp op = Next().text == "+" ? ArithmeticOp::kAdd : ArithmeticOp::kSubtract;
    left = TRY(Node(ExpressionKind::kArithmetic, line, Operands(std::move(left), TRY(ParseConcatenate()))));
    left->arithmetic = op;
  }
  return left;
}

Result<ExpressionPtr> Parser::ParseConcatenate() {
  const int line = Current().line;
  std::vector<ExpressionPtr> parts = Operands(TRY(ParseProduct()));
  while (TakeOperator("~")) parts.push_back(TRY(ParseProduct()));
  if (parts.size() == 1) return std::move(parts[0]);
  return Node(ExpressionKind::kConcatenate, line, std::move(parts));
}

Result<ExpressionPtr> Parser::ParseProduct() {
  constexpr std::pair<std::string_view, ArithmeticOp> kSigns[] = {{"*", ArithmeticOp::kMultiply},
                                                                  {"/", ArithmeticOp::kDivide},
                                                                  {"//", ArithmeticOp::kFloorDivide},
                                                                  {"%", ArithmeticOp::kModulo}};
  const int line = Current().line;
  ExpressionPtr left = TRY(ParsePower());
  while (true) {
    const auto* sign = std::find_if(std::begin(kSigns), std::end(kSigns),
                                    [this](const auto& entry) { return Current().IsOperator(entry.first); });
    if (sign == std::end(kSigns)) return left;
    Next();
    left = TRY(Node(ExpressionKind::kArithmetic, line, Operands(std::move(left), TRY(ParsePower()))));
    left->arithmetic = sign->second;
  }
}

// Unlike Python's, from left to right: 2 ** 3 ** 2 is 64.
Result<ExpressionPtr> Parser::ParsePower() {
  const int line = Current().line;
  ExpressionPtr left = TRY(ParseUnary());
  while (TakeOperator("**")) {
    left = TRY(Node(ExpressionKind::kArithmetic, line, Operands(std::move(left), TRY(ParseUnary()))));
    left->arithmetic = ArithmeticOp::kPower;
  }
  return left;
}

// A sign binds tighter than a filter: -x|abs is (-x)|abs.
Result<ExpressionPtr> Parser::ParseUnary(bool with_filters) {
  const Deeper deeper(*this);
  TRY(CheckDepth());
  const int line = Current().line;
  ExpressionPtr value;
  if (TakeOperator("-")) {
    value = TRY(Node(ExpressionKind::kNegative, line, Operands(TRY(ParseUnary(false)))));
  } else if (TakeOperator("+")) {
    value = TRY(Node(ExpressionKind::kPositive, line, Operands(TRY(ParseUnary(false)))));
  } else {
    value = TRY(ParsePrimary());
  }
  value = TRY(ParsePostfix(std::move(value)));
  return with_filters ? ParseFiltersAndTests(std::move(value)) : std::move(value);
}

Result<ExpressionPtr> Parser::ParsePrimary() {
  const Token& token = Current();
  switch (token.type) {
    case TokenType::kName: return ParseName();
    case TokenType::kInteger:
    case TokenType::kFloat: return ParseNumber();
    case TokenType::kString: {
      std::string text;
      const int line = token.line;
      while (Current().type == TokenType::kString) text += Next().text;  // 'a' 'b' is one string
      ExpressionPtr node = TRY(Node(ExpressionKind::kConstant, line, {}));
      node->constant = ConstantString(std::move(text));
      return node;
    }
    default: break;
  }
  if (TakeOperator("(")) {
    ExpressionPtr value = TRY(ParseTuple(true, {}, true));
    TRY(ExpectOperator(")"));
    return value;
  }
  if (token.IsOperator("[")) return ParseList();
  if (token.IsOperator("{")) return ParseDict();
  return FailAt(token.line, "unexpected {}", token.Describe());
}

Result<ExpressionPtr> Parser::ParseName() {
  const Token& token = Next();
  const std::string& name = token.text;
  const bool truth = name == "true" || name == "True";
  if (truth || name == "false" || name == "False" || name == "none" || name == "None") {
    ExpressionPtr node = TRY(Node(ExpressionKind::kConstant, token.line, {}));
    if (name != "none" && name != "None") node->constant = Value::Bool(truth);
    return node;
  }
  ExpressionPtr node = TRY(Node(ExpressionKind::kName, token.line, {}));
  node->name = name;
  return node;
}

Result<ExpressionPtr> Parser::ParseNumber() {
  const Token& token = Next();
  std::string digits = token.text;
  std::erase(digits, '_');
  ExpressionPtr node = TRY(Node(ExpressionKind::kConstant, token.line, {}));
  if (token.type == TokenType::kFloat) {
    const auto value = ParseFloat(digits);
    if (!value) return FailAt(token.line, "{} is not a number", token.text);
    node->constant = Value::Float(*value);
    return node;
  }
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0') {
    const char mark = static_cast<char>(digits[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    if (base != 10) digits.erase(0, 2);
  }
  const auto value = BigInt::FromDigits(digits, base, false);
  if (!value) return FailAt(token.line, "an integer of more than {} bits", BigInt::kMaxBits);
  if (const auto small = value->ToInt64()) {
    node->constant = Value::Int(*small);
  } else {
    auto object = std::make_shared<BigIntObject>();
    object->value = *value;
    node->constant = Value(Kind::kBigInt, std::move(object));
  }
  return node;
}

Result<ExpressionPtr> Parser::ParseTuple(bool with_conditional, Names end_names, bool in_parentheses) {
  const int line = Current().line;
  std::vector<ExpressionPtr> items;
  bool is_tuple = false;
  const auto at_end = [&] {
    return Current().type == TokenType::kVariableEnd || Current().type == TokenType::kBlockEnd ||
           Current().IsOperator(")") ||
           std::any_of(end_names.begin(), end_names.end(), [this](auto name) { return Current().IsName(name); });
  };
  while (true) {
    if (!items.empty()) TRY(ExpectOperator(","));
    if (at_end()) break;
    items.push_back(TRY(ParseExpression(with_conditional)));
    if (!Current().IsOperator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!items.empty()) return std::move(items[0]);
    if (!in_parentheses) return Unexpected("an expression");
  }
  return Node(ExpressionKind::kTuple, line, std::move(items));
}

Result<ExpressionPtr> Parser::ParseList() {
  const int line = Next().line;
  std::vector<ExpressionPtr> items;
  while (!Current().IsOperator("]")) {
    if (!items.empty()) TRY(ExpectOperator(","));
    if (Current().IsOperator("]")) break;
    items.push_back(TRY(ParseExpression()));
  }
  Next();
  return Node(ExpressionKind::kList, line, std::move(items));
}

Result<ExpressionPtr> Parser::ParseDict() {
  const int line = Next().line;
  std::vector<ExpressionPtr> items;
  while (!Current().IsOperator("}")) {
    if (!items.empty()) TRY(ExpectOperator(","));
    if (Current().IsOperator("}")) break;
    items.push_back(TRY(ParseExpression()));
    TRY(ExpectOperator(":"));
    items.push_back(TRY(ParseExpression()));
  }
  Next();
  return Node(ExpressionKind::kDict, line, std::move(items));
}

Result<ExpressionPtr> Parser::ParsePostfix(ExpressionPtr value) {
  while (true) {
    if (Current().IsOperator(".") || Current().IsOperator("[")) {
      value = TRY(ParseSubscript(std::move(value)));
    } else if (Current().IsOperator("(")) {
      value = TRY(ParseCall(std::move(value)));
    } else {
      return value;
    }
  }
}

Result<ExpressionPtr> Parser::ParseSubscript(ExpressionPtr value) {
  const int line = Current().line;
  if (TakeOperator(".")) {
    if (Current().type == TokenType::kInteger) {
      return Node(ExpressionKind::kItem, line, Operands(std::move(value), TRY(ParseNumber())));
    }
    if (Current().type != TokenType::kName) return Unexpected("a name or number");
    ExpressionPtr node = TRY(Node(ExpressionKind::kAttribute, line, Operands(std::move(value))));
    node->name = Next().text;
    return node;
  }
  Next();
  std::vector<ExpressionPtr> keys;
  bool is_slice = false;
  std::vector<ExpressionPtr> slice;
  while (!Current().IsOperator("]")) {
    if (!keys.empty() || is_slice) TRY(ExpectOperator(","));
    if (is_slice) return FailAt(line, "a slice beside another key");
    const auto at_end = [this] { return Current().IsOperator("]") || Current().IsOperator(","); };
    ExpressionPtr first = Current().IsOperator(":") ? nullptr : TRY(ParseExpression());
    if (!Current().IsOperator(":")) {
      keys.push_back(std::move(first));
      continue;
    }
    Next();
    if (!keys.empty()) return FailAt(line, "a slice beside another key");
    is_slice = true;
    slice = Operands(std::move(value), std::move(first));
    slice.push_back(Current().IsOperator(":") || at_end() ? nullptr : TRY(ParseExpression()));
    slice.push_back(TakeOperator(":") && !at_end() ? TRY(ParseExpression()) : nullptr);
  }
  Next();
  if (is_slice) return Node(ExpressionKind::kSlice, line, std::move(slice));
  ExpressionPtr key;
  if (keys.size() == 1) {
    key = std::move(keys[0]);
  } else {
    key = TRY(Node(ExpressionKind::kTuple, line, std::move(keys)));
  }
  return Node(ExpressionKind::kItem, line, Operands(std::move(value), std::move(key)));
}

Result<ExpressionPtr> Parser::ParseCall(ExpressionPtr callee) {
  const int line = Current().line;
  CallArguments arguments = TRY(ParseArguments());
  ExpressionPtr node = TRY(Node(ExpressionKind::kCall, line, Operands(std::move(callee))));
  node->arguments = std::move(arguments);
  return Grown(std::move(node));
}

Result<CallArguments> Parser::ParseArguments() {
  const int line = Current().line;
  TRY(ExpectOperator("("));
  CallArguments arguments;
  bool first = true;
  while (!Current().IsOperator(")")) {
    if (!first) {
      TRY(ExpectOperator(","));
      if (Current().IsOperator(")")) break;
    }
    first = false;
    bool in_order = true;
    if (TakeOperator("*")) {
      in_order = !arguments.more_positional && !arguments.more_named;
      arguments.more_positional = TRY(ParseExpression());
    } else if (TakeOperator("**")) {
      in_order = !arguments.more_named;
      arguments.more_named = TRY(ParseExpression());
    } else if (Current().type == TokenType::kName && Ahead().IsOperator("=")) {
      in_order = !arguments.more_named;
      const std::string name = Next().text;
      Next();
      for (const auto& [other, value] : arguments.named) {
        if (other == name) return FailAt(line, "keyword argument repeated: {}", name);
      }
      arguments.named.emplace_back(name, TRY(ParseExpression()));
    } else {
      in_order = !arguments.more_positional && !arguments.more_named && arguments.named.empty();
      arguments.positional.push_back(TRY(ParseExpression()));
    }
    if (!in_order) return FailAt(line, "invalid syntax for function call expression");
  }
  Next();
  return arguments;
}

Result<ExpressionPtr> Parser::ParseFilters(ExpressionPtr value, bool starts_inline) {
  while (starts_inline || Current().IsOperator("|")) {
    if (!starts_inline) Next();
    starts_inline = false;
    const int line = Current().line;
    std::string name = TRY(ExpectAnyName());
    while (TakeOperator(".")) name += "." + TRY(ExpectAnyName());
    CallArguments arguments;
    if (Current().IsOperator("(")) arguments = TRY(ParseArguments());
    ExpressionPtr node = TRY(Node(ExpressionKind::kFilter, line, Operands(std::move(value))));
    node->name = std::move(name);
    node->arguments = std::move(arguments);
    value = TRY(Grown(std::move(node)));
  }
  return value;
}

Result<ExpressionPtr> Parser::ParseFiltersAndTests(ExpressionPtr value) {
  while (true) {
    if (Current().IsOperator("|")) {
      value = TRY(ParseFilters(std::move(value)));
    } else if (Current().IsName("is")) {
      value = TRY(ParseTest(std::move(value)));
    } else if (Current().IsOperator("(")) {
      value = TRY(ParseCall(std::move(value)));
    } else {
      return value;
    }
  }
}

Result<ExpressionPtr> Parser::ParseTest(ExpressionPtr value) {
  const int line = Next().line;
  const bool negated = TakeName("not");
  std::string name = TRY(ExpectAnyName());
  while (TakeOperator(".")) name += "." + TRY(ExpectAnyName());
  CallArguments arguments;
  const Token& token = Current();
  const bool starts_value = token.type == TokenType::kName || token.type == TokenType::kString ||
                            token.type == TokenType::kInteger || token.type == TokenType::kFloat ||
                            token.IsOperator("[") || token.IsOperator("{");
  if (token.IsOperator("(")) {
    arguments = TRY(ParseArguments());
  } else if (starts_value && !token.IsName("else") && !token.IsName("or") && !token.IsName("and")) {
    if (token.IsName("is")) return FailAt(token.line, "tests cannot be chained with is");
    // One argument without parentheses: x is divisibleby 3.
    arguments.positional.push_back(TRY(ParsePostfix(TRY(ParsePrimary()))));
  }
  ExpressionPtr node = TRY(Node(ExpressionKind::kTest, line, Operands(std::move(value))));
  node->name = std::move(name);
  node->arguments = std::move(arguments);
  node = TRY(Grown(std::move(node)));
  return negated ? Node(ExpressionKind::kNot, line, Operands(std::move(node))) : std::move(node);
}

}  // namespace bothy::jinja
