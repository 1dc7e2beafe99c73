#include "text/sentencepiece.h"

#include <algorithm>
#include <array>
#include <utility>

#include "text/byte_trie.h"
#include "text/charsmap.h"
#include "text/sentencepiece_bpe.h"
#include "text/space_cutter.h"
#include "text/unigram.h"
#include "text/utf8.h"

namespace bothy {
namespace {

using Type = SentencePieceSpec::Type;

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581

// What SentencePiece does to a text before it looks for pieces.
class SentencePieceNormalizer final : public Normalizer {
 public:
  static Result<NormalizerPtr> Create(const SentencePieceSpec& spec) {
    auto normalizer = std::make_unique<SentencePieceNormalizer>();
    normalizer->dummy_prefix_ = spec.add_dummy_prefix && !spec.treat_whitespace_as_suffix;
    normalizer->only_first_ = spec.dummy_prefix_only_first;
    normalizer->dummy_suffix_ = spec.add_dummy_prefix && spec.treat_whitespace_as_suffix;
    normalizer->remove_extra_ = spec.remove_extra_whitespaces;
    normalizer->space_ = spec.escape_whitespaces ? kSpaceSymbol : " ";
    if (!spec.charsmap.empty()) normalizer->map_ = TRY(Charsmap::Parse(spec.charsmap));
    for (const auto& piece : spec.pieces) {
      if (piece.type == Type::kUserDefined) normalizer->kept_.Insert(piece.text, 0);
    }
    return normalizer;
  }

  Result<void> Apply(const Word& from, AlignedText& to) const override {
    const std::string_view text = from.text;
    const auto span = [&](size_t begin, size_t end) { return to.tracked() ? from.OriginOf(begin, end) : ByteSpan{}; };
    size_t at = 0;
    while (remove_extra_ && at < text.size()) {
      const Prefix prefix = NormalizePrefix(text.substr(at));
      if (prefix.replacement != " ") break;
      at += prefix.size;
    }
    if (at == text.size()) return {};
    // The space before a text stands for nothing in it.
    const uint32_t start = to.tracked() ? from.OriginOf(at).begin : 0;
    if (dummy_prefix_ && (from.first || !only_first_)) to.Put(space_, {start, start});
    bool after_space = remove_extra_;
    while (at < text.size() && !to.budget().exhausted()) {
      Prefix prefix = NormalizePrefix(text.substr(at));
      while (after_space && prefix.replacement.starts_with(' ')) prefix.replacement.remove_prefix(1);
      const ByteSpan origin = span(at, at + prefix.size);
      for (const char c : prefix.replacement) to.Put(c == ' ' ? space_ : std::string_view(&c, 1), origin);
      if (!prefix.replacement.empty()) after_space = prefix.replacement.ends_with(' ');
      if (!remove_extra_) after_space = false;
      at += prefix.size;
    }
    while (remove_extra_ && to.text().ends_with(space_)) to.RemoveEnd(space_.size());
    if (dummy_suffix_) to.Put(space_, {});
    return {};
  }

 private:
  struct Prefix {
    std::string_view replacement;
    size_t size = 0;  // bytes of the text that it replaces
  };

  Prefix NormalizePrefix(std::string_view text) const {
    if (kept_.CanStart(text[0])) {
      uint32_t node = ByteTrie::kRoot;
      size_t longest = 0;
      for (size_t i = 0; i < text.size() && (node = kept_.Step(node, text[i])) != ByteTrie::kDeadEnd; i++) {
        if (kept_.ValueAt(node) >= 0) longest = i + 1;
      }
      if (longest > 0) return {text.substr(0, longest), longest};
    }
    if (map_) {
      // A replacement never ends in the middle of a character.
      if (const auto match = map_->Longest(text); match && !SplitsCharacter(text, match->size)) {
        return {match->replacement, match->size};
      }
    }
    const size_t size = Utf8Size(text[0]);
    return {text.substr(0, size), size};
  }

  static bool SplitsCharacter(std::string_view text, size_t at) {
    return at < text.size() && IsUtf8Continuation(text[at]);
  }

  std::optional<Charsmap> map_;
  ByteTrie kept_;  // user-defined pieces stay as they are
  bool dummy_prefix_ = false, only_first_ = false, dummy_suffix_ = false, remove_extra_ = false;
  std::string_view space_;
};

// The byte that "<0x0A>" stands for.
std::optional<uint8_t> ByteOfPiece(std::string_view piece) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  const size_t high = kDigits.find(piece[3]), low = kDigits.find(piece[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<uint8_t>(high * 16 + low);
}

Result<std::array<TokenId, 256>> FindBytes(const SentencePieceSpec& spec) {
  std::array<TokenId, 256> ids;
  ids.fill(-1);
  for (size_t i = 0; i < spec.pieces.size(); i++) {
    if (spec.pieces[i].type != Type::kByte) continue;
    const auto byte = ByteOfPiece(spec.pieces[i].text);
    if (!byte) {
      return Fail(ErrorCode::kCorrupt, "token {}: \"{}\" is no byte (<0x00> to <0xFF>)", i, spec.pieces[i].text);
    }
    ids[*byte] = static_cast<TokenId>(i);
  }
  if (const auto missing = std::ranges::find(ids, -1); spec.byte_fallback && missing != ids.end()) {
    return Fail(ErrorCode::kCorrupt, "the token of byte 0x{:02X} is missing", missing - ids.begin());
  }
  return ids;
}

Result<std::unique_ptr<TokenModel>> MakeModel(const SentencePieceSpec& spec, const std::array<TokenId, 256>& bytes) {
  if (!spec.is_unigram) return TRY(SentencePieceBpe::Create(spec, bytes));
  std::vector<UnigramPiece> pieces;
  for (size_t i = 0; i < spec.pieces.size(); i++) {
    const auto& piece = spec.pieces[i];
    if (piece.type != Type::kNormal && piece.type != Type::kUserDefined) continue;
    pieces.push_back({piece.text, static_cast<TokenId>(i), piece.score, piece.type == Type::kUserDefined});
  }
  return TRY(UnigramModel::Create(
      pieces, {.unk = spec.unk, .byte_fallback = spec.byte_fallback, .bytes = bytes, .float_sums = true}));
}

DecodeStep MakeDecoder(const SentencePieceSpec& spec, const std::array<TokenId, 256>& bytes) {
  auto types = std::make_shared<std::vector<Type>>();
  for (const auto& piece : spec.pieces) types->push_back(piece.type);
  auto byte_of = std::make_shared<FlatMap<uint32_t, int>>();
  for (int byte = 0; byte < 256; byte++) {
    if (const TokenId id = bytes[static_cast<size_t>(byte)]; id >= 0) byte_of->Insert(static_cast<uint32_t>(id), byte);
  }
  const auto is = [types](TokenId id, Type type) {
    return id >= 0 && static_cast<size_t>(id) < types->size() && (*types)[static_cast<size_t>(id)] == type;
  };
  SentencePieceDecoding options;
  options.is_control = [is](TokenId id) { return is(id, Type::kControl); };
  options.is_unknown = [is](TokenId id) { return is(id, Type::kUnknown); };
  options.byte_of = [byte_of](TokenId id) {
    const int* byte = byte_of->Find(static_cast<uint32_t>(id));
    return byte != nullptr ? *byte : -1;
  };
  options.unknown_surface = spec.unknown_surface;
  options.strips_first_space = spec.add_dummy_prefix || spec.remove_extra_whitespaces;
  options.strips_all_first_spaces = spec.remove_extra_whitespaces;
  return SentencePieceDecoder(std::move(options));
}

}  // namespace

Result<Tokenizer::Parts> MakeSentencePiece(SentencePieceSpec spec) {
  Tokenizer::Parts parts;
  auto pieces = std::make_shared<PieceTable>();
  pieces->Reserve(spec.pieces.size(), spec.pieces.size() * 8);
  for (size_t i = 0; i < spec.pieces.size(); i++) {
    const auto& piece = spec.pieces[i];
    const auto id = static_cast<TokenId>(i);
    if (FindInvalidUtf8(piece.text) != std::string::npos) {
      return Fail(ErrorCode::kCorrupt, "token {}: its text is not valid UTF-8", i);
    }
    bool added = false;
    TRY(pieces->Add(piece.text, id, &added));
    if (!added) return Fail(ErrorCode::kCorrupt, "token {}: \"{}\" is there twice", i, piece.text);
    if (piece.type == Type::kControl && !piece.text.empty()) {
      parts.added.push_back({.id = id, .content = piece.text, .special = true});
    }
  }
  const std::array<TokenId, 256> bytes = TRY(FindBytes(spec));
  parts.model = TRY(MakeModel(spec, bytes));
  parts.normalizer = TRY(SentencePieceNormalizer::Create(spec));
  if (!spec.is_unigram && spec.escape_whitespaces) parts.pre_tokenizer = CutBeforeSpaceSymbols(*pieces);
  parts.vocabulary = std::move(pieces);
  parts.decoder.push_back(MakeDecoder(spec, bytes));
  parts.special = {.bos = spec.bos, .eos = spec.eos, .unk = spec.unk, .pad = spec.pad};
  parts.parses_special = false;
  // LLaMA's models begin with <s>; T5's know no beginning and end with </s>.
  parts.post_processor = SurroundingTokens(spec.bos, spec.bos ? std::nullopt : spec.eos);
  return parts;
}

}  // namespace bothy
