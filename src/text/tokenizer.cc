#include "text/tokenizer.h"

#include <algorithm>
#include <mutex>

#include "text/added_tokens.h"
#include "text/text_budget.h"
#include "text/tokenizer_parts.h"
#include "text/unicode.h"
#include "text/word_cache.h"

namespace bothy {
namespace {

constexpr size_t kMaxText = (size_t{1} << 31) - 1;

// Byte positions to code points, for positions that mostly ascend.
class CodePointCounter {
 public:
  explicit CodePointCounter(std::string_view text) : text_(text) {}

  uint32_t At(uint32_t byte) {
    while (byte_ < byte) points_ += !IsUtf8Continuation(text_[byte_++]);
    while (byte_ > byte) points_ -= !IsUtf8Continuation(text_[--byte_]);
    return points_;
  }

 private:
  std::string_view text_;
  uint32_t byte_ = 0, points_ = 0;
};

// Memory of one thread that encodes.
struct EncodeScratch {
  TokenModel::Scratch model;
  WordCache cache;
  std::vector<Symbol> tokens;
};

// Where the pipeline ends: cuts words into tokens.
class TokenCollector final : public WordSink {
 public:
  TokenCollector(TextBudget& budget, const TokenModel& model, EncodeScratch& scratch, std::vector<TokenId>& ids,
                 std::vector<ByteSpan>* spans)
      : WordSink(budget), model_(model), scratch_(scratch), ids_(ids), spans_(spans) {}

  void Put(const Word& word) override {
    if (word.text.size() > WordCache::kMaxWord) return PutTokens(word);
    const WordCache::Key key = WordCache::MakeKey(word.text);
    WordCache::Slot& slot = scratch_.cache.SlotOf(key);
    if (!WordCache::Equal(slot.key, key)) {
      PutTokens(word);
      WordCache::Fill(slot, key, scratch_.tokens);
      return;
    }
    ids_.insert(ids_.end(), slot.ids.begin(), slot.ids.begin() + slot.count);
    if (spans_ == nullptr) return;
    for (size_t i = 0; i < slot.count; i++) {
      spans_->push_back(word.OriginOf(i > 0 ? slot.ends[i - 1] : 0, slot.ends[i]));
    }
  }

 private:
  void PutTokens(const Word& word) {
    scratch_.tokens.clear();
    model_.Tokenize(word.text, scratch_.model, scratch_.tokens);
    for (const Symbol& token : scratch_.tokens) {
      ids_.push_back(token.id);
      if (spans_ != nullptr) spans_->push_back(word.OriginOf(token.begin, token.end));
    }
  }

  const TokenModel& model_;
  EncodeScratch& scratch_;
  std::vector<TokenId>& ids_;
  std::vector<ByteSpan>* spans_;
};

// Text as the tokenizer takes it.
class CheckedText {
 public:
  static Result<CheckedText> Create(std::string_view text) {
    if (text.size() > kMaxText) {
      return Fail(ErrorCode::kResourceExhausted, "a text of {} bytes, at most {} are encoded at once", text.size(),
                  kMaxText);
    }
    CheckedText checked;
    checked.text_ = text;
    if (FindInvalidUtf8(text) != std::string_view::npos) {
      checked.repaired_ = std::make_unique<std::string>();
      AppendRepairedUtf8(*checked.repaired_, text);
      checked.text_ = *checked.repaired_;
    }
    return checked;
  }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  std::unique_ptr<std::string> repaired_;
};

// White space at the ends of a piece, in characters.
struct Blanks {
  uint32_t leading = 0, trailing = 0;
};

Blanks BlanksOf(std::string_view piece) {
  const auto is_blank = [](char32_t c) { return c == 0x120 || IsSpace(c); };  // U+0120 is GPT-2's space
  Blanks blanks;
  for (size_t i = 0; i < piece.size(); blanks.leading++) {
    const Utf8Char c = ReadUtf8(piece.data() + i);
    if (!is_blank(c.code)) break;
    i += c.size;
  }
  for (size_t end = piece.size(); end > 0; blanks.trailing++) {
    const Utf8Char c = ReadUtf8Before(piece.data() + end);
    if (!is_blank(c.code)) break;
    end -= c.size;
  }
  return blanks;
}

// Takes white space out of an offset, as far as its token begins and ends with it.
void TrimOffset(Blanks blanks, bool may_keep_first, TextSpan& span) {
  auto [leading, trailing] = blanks;
  if (leading > 0) {
    if (may_keep_first) leading--;
    span.begin = std::min(span.begin + leading, span.end);
  }
  if (trailing > 0 && span.end >= trailing) span.end = std::max(span.end - trailing, span.begin);
}

}  // namespace

struct Tokenizer::Impl {
  Parts parts;
  size_t size = 0;
  AddedTokenFinder in_original, in_normalized;
  FlatMap<uint32_t, uint32_t> added_by_id;  // index into parts.added
  PieceTable added_pieces;                  // contents of parts.added, numbered as they are there

  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<EncodeScratch>> idle;

  // Lends a scratch for one call.
  class Lease {
   public:
    explicit Lease(const Impl& impl) : impl_(impl) {
      const std::lock_guard lock(impl_.mutex);
      if (impl_.idle.empty()) {
        scratch_ = std::make_unique<EncodeScratch>();
      } else {
        scratch_ = std::move(impl_.idle.back());
        impl_.idle.pop_back();
      }
    }
    ~Lease() {
      const std::lock_guard lock(impl_.mutex);
      impl_.idle.push_back(std::move(scratch_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    EncodeScratch& operator*() const { return *scratch_; }

   private:
    const Impl& impl_;
    std::unique_ptr<EncodeScratch> scratch_;
  };

  const AddedToken* Added(TokenId id) const {
    const uint32_t* index = added_by_id.Find(static_cast<uint32_t>(id));
    return index != nullptr ? &parts.added[*index] : nullptr;
  }

  // The pipeline, over text that is valid UTF-8. `spans`: null where nobody wants offsets.
  struct Run {
    const Impl& impl;
    bool parse_special;
    TokenCollector& collector;
    std::vector<TokenId>& ids;
    std::vector<ByteSpan>* spans;

    // Finds added tokens in `word` and hands what lies between them to `rest`.
    template <class Rest>
    Result<void> Between(const AddedTokenFinder& finder, const Word& word, Rest rest) {
      AddedTokenFinder::Cursor cursor;
      AddedTokenFinder::Match match;
      for (size_t done = 0; done < word.text.size(); done = match.end) {
        if (!finder.Next(word.text, parse_special, cursor, match))
          match = {word.text.size(), word.text.size(), nullptr};
        if (match.begin > done) TRY(rest(word.Part(done, match.begin)));
        if (match.token == nullptr) continue;
        ids.push_back(match.token->id);
        if (spans != nullptr) spans->push_back(word.OriginOf(match.begin, match.end));
      }
      return {};
    }

    Result<void> Check() const {
      if (collector.budget().exhausted()) return collector.budget().Failure();
      return {};
    }

    Result<void> Normalized(const Word& word) {
      return Between(impl.in_normalized, word, [this](const Word& rest) -> Result<void> {
        if (impl.parts.pre_tokenizer != nullptr) {
          impl.parts.pre_tokenizer->Cut(rest, spans != nullptr, collector);
        } else {
          collector.Put(rest);
        }
        if (collector.error()) return tl::unexpected<Error>(*collector.error());
        return Check();
      });
    }

    Result<void> Original(const Word& word) {
      return Between(impl.in_original, word, [this](const Word& rest) -> Result<void> {
        const Normalizer* normalizer = impl.parts.normalizer.get();
        if (normalizer == nullptr || normalizer->Keeps(rest)) return Normalized(rest);
        AlignedText text(spans != nullptr, collector.budget());
        TRY(normalizer->Apply(rest, text));
        TRY(Check());
        return Normalized(text.AsWord(rest));
      });
    }
  };

  Result<void> Tokenize(std::string_view text, const EncodeOptions& options, std::vector<TokenId>& ids,
                        std::vector<ByteSpan>* spans) const {
    using Special = EncodeOptions::Special;
    const bool parse_special =
        options.special == Special::kParse || (options.special == Special::kAsReference && parts.parses_special);
    const Lease scratch(*this);
    TextBudget budget(text.size());
    TokenCollector collector(budget, *parts.model, *scratch, ids, spans);
    return Run{*this, parse_special, collector, ids, spans}.Original({text, nullptr, 0, true});
  }

  // The tokens of a text alone, with the offsets of its own.
  Result<Encoding> EncodeOne(std::string_view text, const EncodeOptions& options) const {
    const CheckedText checked = TRY(CheckedText::Create(text));
    Encoding encoding;
    std::vector<ByteSpan> spans;
    TRY(Tokenize(checked.text(), options, encoding.ids, &spans));
    CodePointCounter points(checked.text());
    encoding.offsets.reserve(spans.size());
    for (const ByteSpan span : spans) {
      const uint32_t begin = points.At(span.begin);
      encoding.offsets.push_back({begin, points.At(span.end)});
    }
    if (!parts.post_processor.trims.empty()) TrimOffsets(encoding);
    return encoding;
  }

  void TrimOffsets(Encoding& encoding) const {
    FlatMap<uint32_t, Blanks> known;  // a piece may be long, and in every place of the text
    for (size_t i = 0; i < encoding.ids.size(); i++) {
      const TokenId id = encoding.ids[i];
      const Blanks* blanks = known.Find(static_cast<uint32_t>(id));
      if (blanks == nullptr) blanks = known.Insert(static_cast<uint32_t>(id), BlanksOf(Piece(id))).first;
      TextSpan& span = encoding.offsets[i];
      for (const auto& trim : parts.post_processor.trims) {
        TrimOffset(*blanks, trim.add_prefix_space && (i == 0 || span.begin == 0), span);
      }
    }
  }

  std::string_view Piece(TokenId id) const {
    if (const AddedToken* added = Added(id)) return added->content;
    return parts.vocabulary->Contains(id) ? (*parts.vocabulary)[id] : std::string_view();
  }

  Encoding Assemble(const std::vector<TemplatePiece>& pieces, bool add_special_tokens, const Encoding& first,
                    const Encoding* second) const {
    Encoding all;
    const bool plain = parts.post_processor.only_with_special_tokens && !add_special_tokens;
    for (const TemplatePiece& piece : pieces) {
      if (piece.kind == TemplatePiece::Kind::kSpecial) {
        if (!add_special_tokens) continue;
        all.ids.push_back(piece.id);
        all.offsets.push_back({});
      } else {
        const bool is_second = piece.kind == TemplatePiece::Kind::kSecond;
        const Encoding* part = is_second ? second : &first;
        if (part == nullptr) continue;
        all.ids.insert(all.ids.end(), part->ids.begin(), part->ids.end());
        all.offsets.insert(all.offsets.end(), part->offsets.begin(), part->offsets.end());
        if (plain) {
          all.type_ids.resize(all.ids.size(), is_second ? 1 : 0);
          continue;
        }
      }
      all.type_ids.resize(all.ids.size(), piece.type_id);
    }
    return all;
  }
};

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::Create(Parts parts) {
  auto impl = std::make_unique<Impl>();
  impl->parts = std::move(parts);
  impl->size = impl->parts.vocabulary->size();
  size_t contents = 0;
  for (const AddedToken& token : impl->parts.added) contents += token.content.size();
  TextBudget budget(contents);
  for (uint32_t i = 0; i < impl->parts.added.size(); i++) {
    const AddedToken& token = impl->parts.added[i];
    impl->size = std::max(impl->size, static_cast<size_t>(token.id) + 1);
    impl->added_by_id.Insert(static_cast<uint32_t>(token.id), i);
    TRY(impl->added_pieces.Add(token.content, i));
    if (!token.normalized) {
      TRY(impl->in_original.Add(token, token.content));
    } else if (impl->parts.normalizer == nullptr) {
      TRY(impl->in_normalized.Add(token, token.content));
    } else {
      AlignedText content(false, budget);
      TRY(impl->parts.normalizer->Apply({token.content, nullptr, 0, true}, content));
      if (budget.exhausted()) return budget.Failure();
      TRY(impl->in_normalized.Add(token, content.text()));
    }
  }
  for (const auto* pieces : {&impl->parts.post_processor.single, &impl->parts.post_processor.pair}) {
    for (const TemplatePiece& piece : *pieces) {
      if (piece.kind != TemplatePiece::Kind::kSpecial || static_cast<size_t>(piece.id) < impl->size) continue;
      return Fail(ErrorCode::kCorrupt, "token {} is to stand around texts, and the highest that there is is {}",
                  piece.id, impl->size - 1);
    }
  }
  return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(impl)));
}

Result<std::vector<TokenId>> Tokenizer::Encode(std::string_view text, const EncodeOptions& options) const {
  const CheckedText checked = TRY(CheckedText::Create(text));
  std::vector<TokenId> ids;
  for (const TemplatePiece& piece : impl_->parts.post_processor.single) {
    if (piece.kind == TemplatePiece::Kind::kFirst) {
      TRY(impl_->Tokenize(checked.text(), options, ids, nullptr));
    } else if (piece.kind == TemplatePiece::Kind::kSpecial && options.add_special_tokens) {
      ids.push_back(piece.id);
    }
  }
  return ids;
}

Result<Encoding> Tokenizer::EncodeWithOffsets(std::string_view text, const EncodeOptions& options) const {
  const Encoding encoding = TRY(impl_->EncodeOne(text, options));
  return impl_->Assemble(impl_->parts.post_processor.single, options.add_special_tokens, encoding, nullptr);
}

Result<Encoding> Tokenizer::EncodePair(std::string_view first, std::string_view second,
                                       const EncodeOptions& options) const {
  const Encoding one = TRY(impl_->EncodeOne(first, options));
  const Encoding two = TRY(impl_->EncodeOne(second, options));
  return impl_->Assemble(impl_->parts.post_processor.pair, options.add_special_tokens, one, &two);
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, bool skip_special_tokens) const {
  StreamingDecoder decoder(*this, skip_special_tokens);
  std::string text;
  for (const TokenId id : ids) text += decoder.Push(id);
  return text + decoder.Finish();
}

size_t Tokenizer::vocabulary_size() const { return impl_->size; }

std::string_view Tokenizer::Piece(TokenId id) const { return impl_->Piece(id); }

std::optional<TokenId> Tokenizer::Find(std::string_view piece) const {
  if (const auto index = impl_->added_pieces.Find(piece)) return impl_->parts.added[static_cast<size_t>(*index)].id;
  return impl_->parts.vocabulary->Find(piece);
}

bool Tokenizer::IsSpecial(TokenId id) const {
  const AddedToken* added = impl_->Added(id);
  return added != nullptr && added->special;
}

const SpecialTokens& Tokenizer::special_tokens() const { return impl_->parts.special; }

struct StreamingDecoder::State final : DecodeStage {
  std::string out;
  std::vector<std::unique_ptr<DecodeStage>> stages;  // the last one first
  DecodeStage& first() { return stages.empty() ? *this : *stages.back(); }

  void Part(std::string_view text) override { out += text; }
  void EndToken() override {}
  void Finish() override {}
};

StreamingDecoder::StreamingDecoder(const Tokenizer& tokenizer, bool skip_special_tokens)
    : tokenizer_(&tokenizer), skip_special_tokens_(skip_special_tokens), state_(std::make_unique<State>()) {
  const std::vector<DecodeStep>& steps = tokenizer.impl_->parts.decoder;
  for (size_t i = steps.size(); i-- > 0;) state_->stages.push_back(steps[i](state_->first()));
}
StreamingDecoder::StreamingDecoder(StreamingDecoder&&) noexcept = default;
StreamingDecoder& StreamingDecoder::operator=(StreamingDecoder&&) noexcept = default;
StreamingDecoder::~StreamingDecoder() = default;

std::string StreamingDecoder::Push(TokenId id) {
  const Tokenizer::Impl& impl = *tokenizer_->impl_;
  const AddedToken* added = impl.Added(id);
  if (added == nullptr && !impl.parts.vocabulary->Contains(id)) return {};
  if (skip_special_tokens_ && added != nullptr && added->special) return {};
  state_->first().Token(id, impl.Piece(id));
  return std::exchange(state_->out, {});
}

std::string StreamingDecoder::Finish() {
  state_->first().Finish();
  return std::exchange(state_->out, {});
}

}  // namespace bothy
