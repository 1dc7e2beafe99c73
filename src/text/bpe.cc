#include "text/bpe.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/byte_alphabet.h"
#include "text/utf8.h"

namespace bothy {
namespace {

constexpr TokenId kNone = -1;
// For merges that follow from ranks: a token can be made in as many ways as it has bytes, and each is looked up.
constexpr size_t kMaxRankedPiece = 1024;
constexpr size_t kMaxRankedBytes = 20'000'000;

}  // namespace

BpeModel::Builder::Builder(const PieceTable& pieces, BpeOptions options, size_t merges)
    : model_(new BpeModel(pieces, std::move(options))) {
  model_->merges_.Reserve(merges);
}

Result<void> BpeModel::Builder::AddMerge(std::string_view left, std::string_view right) {
  const PieceTable& pieces = model_->pieces_;
  const auto missing = [](std::string_view piece) {
    return Fail(ErrorCode::kCorrupt, "\"{}\" is not in the vocabulary", piece);
  };
  const auto left_id = pieces.Find(left), right_id = pieces.Find(right);
  if (!left_id) return missing(left);
  if (!right_id) return missing(right);
  const std::string& prefix = model_->options_.continuing_prefix;
  std::string_view rest = right;
  if (!prefix.empty() && rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
  const std::string whole = std::string(left).append(rest);
  const auto result = pieces.Find(whole);
  if (!result) return missing(whole);
  model_->merges_.Set(*left_id, *right_id, {rank_++, *result});
  return {};
}

Result<void> BpeModel::Builder::AddMergesByRank() {
  const PieceTable& pieces = model_->pieces_;
  size_t bytes = 0;
  for (size_t i = 0; i < pieces.size(); i++) {
    const auto id = static_cast<TokenId>(i);
    if (!pieces.Contains(id)) continue;
    const std::string_view piece = pieces[id];
    if (piece.empty()) continue;
    bytes += piece.size();
    if (piece.size() > kMaxRankedPiece || bytes > kMaxRankedBytes) {
      return Fail(ErrorCode::kResourceExhausted, "token {}: tokens of more bytes than are read", id);
    }
    for (size_t at = Utf8Size(piece[0]); at < piece.size(); at += Utf8Size(piece[at])) {
      const auto left = pieces.Find(piece.substr(0, at));
      if (!left) continue;
      if (const auto right = pieces.Find(piece.substr(at))) {
        model_->merges_.Set(*left, *right, {static_cast<uint32_t>(id), id});
      }
    }
  }
  return {};
}

Result<std::unique_ptr<BpeModel>> BpeModel::Builder::Build() {
  BpeModel& model = *model_;
  model.byte_ids_.fill(kNone);
  const PieceTable& pieces = model.pieces_;
  if (model.options_.byte_level) {
    if (model.options_.ignore_merges) {
      model.bytes_.Reserve(pieces.count(), pieces.count() * 8);
      for (size_t i = 0; i < pieces.size(); i++) {
        const auto id = static_cast<TokenId>(i);
        if (!pieces.Contains(id)) continue;
        if (const auto bytes = FromByteAlphabet(pieces[id])) TRY(model.bytes_.Add(*bytes, id));
      }
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
      std::string piece;
      AppendUtf8(piece, CharOfByte(static_cast<uint8_t>(byte)));
      if (const auto id = pieces.Find(piece)) model.byte_ids_[byte] = *id;
    }
  } else if (model.options_.byte_fallback) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      if (const auto id = pieces.Find(fmt::format("<0x{:02X}>", byte))) model.byte_ids_[byte] = *id;
    }
  }
  return std::move(model_);
}

void BpeModel::CutIntoBytes(std::string_view word, std::vector<Symbol>& symbols) const {
  bool all = true;
  for (uint32_t i = 0; i < word.size(); i++) {
    const TokenId id = byte_ids_[static_cast<uint8_t>(word[i])];
    if (id != kNone) {
      symbols.push_back({id, i, i + 1});
    } else if (options_.unk) {
      AddUnknown(i, i + 1, symbols);
    } else {
      all = false;
    }
  }
  if (!all) PlaceAsReference(word, symbols);
}

// Bytes that no token can spell are left out where there is no unknown token. The reference then counts the places of
// what follows without them, and in characters of the alphabet, which take one byte or two.
void BpeModel::PlaceAsReference(std::string_view word, std::vector<Symbol>& symbols) {
  std::vector<uint32_t> index;  // for each byte of the word in the alphabet: which byte of the word
  for (uint32_t i = 0; i < word.size(); i++) {
    index.insert(index.end(), CharOfByte(static_cast<uint8_t>(word[i])) < 0x80 ? 1 : 2, i);
  }
  uint32_t at = 0;
  for (Symbol& symbol : symbols) {
    const uint32_t size = CharOfByte(static_cast<uint8_t>(word[symbol.begin])) < 0x80 ? 1 : 2;
    symbol.begin = index[at];
    symbol.end = index[at + size - 1] + 1;
    at += size;
  }
}

void BpeModel::AddUnknown(uint32_t begin, uint32_t end, std::vector<Symbol>& symbols) const {
  if (options_.fuse_unk && !symbols.empty() && symbols.back().id == *options_.unk) {
    symbols.back().end = end;
  } else {
    symbols.push_back({*options_.unk, begin, end});
  }
}

// As above for characters that are left out.
void BpeModel::CutIntoCharacters(std::string_view word, std::vector<Symbol>& symbols) const {
  std::string spelled;
  uint32_t at = 0;
  for (uint32_t begin = 0, end = 0; begin < word.size(); begin = end) {
    end = begin + Utf8Size(word[begin]);
    const uint32_t size = end - begin;
    std::string_view piece = word.substr(begin, size);
    const bool prefix = begin > 0 && !options_.continuing_prefix.empty();
    const bool suffix = end == word.size() && !options_.end_of_word_suffix.empty();
    if (prefix || suffix) {
      spelled = prefix ? options_.continuing_prefix : std::string();
      spelled.append(piece);
      if (suffix) spelled.append(options_.end_of_word_suffix);
      piece = spelled;
    }
    if (const auto id = pieces_.Find(piece)) {
      symbols.push_back({*id, at, at + size});
    } else if (options_.byte_fallback && HasBytes(piece)) {
      uint32_t byte_at = at;
      for (const char byte : piece) {
        symbols.push_back({byte_ids_[static_cast<uint8_t>(byte)], byte_at, byte_at + 1});
        if (byte_at + 1 < at + size) byte_at++;
      }
    } else if (options_.unk) {
      AddUnknown(at, at + size, symbols);
    } else {
      continue;
    }
    at += size;
  }
}

bool BpeModel::HasBytes(std::string_view piece) const {
  return std::ranges::all_of(piece, [this](char byte) { return byte_ids_[static_cast<uint8_t>(byte)] != kNone; });
}

void BpeModel::Tokenize(std::string_view word, Scratch& scratch, std::vector<Symbol>& out) const {
  if (options_.ignore_merges) {
    if (const auto id = options_.byte_level ? bytes_.Find(word) : pieces_.Find(word)) {
      out.push_back({*id, 0, static_cast<uint32_t>(word.size())});
      return;
    }
  }
  scratch.symbols.clear();
  options_.byte_level ? CutIntoBytes(word, scratch.symbols) : CutIntoCharacters(word, scratch.symbols);
  merges_.Apply(scratch.symbols, scratch.merge);
  out.insert(out.end(), scratch.symbols.begin(), scratch.symbols.end());
}

}  // namespace bothy
