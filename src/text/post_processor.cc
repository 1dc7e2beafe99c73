#include "text/post_processor.h"

namespace bothy {

PostProcessor SurroundingTokens(std::optional<TokenId> before, std::optional<TokenId> after) {
  using Kind = TemplatePiece::Kind;
  PostProcessor post;
  post.single.clear();
  post.pair.clear();
  for (const bool second : {false, true}) {
    const int32_t type = second ? 1 : 0;
    std::vector<TemplatePiece> part;
    if (before) part.push_back({Kind::kSpecial, *before, type});
    part.push_back({second ? Kind::kSecond : Kind::kFirst, 0, type});
    if (after) part.push_back({Kind::kSpecial, *after, type});
    if (!second) post.single = part;
    post.pair.insert(post.pair.end(), part.begin(), part.end());
  }
  return post;
}

}  // namespace bothy
