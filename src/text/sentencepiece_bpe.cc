#include "text/sentencepiece_bpe.h"

#include <algorithm>
#include <cmath>

#include "text/utf8.h"

namespace bothy {
namespace {

using Type = SentencePieceSpec::Type;

constexpr TokenId kUnknown = -1;  // a character that no piece has
constexpr size_t kMaxPiece = 1024;
// Ways to make a piece of two: a table for ten times as many as the largest real vocabulary needs.
constexpr size_t kMaxMerges = 20'000'000;

// User-defined pieces are never merged, but may also be made by merging: a symbol that stands for one found in the text
// has a number that no merge names.
constexpr TokenId Frozen(TokenId id) { return -2 - id; }
constexpr bool IsFrozen(TokenId id) { return id <= -2; }

bool TakesPartInMerges(Type type) {
  return type == Type::kNormal || type == Type::kUserDefined || type == Type::kUnused;
}

// Scores as ranks: the highest is 0, equal ones are equal.
std::vector<uint32_t> RanksOf(const std::vector<SentencePieceSpec::Piece>& pieces) {
  std::vector<float> scores;
  for (const auto& piece : pieces) scores.push_back(piece.score);
  std::ranges::sort(scores, std::greater<>());
  const auto repeated = std::ranges::unique(scores);
  scores.erase(repeated.begin(), repeated.end());
  std::vector<uint32_t> ranks;
  for (const auto& piece : pieces) {
    const auto place = std::ranges::lower_bound(scores, piece.score, std::greater<>());
    ranks.push_back(static_cast<uint32_t>(place - scores.begin()));
  }
  return ranks;
}

}  // namespace

TokenId SentencePieceBpe::IdOfCharacter(char32_t code) const {
  const TokenId* id = characters_.Find(code);
  return id != nullptr ? *id : kUnknown;
}

Result<std::unique_ptr<SentencePieceBpe>> SentencePieceBpe::Create(const SentencePieceSpec& spec,
                                                                   const std::array<TokenId, 256>& byte_ids) {
  std::unique_ptr<SentencePieceBpe> model(new SentencePieceBpe);
  model->piece_count_ = static_cast<TokenId>(spec.pieces.size());
  model->byte_ids_ = byte_ids;
  model->byte_fallback_ = spec.byte_fallback;
  model->unk_ = spec.unk;

  PieceTable table;
  table.Reserve(spec.pieces.size(), spec.pieces.size() * 8);
  size_t splits = 0;
  for (size_t i = 0; i < spec.pieces.size(); i++) {
    const auto& piece = spec.pieces[i];
    const auto id = static_cast<TokenId>(i);
    if (!TakesPartInMerges(piece.type)) continue;
    if (std::isnan(piece.score)) return Fail(ErrorCode::kCorrupt, "token {}: its score is no number", i);
    if (piece.text.size() > kMaxPiece) {
      return Fail(ErrorCode::kResourceExhausted, "token {}: {} bytes, at most {} are read", i, piece.text.size(),
                  kMaxPiece);
    }
    TRY(table.Add(piece.text, id));
    splits += piece.text.size();
    if (piece.type == Type::kUserDefined) model->user_defined_.Insert(piece.text, id);
    if (piece.type == Type::kUnused) {
      model->unused_.resize(spec.pieces.size());
      model->unused_[i] = true;
    }
  }
  if (splits > kMaxMerges) {
    return Fail(ErrorCode::kResourceExhausted, "pieces of {} bytes together, at most {} are read", splits, kMaxMerges);
  }

  TokenId next_character = model->piece_count_;
  for (const auto& piece : spec.pieces) {
    if (!TakesPartInMerges(piece.type)) continue;
    for (size_t at = 0; at < piece.text.size();) {
      const Utf8Char c = ReadUtf8(piece.text.data() + at);
      if (model->characters_.Find(c.code) == nullptr) {
        const auto id = table.Find(std::string_view(piece.text).substr(at, c.size));
        model->characters_.Insert(c.code, id ? *id : next_character++);
      }
      at += c.size;
    }
  }

  // What a part of a piece is while it is merged: a piece, or a single character.
  const auto id_of = [&](std::string_view part) {
    if (const auto id = table.Find(part)) return *id;
    const Utf8Char c = ReadUtf8(part.data());
    return c.size == part.size() ? model->IdOfCharacter(c.code) : kUnknown;
  };
  const std::vector<uint32_t> ranks = RanksOf(spec.pieces);
  for (size_t i = 0; i < spec.pieces.size(); i++) {
    const std::string_view piece = spec.pieces[i].text;
    if (!TakesPartInMerges(spec.pieces[i].type) || piece.empty()) continue;
    for (size_t at = Utf8Size(piece[0]); at < piece.size(); at += Utf8Size(piece[at])) {
      const TokenId left = id_of(piece.substr(0, at));
      if (left == kUnknown) continue;
      const TokenId right = id_of(piece.substr(at));
      if (right != kUnknown) model->merges_.Set(left, right, {ranks[i], static_cast<TokenId>(i)});
    }
  }
  return model;
}

void SentencePieceBpe::Tokenize(std::string_view word, Scratch& scratch, std::vector<Symbol>& out) const {
  std::vector<Symbol>& symbols = scratch.symbols;
  symbols.clear();
  for (uint32_t at = 0; at < word.size();) {
    if (user_defined_.CanStart(word[at])) {
      uint32_t node = ByteTrie::kRoot, end = at;
      TokenId longest = kUnknown;
      for (uint32_t i = at; i < word.size(); i++) {
        node = user_defined_.Step(node, word[i]);
        if (node == ByteTrie::kDeadEnd) break;
        if (user_defined_.ValueAt(node) < 0) continue;
        longest = user_defined_.ValueAt(node);
        end = i + 1;
      }
      if (longest != kUnknown) {
        symbols.push_back({Frozen(longest), at, end});
        at = end;
        continue;
      }
    }
    const Utf8Char c = ReadUtf8(word.data() + at);
    symbols.push_back({IdOfCharacter(c.code), at, at + c.size});
    at += c.size;
  }
  merges_.Apply(symbols, scratch.merge);
  const size_t first = out.size();
  for (const Symbol& symbol : symbols) {
    // Unknown characters in a row are one token.
    const bool unknown = symbol.id == kUnknown || symbol.id >= piece_count_;
    if (unknown && !byte_fallback_ && unk_ && out.size() > first && out.back().id == *unk_ &&
        out.back().end == symbol.begin) {
      out.back().end = symbol.end;
    } else {
      AddSymbol(word, symbol, out);
    }
  }
}

void SentencePieceBpe::AddSymbol(std::string_view word, const Symbol& symbol, std::vector<Symbol>& out) const {
  if (IsFrozen(symbol.id)) {
    out.push_back({Frozen(symbol.id), symbol.begin, symbol.end});
  } else if (symbol.id == kUnknown || symbol.id >= piece_count_) {
    if (byte_fallback_) {
      for (uint32_t i = symbol.begin; i < symbol.end; i++) {
        out.push_back({byte_ids_[static_cast<uint8_t>(word[i])], i, i + 1});
      }
    } else if (unk_) {
      out.push_back({*unk_, symbol.begin, symbol.end});
    }
  } else if (!unused_.empty() && unused_[static_cast<size_t>(symbol.id)]) {
    SplitUnused(word, symbol, out);
  } else {
    out.push_back(symbol);
  }
}

// Unused pieces help to merge, but do not come out: what would be one falls back into the two that it was made of.
void SentencePieceBpe::SplitUnused(std::string_view word, const Symbol& symbol, std::vector<Symbol>& out) const {
  Scratch scratch;  // the caller is still reading its own
  for (uint32_t at = symbol.begin; at < symbol.end;) {
    const Utf8Char c = ReadUtf8(word.data() + at);
    scratch.symbols.push_back({IdOfCharacter(c.code), at, at + c.size});
    at += c.size;
  }
  if (scratch.symbols.size() < 2) {
    out.push_back(symbol);
    return;
  }
  merges_.Apply(scratch.symbols, scratch.merge, 2);
  for (const Symbol& half : scratch.symbols) AddSymbol(word, half, out);
}

}  // namespace bothy
