// What stands beside a tokenizer in a Hugging Face folder: tokenizer_config.json, special_tokens_map.json,
// added_tokens.json and the chat templates.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "codec/folder.h"
#include "text/tokenizer_parts.h"

namespace bothy {

struct TokenizerConfig {
  std::string tokenizer_class;  // "LlamaTokenizer"; without "Fast"; empty where none is named
  std::optional<bool> add_bos_token, add_eos_token, add_prefix_space, legacy, do_lower_case;
  std::optional<std::string> bos, eos, unk, pad, sep, cls, mask;
  std::vector<std::string> additional_special_tokens;
  std::vector<AddedToken> added_tokens;  // with their ids
  // Jinja sources by name; what is used without a name is "default". chat_template.jinja and chat_template.json are
  // read where tokenizer_config.json has none.
  std::vector<std::pair<std::string, std::string>> chat_templates;
};

// Files that are missing leave their members empty.
Result<TokenizerConfig> ReadTokenizerConfig(const Folder& folder);

// Adds what the config knows to what the tokenizer's own file said: added tokens, which tokens are special and what
// for, and whether a text begins with bos and ends with eos.
Result<void> ApplyConfig(const TokenizerConfig& config, Tokenizer::Parts& parts);

// Finds the ends of answers among the special tokens, and bos, eos, unk and pad where nothing has named them.
void FindWellKnownTokens(Tokenizer::Parts& parts);

}  // namespace bothy
