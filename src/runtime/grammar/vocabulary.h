// A model's tokens by their bytes, for grammars to choose from.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"

namespace bothy {

class GrammarVocabulary {  // Immutable: one for each model, shared by all grammars.
 public:
  // `size`: of the model's logits, which may be more or fewer than the tokenizer's ids. `end_tokens`: those that may
  // come where a text may end; special tokens never come otherwise, nor tokens that add nothing. Takes 0.3 s for
  // 128,000 tokens.
  static std::shared_ptr<const GrammarVocabulary> Create(const Tokenizer& tokenizer, size_t size,
                                                         std::span<const TokenId> end_tokens);
  // Of given bytes for each token; empty ones never come.
  static std::shared_ptr<const GrammarVocabulary> Create(std::vector<std::string> bytes,
                                                         std::span<const TokenId> end_tokens,
                                                         bool drops_first_space = false);

  size_t size() const { return bytes_.size(); }
  size_t mask_words() const { return (size() + 63) / 64; }
  const std::string& bytes(TokenId token) const { return bytes_[static_cast<size_t>(token)]; }
  bool IsEnd(TokenId token) const;
  std::span<const TokenId> end_tokens() const { return end_tokens_; }
  size_t longest_token() const { return longest_; }
  // Tokens that no text may begin with, for their first byte, a space, would not be shown.
  std::span<const TokenId> never_first() const { return never_first_; }

  // A node of the trie of all tokens' bytes, which lie in the order of a walk.
  struct Node {
    uint32_t subtree_end = 0;  // the first node that does not lie below this one
    uint32_t tokens_end = 0;   // in tokens(): what was before this node is up to the one before's
    uint16_t depth = 0;        // of the root's children: 0
    uint8_t byte = 0;
  };
  static constexpr size_t kMaxTokenBytes = 1 << 15;  // longer ones never come
  std::span<const Node> nodes() const { return nodes_; }
  std::span<const TokenId> tokens() const { return tokens_; }

 private:
  std::vector<std::string> bytes_;
  std::vector<TokenId> end_tokens_, never_first_;
  std::vector<Node> nodes_;
  std::vector<TokenId> tokens_;
  size_t longest_ = 0;
};

}  // namespace bothy
