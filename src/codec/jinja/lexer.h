// From the source of a template to tokens: what is text, what is code, and which white space between them goes, with
// trim_blocks and lstrip_blocks on as transformers has them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bothy::jinja {

enum class TokenType : uint8_t {
  kData,           // text between tags
  kVariableBegin,  // {{
  kVariableEnd,
  kBlockBegin,  // {%
  kBlockEnd,
  kName,
  kString,  // `text` is the value, escapes resolved
  kInteger,
  kFloat,
  kOperator,  // `text` is the sign
  kEnd,
};

struct Token {
  TokenType type = TokenType::kEnd;
  std::string text;
  int line = 1;

  bool IsName(std::string_view name) const { return type == TokenType::kName && text == name; }
  bool IsOperator(std::string_view sign) const { return type == TokenType::kOperator && text == sign; }
  std::string Describe() const;  // for messages
};

// The last token is kEnd. Errors begin with "line N: ".
Result<std::vector<Token>> Tokenize(std::string_view source);

}  // namespace bothy::jinja
