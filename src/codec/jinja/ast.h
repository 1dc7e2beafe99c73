// A template as a tree, as the parser builds it and the interpreter walks it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/jinja/compare.h"
#include "codec/jinja/number.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using StatementPtr = std::unique_ptr<Statement>;
using Body = std::vector<StatementPtr>;

enum class ExpressionKind : uint8_t {
  kConstant,       // constant
  kName,           // name
  kNamespaceName,  // name.attribute, as a target of set
  kTuple,          // operands
  kList,           // operands
  kDict,           // operands: key, value, key, value ...
  kArithmetic,     // arithmetic, operands: left, right
  kNegative,       // operands: one
  kPositive,       // operands: one
  kNot,            // operands: one
  kAnd,            // operands: left, right
  kOr,             // operands: left, right
  kConcatenate,    // operands
  kCompare,        // operands, one more than comparisons between them
  kConditional,    // operands: test, then, else (may be null)
  kAttribute,      // operands: object; name
  kItem,           // operands: object, key
  kSlice,          // operands: object, start, stop, step (each may be null)
  kCall,           // operands: callee; arguments
  kFilter,         // operands: value (null for the text of a filter block); name; arguments
  kTest,           // operands: value; name; arguments
};

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr more_positional;  // *x
  ExpressionPtr more_named;       // **x
};

struct Expression {
  ExpressionKind kind = ExpressionKind::kConstant;
  int line = 0;
  uint32_t height = 1;  // of the tree: bounds the recursion over it
  ArithmeticOp arithmetic = ArithmeticOp::kAdd;
  std::string name;
  std::string attribute;
  Value constant;
  std::vector<ExpressionPtr> operands;
  std::vector<CompareOp> comparisons;
  CallArguments arguments;
};

// What a macro, a call block or a generation block is made of.
struct MacroDefinition {
  std::string name;  // empty for the body of a call block
  std::vector<std::string> parameters;
  std::vector<ExpressionPtr> defaults;  // of the last parameters
  Body body;
  // Whether the body mentions these names, and thereby takes what it was not declared for.
  bool uses_caller = false;
  bool uses_kwargs = false;
  bool uses_varargs = false;
};

enum class StatementKind : uint8_t {
  kText,         // text
  kPrint,        // expressions
  kIf,           // expressions: a test for each of branches; otherwise
  kFor,          // target, expression, test (may be null), body, otherwise, recursive
  kSet,          // target, expression
  kSetBlock,     // target, expression: the filters (may be null), body
  kWith,         // expressions: target, value, target, value ...; body
  kMacro,        // macro
  kCallBlock,    // expression: the call, macro: its caller
  kGeneration,   // macro: its body
  kFilterBlock,  // expression: the filters, body
  kAutoescape,   // expression, body
  kBlock,        // text: its name, body, scoped
  kBreak,
  kContinue,
  kLoad,  // include, import, from and extends, which a chat template has nothing for; text: which
};

struct Statement {
  StatementKind kind = StatementKind::kText;
  int line = 0;
  std::string text;
  ExpressionPtr target;
  ExpressionPtr expression;
  ExpressionPtr test;
  std::vector<ExpressionPtr> expressions;
  std::vector<Body> branches;
  Body body;
  Body otherwise;
  bool recursive = false;
  bool scoped = false;
  std::unique_ptr<MacroDefinition> macro;
};

struct ParsedTemplate {
  std::string name;
  std::string source;
  Body body;
  std::vector<const Statement*> blocks;
};

}  // namespace bothy::jinja
