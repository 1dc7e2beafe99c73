// Runs a grammar that a target has read: follows it where bytes of the input lead, and asks for masks on the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "runtime/grammar/grammar_state.h"

namespace bothy {

inline const std::shared_ptr<const GrammarVocabulary>& SmallVocabulary() {
  static const auto vocabulary = [] {
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; byte++) tokens.emplace_back(1, static_cast<char>(byte));
    for (const char* token : {"ab", "\":", "\", \"", "}]", "{\"", "\xC3\xA9", "true", "00"}) tokens.emplace_back(token);
    tokens.emplace_back();
    return GrammarVocabulary::Create(std::move(tokens), {{264}});
  }();
  return vocabulary;
}

// A text that follows the grammar, where the walk came to one.
inline std::optional<std::string> WalkGrammar(const Grammar& grammar, std::string_view choices) {
  const auto compiled = CompiledGrammar::Create(grammar, SmallVocabulary(), size_t{1} << 23);
  if (!compiled) return std::nullopt;
  GrammarState state(*compiled);
  std::string text;
  // Where the choices are over, what closes strings, lists and objects comes first.
  for (size_t i = 0; i < choices.size() + 64 && i < 400; i++) {
    const auto mask = state.Mask();
    if (!mask) return std::nullopt;
    const auto allows = [&](size_t token) { return ((*mask)[token / 64] >> (token % 64) & 1) != 0; };
    CHECK(allows(264) == state.CanEnd());
    if (i >= choices.size() && state.CanEnd()) break;
    size_t token = i < choices.size() ? static_cast<uint8_t>(choices[i]) : '"';
    for (const char closing : {'"', '}', ']', '0'}) {
      if (i >= choices.size() && allows(static_cast<uint8_t>(closing))) token = static_cast<uint8_t>(closing);
    }
    while (!allows(token)) token = (token + 1) % 265;
    if (token == 264) break;
    CHECK(state.Accept(static_cast<TokenId>(token)).has_value());
    text += SmallVocabulary()->bytes(static_cast<TokenId>(token));
  }
  if (!state.CanEnd()) return std::nullopt;
  return text;
}

}  // namespace bothy
