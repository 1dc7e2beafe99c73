#include "runtime/grammar/vocabulary.h"

#include <algorithm>

#include "text/token_bytes.h"

namespace bothy {

std::shared_ptr<const GrammarVocabulary> GrammarVocabulary::Create(const Tokenizer& tokenizer, size_t size,
                                                                   std::span<const TokenId> end_tokens) {
  TokenBytes tokens = BytesOfTokens(tokenizer);
  tokens.bytes.resize(size);
  return Create(std::move(tokens.bytes), end_tokens, tokens.drops_first_space);
}

std::shared_ptr<const GrammarVocabulary> GrammarVocabulary::Create(std::vector<std::string> bytes,
                                                                   std::span<const TokenId> end_tokens,
                                                                   bool drops_first_space) {
  auto vocabulary = std::make_shared<GrammarVocabulary>();
  GrammarVocabulary& v = *vocabulary;
  v.bytes_ = std::move(bytes);
  for (const TokenId end : end_tokens) {
    if (end < 0 || static_cast<size_t>(end) >= v.size()) continue;
    v.end_tokens_.push_back(end);
    v.bytes_[static_cast<size_t>(end)].clear();
  }
  std::ranges::sort(v.end_tokens_);
  for (size_t i = 0; i < v.size(); i++) {
    std::string& token = v.bytes_[i];
    if (token.size() > kMaxTokenBytes) token.clear();
    if (token.empty()) continue;
    v.tokens_.push_back(static_cast<TokenId>(i));
    if (drops_first_space && token.starts_with(' ')) v.never_first_.push_back(static_cast<TokenId>(i));
    v.longest_ = std::max(v.longest_, token.size());
  }
  std::ranges::sort(v.tokens_, {}, [&](TokenId token) { return std::pair(std::string_view(v.bytes(token)), token); });
  // In this order a token's nodes are those of the one before as far as the two agree, and new ones after that.
  std::vector<uint32_t> path;
  std::string_view before;
  for (uint32_t i = 0; i < v.tokens_.size(); i++) {
    const std::string_view token = v.bytes(v.tokens_[i]);
    const auto common = static_cast<size_t>(std::ranges::mismatch(before, token).in1 - before.begin());
    const auto leave = [&](size_t depth) {
      for (; path.size() > depth; path.pop_back())
        v.nodes_[path.back()].subtree_end = static_cast<uint32_t>(v.nodes_.size());
    };
    leave(common);
    for (size_t depth = common; depth < token.size(); depth++) {
      path.push_back(static_cast<uint32_t>(v.nodes_.size()));
      v.nodes_.push_back(
          {.tokens_end = i, .depth = static_cast<uint16_t>(depth), .byte = static_cast<uint8_t>(token[depth])});
    }
    v.nodes_[path.back()].tokens_end = i + 1;
    before = token;
  }
  for (const uint32_t node : path) v.nodes_[node].subtree_end = static_cast<uint32_t>(v.nodes_.size());
  return vocabulary;
}

bool GrammarVocabulary::IsEnd(TokenId token) const { return std::ranges::binary_search(end_tokens_, token); }

}  // namespace bothy
