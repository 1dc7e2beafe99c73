#include "text/unigram.h"

#include <algorithm>
#include <cmath>

#include "text/utf8.h"

namespace bothy {
namespace {

constexpr double kUnknownPenalty = 10;  // below the worst piece; of both references
constexpr size_t kMaxPiece = 1024;      // bytes; the search takes that many steps a character at worst
constexpr int32_t kUnknown = -1;        // the entry of a character that is no piece

}  // namespace

Result<std::unique_ptr<UnigramModel>> UnigramModel::Create(std::span<const UnigramPiece> pieces,
                                                           UnigramOptions options) {
  auto model = std::make_unique<UnigramModel>();
  model->options_ = options;
  bool any = false;
  for (const UnigramPiece& piece : pieces) {
    if (!std::isfinite(piece.score)) {
      return Fail(ErrorCode::kCorrupt, "token {}: its score is {}", piece.id, piece.score);
    }
    if (piece.text.empty()) continue;
    if (piece.text.size() > kMaxPiece) {
      return Fail(ErrorCode::kResourceExhausted, "token {}: {} bytes, at most {} are read", piece.id, piece.text.size(),
                  kMaxPiece);
    }
    model->trie_.Insert(piece.text, static_cast<int32_t>(model->entries_.size()));
    model->entries_.push_back({piece.id, piece.score, piece.user_defined});
    if (piece.user_defined) continue;
    model->min_score_ = any ? std::min(model->min_score_, piece.score) : piece.score;
    model->max_score_ = any ? std::max(model->max_score_, piece.score) : piece.score;
    any = true;
  }
  return model;
}

template <class Sum>
void UnigramModel::FindBest(std::string_view word, Scratch& scratch) const {
  // For each place where a piece may end: the best sum up to it, where its last piece begins, and which that is.
  std::vector<Scratch::Node<Sum>>& best = scratch.template nodes<Sum>();
  best.assign(word.size() + 1, {});
  const auto unknown_score = static_cast<Sum>(min_score_ - kUnknownPenalty);
  const auto offer = [&](size_t begin, size_t end, Sum score, int32_t entry) {
    const Sum sum = score + best[begin].sum;
    auto& node = best[end];
    if (node.begin == Scratch::kNowhere || sum > node.sum) node = {sum, static_cast<uint32_t>(begin), entry};
  };
  for (size_t begin = 0; begin < word.size();) {
    const size_t size = std::min<size_t>(Utf8Size(word[begin]), word.size() - begin);
    bool has_single = false;
    uint32_t trie_node = ByteTrie::kRoot;
    for (size_t end = begin; end < word.size();) {
      trie_node = trie_.Step(trie_node, word[end++]);
      if (trie_node == ByteTrie::kDeadEnd) break;
      const int32_t index = trie_.ValueAt(trie_node);
      if (index < 0) continue;
      const Entry& entry = entries_[static_cast<size_t>(index)];
      const double score = entry.user_defined ? static_cast<double>(end - begin) * max_score_ - 0.1 : entry.score;
      offer(begin, end, static_cast<Sum>(score), index);
      if (end - begin == size) has_single = true;
    }
    if (!has_single) offer(begin, begin + size, unknown_score, kUnknown);
    begin += size;
  }
  scratch.symbols.clear();
  for (size_t end = word.size(); end > 0; end = best[end].begin) {
    scratch.symbols.push_back({best[end].entry, best[end].begin, static_cast<uint32_t>(end)});
  }
  std::ranges::reverse(scratch.symbols);
}

void UnigramModel::Tokenize(std::string_view word, Scratch& scratch, std::vector<Symbol>& out) const {
  options_.float_sums ? FindBest<float>(word, scratch) : FindBest<double>(word, scratch);
  const auto is_unknown = [&](const Symbol& symbol) {
    return symbol.id == kUnknown || (options_.unk && entries_[static_cast<size_t>(symbol.id)].id == *options_.unk);
  };
  const std::vector<Symbol>& symbols = scratch.symbols;
  for (size_t i = 0; i < symbols.size(); i++) {
    if (!is_unknown(symbols[i])) {
      out.push_back({entries_[static_cast<size_t>(symbols[i].id)].id, symbols[i].begin, symbols[i].end});
      continue;
    }
    const uint32_t begin = symbols[i].begin;
    while (i + 1 < symbols.size() && is_unknown(symbols[i + 1])) i++;  // a run of unknown characters is one token
    AddUnknown(word, begin, symbols[i].end, out);
  }
}

void UnigramModel::AddUnknown(std::string_view word, uint32_t begin, uint32_t end, std::vector<Symbol>& out) const {
  if (!options_.byte_fallback) {
    if (options_.unk) out.push_back({*options_.unk, begin, end});
    return;
  }
  for (uint32_t i = begin; i < end; i++) {
    const TokenId id = options_.bytes[static_cast<uint8_t>(word[i])];
    // Hugging Face says of each byte that it stands for the whole run.
    options_.float_sums ? out.push_back({id, i, i + 1}) : out.push_back({id, begin, end});
  }
}

}  // namespace bothy
