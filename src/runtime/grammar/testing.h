// For tests: small vocabularies, masks as sets of tokens, texts that grammars take.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing.h"
#include "runtime/grammar/gbnf.h"
#include "runtime/grammar/grammar_state.h"

namespace bothy {

// Tokens by number; the last one, beyond these, ends a text.
inline std::shared_ptr<const GrammarVocabulary> MakeVocabulary(std::vector<std::string> bytes) {
  bytes.emplace_back();
  const auto end = static_cast<TokenId>(bytes.size() - 1);
  return GrammarVocabulary::Create(std::move(bytes), {{end}});
}

inline Result<GrammarProgram> CompileGbnf(std::string_view text) {
  return GrammarProgram::Compile(TRY(ParseGbnf(text)));
}

// Whether the grammar takes the text; the test fails where the grammar is wrong.
inline bool Takes(std::string_view gbnf, std::string_view text) {
  const auto program = CompileGbnf(gbnf);
  EXPECT_OK(program);
  if (!program) return false;
  const auto matches = Matches(*program, text);
  EXPECT_OK(matches);
  return matches && *matches;
}

inline std::set<TokenId> TokensOf(std::span<const uint64_t> mask) {
  std::set<TokenId> tokens;
  for (size_t i = 0; i < mask.size() * 64; i++) {
    if ((mask[i / 64] >> (i % 64) & 1) != 0) tokens.insert(static_cast<TokenId>(i));
  }
  return tokens;
}

}  // namespace bothy
