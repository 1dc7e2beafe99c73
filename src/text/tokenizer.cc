#include "text/tokenizer.h"

#include <algorithm>
#include <mutex>

#include "text/added_tokens.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

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

}  // namespace

struct Tokenizer::Impl {
  Parts parts;
  size_t size = 0;
  AddedTokenFinder finder;
  FlatMap<uint32_t, uint32_t> added_by_id;  // index into parts.added
  std::vector<std::string> texts;           // what each token adds to the text, as bytes

  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<TokenModel::Scratch>> idle;  // one for each thread that encodes

  std::unique_ptr<TokenModel::Scratch> Take() const {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return std::make_unique<TokenModel::Scratch>();
    auto scratch = std::move(idle.back());
    idle.pop_back();
    return scratch;
  }
  void Give(std::unique_ptr<TokenModel::Scratch> scratch) const {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(scratch));
  }

  const AddedToken* Added(TokenId id) const {
    const uint32_t* index = added_by_id.Find(static_cast<uint32_t>(id));
    return index != nullptr ? &parts.added[*index] : nullptr;
  }

  Result<void> Run(std::string_view text, const EncodeOptions& options, std::vector<TokenId>& ids,
                   std::vector<ByteSpan>* spans) const;
};

namespace {

class TokenCollector final : public WordSink {
 public:
  TokenCollector(const TokenModel& model, TokenModel::Scratch& scratch, std::vector<TokenId>& ids,
                 std::vector<ByteSpan>* spans)
      : model_(model), scratch_(scratch), ids_(ids), spans_(spans) {}

  void Put(const Word& word) override {
    tokens_.clear();
    model_.Tokenize(word.text, scratch_, tokens_);
    for (const Symbol& token : tokens_) {
      ids_.push_back(token.id);
      if (spans_ != nullptr) spans_->push_back(word.OriginOf(token.begin, token.end));
    }
  }

 private:
  const TokenModel& model_;
  TokenModel::Scratch& scratch_;
  std::vector<TokenId>& ids_;
  std::vector<ByteSpan>* spans_;
  std::vector<Symbol> tokens_;
};

}  // namespace

Result<void> Tokenizer::Impl::Run(std::string_view text, const EncodeOptions& options, std::vector<TokenId>& ids,
                                  std::vector<ByteSpan>* spans) const {
  const bool parse_special = options.special == EncodeOptions::Special::kParse ||
                             (options.special == EncodeOptions::Special::kAsReference && parts.parses_special);
  auto scratch = Take();
  TokenCollector collector(*parts.model, *scratch, ids, spans);
  AddedTokenFinder::Cursor cursor;
  AddedTokenFinder::Match match;
  size_t done = 0;
  while (done < text.size()) {
    if (!finder.Next(text, parse_special, cursor, match)) match = {text.size(), text.size(), nullptr};
    if (match.begin > done) {
      const Word word{text.substr(done, match.begin - done), nullptr, static_cast<uint32_t>(done)};
      if (parts.pre_tokenizer != nullptr) {
        parts.pre_tokenizer->Cut(word, spans != nullptr, collector);
      } else {
        collector.Put(word);
      }
    }
    if (match.token != nullptr) {
      ids.push_back(match.token->id);
      if (spans != nullptr) spans->push_back({static_cast<uint32_t>(match.begin), static_cast<uint32_t>(match.end)});
    }
    done = match.end;
  }
  Give(std::move(scratch));
  if (collector.failed()) return tl::unexpected<Error>(*collector.error());
  return {};
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::Create(Parts parts) {
  auto impl = std::make_unique<Impl>();
  impl->parts = std::move(parts);
  const PieceTable& vocabulary = *impl->parts.vocabulary;
  impl->size = vocabulary.size();
  for (uint32_t i = 0; i < impl->parts.added.size(); i++) {
    const AddedToken& token = impl->parts.added[i];
    impl->size = std::max(impl->size, static_cast<size_t>(token.id) + 1);
    TRY(impl->finder.Add(token, token.content));
    impl->added_by_id.Insert(static_cast<uint32_t>(token.id), i);
  }
  impl->texts.resize(impl->size);
  for (size_t i = 0; i < impl->size; i++) {
    const auto id = static_cast<TokenId>(i);
    const AddedToken* added = impl->Added(id);
    if (added != nullptr) {
      impl->texts[i] = added->content;
    } else if (vocabulary.Contains(id)) {
      impl->texts[i] = FromByteAlphabet(vocabulary[id]).value_or(std::string(vocabulary[id]));
    }
  }
  return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(impl)));
}

namespace {

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

}  // namespace

Result<std::vector<TokenId>> Tokenizer::Encode(std::string_view text, const EncodeOptions& options) const {
  const CheckedText checked = TRY(CheckedText::Create(text));
  std::vector<TokenId> ids;
  if (options.add_special_tokens) ids = impl_->parts.before;
  TRY(impl_->Run(checked.text(), options, ids, nullptr));
  if (options.add_special_tokens) ids.insert(ids.end(), impl_->parts.after.begin(), impl_->parts.after.end());
  return ids;
}

Result<Encoding> Tokenizer::EncodeWithOffsets(std::string_view text, const EncodeOptions& options) const {
  const CheckedText checked = TRY(CheckedText::Create(text));
  Encoding encoding;
  std::vector<ByteSpan> spans;
  if (options.add_special_tokens) {
    encoding.ids = impl_->parts.before;
    spans.resize(encoding.ids.size());
  }
  TRY(impl_->Run(checked.text(), options, encoding.ids, &spans));
  if (options.add_special_tokens) {
    encoding.ids.insert(encoding.ids.end(), impl_->parts.after.begin(), impl_->parts.after.end());
    spans.resize(encoding.ids.size());
  }
  CodePointCounter points(checked.text());
  for (const ByteSpan span : spans) {
    const uint32_t begin = points.At(span.begin);
    encoding.offsets.push_back({begin, points.At(span.end)});
  }
  encoding.type_ids.resize(encoding.ids.size());
  return encoding;
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, bool skip_special_tokens) const {
  StreamingDecoder decoder(*this, skip_special_tokens);
  std::string text;
  for (const TokenId id : ids) text += decoder.Push(id);
  return text + decoder.Finish();
}

size_t Tokenizer::vocabulary_size() const { return impl_->size; }

std::string_view Tokenizer::Piece(TokenId id) const {
  if (const AddedToken* added = impl_->Added(id)) return added->content;
  const PieceTable& vocabulary = *impl_->parts.vocabulary;
  return vocabulary.Contains(id) ? vocabulary[id] : std::string_view();
}

std::optional<TokenId> Tokenizer::Find(std::string_view piece) const {
  for (const AddedToken& token : impl_->parts.added) {
    if (token.content == piece) return token.id;
  }
  return impl_->parts.vocabulary->Find(piece);
}

bool Tokenizer::IsSpecial(TokenId id) const {
  const AddedToken* added = impl_->Added(id);
  return added != nullptr && added->special;
}

const SpecialTokens& Tokenizer::special_tokens() const { return impl_->parts.special; }

struct StreamingDecoder::State {
  std::string pending;
};

StreamingDecoder::StreamingDecoder(const Tokenizer& tokenizer, bool skip_special_tokens)
    : tokenizer_(&tokenizer), skip_special_tokens_(skip_special_tokens), state_(std::make_unique<State>()) {}
StreamingDecoder::StreamingDecoder(StreamingDecoder&&) noexcept = default;
StreamingDecoder& StreamingDecoder::operator=(StreamingDecoder&&) noexcept = default;
StreamingDecoder::~StreamingDecoder() = default;

std::string StreamingDecoder::Push(TokenId id) {
  const Tokenizer::Impl& impl = *tokenizer_->impl_;
  if (id < 0 || static_cast<size_t>(id) >= impl.size) return {};
  if (skip_special_tokens_ && tokenizer_->IsSpecial(id)) return {};
  std::string& pending = state_->pending;
  pending += impl.texts[static_cast<size_t>(id)];
  size_t whole = 0;
  while (whole < pending.size()) {
    const Utf8Prefix prefix = InspectUtf8(std::string_view(pending).substr(whole));
    if (!prefix.complete) break;
    whole += prefix.size;
  }
  std::string out;
  AppendRepairedUtf8(out, std::string_view(pending).substr(0, whole));
  pending.erase(0, whole);
  return out;
}

std::string StreamingDecoder::Finish() {
  std::string out;
  AppendRepairedUtf8(out, state_->pending);
  state_->pending.clear();
  return out;
}

}  // namespace bothy
