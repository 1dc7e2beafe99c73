#include "text/decoder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "text/byte_alphabet.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace bothy {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  std::string out;
  size_t done = 0;
  for (size_t found; (found = text.find(from, done)) != std::string::npos; done = found + from.size()) {
    out.append(text, done, found - done).append(to);
  }
  if (done == 0) return;
  out.append(text, done);
  text = std::move(out);
}

// The byte that <0x0A> stands for.
std::optional<char> ByteOfPiece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  int value = 0;
  for (const char c : piece.substr(3, 2)) {
    const auto digit = static_cast<uint8_t>(c);
    if (std::isxdigit(digit) == 0) return std::nullopt;
    value = value * 16 + (std::isdigit(digit) != 0 ? digit - '0' : (digit | 0x20) - 'a' + 10);
  }
  return static_cast<char>(value);
}

// Stages that look at whole tokens: OnToken gets each.
class TokenStage : public DecodeStage {
 public:
  explicit TokenStage(DecodeStage& next) : next_(next) {}
  void Part(std::string_view text) final { token_ += text; }
  void EndToken() final {
    OnToken(token_);
    token_.clear();
  }
  void Finish() override { next_.Finish(); }

 protected:
  virtual void OnToken(std::string& token) = 0;
  void Send(std::string_view token) {
    next_.Part(token);
    next_.EndToken();
  }
  DecodeStage& next_;

 private:
  std::string token_;
};

// Changes each token on its own.
template <class Function>
class MapStage final : public TokenStage {
 public:
  MapStage(Function function, DecodeStage& next) : TokenStage(next), function_(std::move(function)) {}

 private:
  void OnToken(std::string& token) override {
    if (function_(token, number_++)) Send(token);
  }
  void Finish() override {
    number_ = 0;
    TokenStage::Finish();
  }
  Function function_;
  size_t number_ = 0;
};

// `function`(token, number): changes the token; false drops it.
template <class Function>
DecodeStep Map(Function function) {
  return [function = std::move(function)](DecodeStage& next) -> std::unique_ptr<DecodeStage> {
    return std::make_unique<MapStage<Function>>(function, next);
  };
}

template <class Stage, class... Options>
DecodeStep Make(Options... options) {
  return [... options = std::move(options)](DecodeStage& next) -> std::unique_ptr<DecodeStage> {
    return std::make_unique<Stage>(options..., next);
  };
}

// Replaces text also across the parts of a long token: holds back only what may be the beginning of a match.
class ReplaceStage final : public DecodeStage {
 public:
  ReplaceStage(std::string pattern, std::string content, DecodeStage& next)
      : pattern_(std::move(pattern)), content_(std::move(content)), next_(next) {}

  void Part(std::string_view text) override {
    held_ += text;
    if (pattern_.empty()) return Release(held_.size());
    size_t done = 0;
    for (size_t found; (found = held_.find(pattern_, done)) != std::string::npos; done = found + pattern_.size()) {
      next_.Part(std::string_view(held_).substr(done, found - done));
      next_.Part(content_);
    }
    held_.erase(0, done);
    size_t keep = std::min(held_.size(), pattern_.size() - 1);
    while (keep > 0 && !held_.ends_with(std::string_view(pattern_).substr(0, keep))) keep--;
    Release(held_.size() - keep);
  }
  void EndToken() override {
    Release(held_.size());
    next_.EndToken();
  }
  void Finish() override { next_.Finish(); }

 private:
  void Release(size_t count) {
    next_.Part(std::string_view(held_).substr(0, count));
    held_.erase(0, count);
  }

  std::string pattern_, content_, held_;
  DecodeStage& next_;
};

class ByteFallbackStage final : public TokenStage {
 public:
  explicit ByteFallbackStage(DecodeStage& next) : TokenStage(next) {}

 private:
  void OnToken(std::string& token) override {
    if (const auto byte = ByteOfPiece(token)) {
      bytes_.push_back(*byte);
      return;
    }
    Flush();
    Send(token);
  }
  void Finish() override {
    Flush();
    TokenStage::Finish();
  }
  void Flush() {
    if (bytes_.empty()) return;
    if (FindInvalidUtf8(bytes_) == std::string::npos) {
      Send(bytes_);
    } else {
      for (size_t i = 0; i < bytes_.size(); i++) Send(kReplacement);
    }
    bytes_.clear();
  }

  std::string bytes_;
};

class FuseStage final : public DecodeStage {
 public:
  explicit FuseStage(DecodeStage& next) : next_(next) {}
  void Part(std::string_view text) override { next_.Part(text); }
  void EndToken() override {}
  void Finish() override {
    next_.EndToken();
    next_.Finish();
  }

 private:
  DecodeStage& next_;
};

class StripStage final : public DecodeStage {
 public:
  StripStage(std::string content, size_t start, size_t stop, DecodeStage& next)
      : content_(std::move(content)), start_(start), stop_(stop), next_(next) {}

  void Part(std::string_view text) override {
    held_ += text;
    while (skipped_ < start_ && held_.size() >= content_.size()) {
      if (!held_.starts_with(content_)) {
        skipped_ = start_;
        break;
      }
      held_.erase(0, content_.size());
      skipped_++;
    }
    if (skipped_ < start_) return;
    // What stands at the end may have to go.
    size_t keep = 0, count = 0;
    while (count < stop_ && std::string_view(held_).substr(0, held_.size() - keep).ends_with(content_)) {
      keep += content_.size();
      count++;
    }
    next_.Part(std::string_view(held_).substr(0, held_.size() - keep));
    held_.erase(0, held_.size() - keep);
  }
  void EndToken() override {
    if (skipped_ < start_) next_.Part(held_);  // shorter than the content
    held_.clear();
    skipped_ = 0;
    next_.EndToken();
  }
  void Finish() override { next_.Finish(); }

 private:
  std::string content_;
  size_t start_, stop_;
  DecodeStage& next_;
  std::string held_;
  size_t skipped_ = 0;
};

class ByteLevelStage final : public TokenStage {
 public:
  explicit ByteLevelStage(DecodeStage& next) : TokenStage(next) {}

 private:
  void OnToken(std::string& token) override {
    const auto bytes = FromByteAlphabet(token);
    pending_ += bytes ? *bytes : token;
    size_t whole = 0;
    while (whole < pending_.size()) {
      const Utf8Prefix prefix = InspectUtf8(std::string_view(pending_).substr(whole));
      if (!prefix.complete) break;
      whole += prefix.size;
    }
    Release(whole);
  }
  void Finish() override {
    Release(pending_.size());
    next_.EndToken();
    next_.Finish();
  }
  void Release(size_t count) {
    repaired_.clear();
    AppendRepairedUtf8(repaired_, std::string_view(pending_).substr(0, count));
    pending_.erase(0, count);
    next_.Part(repaired_);
  }

  std::string pending_, repaired_;
};

// Waits for the next token to know whether this was the last.
class EndOfWordStage final : public TokenStage {
 public:
  EndOfWordStage(std::string suffix, DecodeStage& next) : TokenStage(next), suffix_(std::move(suffix)) {}

 private:
  void OnToken(std::string& token) override {
    Flush(" ");
    held_ = token;
  }
  void Finish() override {
    Flush("");
    TokenStage::Finish();
  }
  void Flush(std::string_view instead) {
    if (!held_) return;
    ReplaceAll(*held_, suffix_, instead);
    Send(*held_);
    held_.reset();
  }

  std::string suffix_;
  std::optional<std::string> held_;
};

struct Cleanup {
  std::string_view from, to;
};
// English punctuation, as the reference joins it.
constexpr std::array kCleanups = {Cleanup{" .", "."},     Cleanup{" ?", "?"},           Cleanup{" !", "!"},
                                  Cleanup{" ,", ","},     Cleanup{" ' ", "'"},          Cleanup{" n't", "n't"},
                                  Cleanup{" 'm", "'m"},   Cleanup{" do not", " don't"}, Cleanup{" 's", "'s"},
                                  Cleanup{" 've", "'ve"}, Cleanup{" 're", "'re"}};

void CleanUp(std::string& token) {
  for (const Cleanup& c : kCleanups) ReplaceAll(token, c.from, c.to);
}

class CtcStage final : public TokenStage {
 public:
  CtcStage(std::string pad, std::string word_delimiter, bool cleanup, DecodeStage& next)
      : TokenStage(next), pad_(std::move(pad)), word_delimiter_(std::move(word_delimiter)), cleanup_(cleanup) {}

 private:
  void OnToken(std::string& token) override {
    if (token == last_) return;
    last_ = token;
    ReplaceAll(token, pad_, "");
    if (cleanup_) {
      CleanUp(token);
      ReplaceAll(token, word_delimiter_, " ");
    }
    if (!token.empty()) Send(token);
  }
  void Finish() override {
    last_.reset();
    TokenStage::Finish();
  }

  std::string pad_, word_delimiter_;
  bool cleanup_;
  std::optional<std::string> last_;
};

class TrimStage final : public DecodeStage {
 public:
  explicit TrimStage(DecodeStage& next) : next_(next) {}
  void Part(std::string_view text) override {
    for (size_t i = 0; i < text.size();) {
      const Utf8Char c = ReadUtf8(text.data() + i);
      const std::string_view bytes = text.substr(i, c.size);
      i += c.size;
      if (IsSpace(c.code) || (c.code >= 0x1C && c.code <= 0x1F)) {  // what Python's strip takes
        if (started_) spaces_ += bytes;
        continue;
      }
      started_ = true;
      next_.Part(spaces_);
      spaces_.clear();
      next_.Part(bytes);
    }
  }
  void EndToken() override {}
  void Finish() override {
    started_ = false;
    spaces_.clear();
    next_.EndToken();
    next_.Finish();
  }

 private:
  DecodeStage& next_;
  bool started_ = false;
  std::string spaces_;
};

class SentencePieceStage final : public DecodeStage {
 public:
  SentencePieceStage(SentencePieceDecoding options, DecodeStage& next) : options_(std::move(options)), next_(next) {}

  void Token(TokenId id, std::string_view text) override {
    if (const int byte = options_.byte_of(id); byte >= 0) {
      bytes_.push_back(static_cast<char>(byte));
      ReleaseBytes(false);
      return;
    }
    ReleaseBytes(true);
    if (options_.is_control(id)) return;
    if (options_.is_unknown(id)) return Put(options_.unknown_surface);
    if (at_beginning_ && options_.strips_first_space && text.starts_with(kSpaceSymbol)) {
      text.remove_prefix(kSpaceSymbol.size());
      if (!options_.strips_all_first_spaces) at_beginning_ = false;
    }
    std::string surface(text);
    ReplaceAll(surface, kSpaceSymbol, " ");
    Put(surface);
  }
  void Part(std::string_view text) override { Put(text); }
  void EndToken() override {}
  void Finish() override {
    ReleaseBytes(true);
    at_beginning_ = true;
    next_.EndToken();
    next_.Finish();
  }

 private:
  void Put(std::string_view text) {
    if (!text.empty()) at_beginning_ = false;
    next_.Part(text);
  }
  // Passes on whole characters, and U+FFFD for each byte that belongs to none. `all`: no more bytes follow.
  void ReleaseBytes(bool all) {
    size_t done = 0;
    while (done < bytes_.size()) {
      const std::string_view rest = std::string_view(bytes_).substr(done);
      const Utf8Prefix prefix = InspectUtf8(rest);
      if (!prefix.complete && !all) break;
      Put(prefix.valid ? rest.substr(0, prefix.size) : kReplacement);
      done += prefix.valid ? prefix.size : 1;
    }
    bytes_.erase(0, done);
  }

  SentencePieceDecoding options_;
  DecodeStage& next_;
  std::string bytes_;
  bool at_beginning_ = true;
};

}  // namespace

DecodeStep ReplaceDecoder(std::string pattern, std::string content) {
  return Make<ReplaceStage>(std::move(pattern), std::move(content));
}

DecodeStep ReplaceRegexDecoder(std::shared_ptr<const Regex> regex, std::string content) {
  return Map([regex = std::move(regex), content = std::move(content)](std::string& token, size_t) {
    // Nobody is told here where a pattern searches without end; the token stays as it is from there on.
    constexpr uint64_t kMoreSteps = 100'000;
    TextBudget budget(token.size(), kMoreSteps);
    std::string out;
    size_t done = 0;
    for (size_t search = 0; search <= token.size();) {
      const auto found = regex->Find(token, search, budget);
      if (!found || !*found) break;
      const Regex::Match match = **found;
      out.append(token, done, match.begin - done).append(content);
      done = search = match.end;
      if (match.begin == match.end) search += search < token.size() ? Utf8Size(token[search]) : 1;
    }
    out.append(token, done);
    token = std::move(out);
    return true;
  });
}

DecodeStep ByteFallbackDecoder() { return Make<ByteFallbackStage>(); }

DecodeStep FuseDecoder() { return Make<FuseStage>(); }

DecodeStep StripDecoder(std::string content, size_t start, size_t stop) {
  return Make<StripStage>(std::move(content), start, stop);
}

DecodeStep ByteLevelDecoder() { return Make<ByteLevelStage>(); }

DecodeStep MetaspaceDecoder(std::string replacement, bool drop_first) {
  return Map([replacement = std::move(replacement), drop_first](std::string& token, size_t number) {
    ReplaceAll(token, replacement, number == 0 && drop_first ? "" : " ");
    return true;
  });
}

DecodeStep WordPieceDecoder(std::string prefix, bool cleanup) {
  return Map([prefix = std::move(prefix), cleanup](std::string& token, size_t number) {
    if (number > 0) {
      if (token.starts_with(prefix)) {
        token.erase(0, prefix.size());
      } else {
        token.insert(0, " ");
      }
    }
    if (cleanup) CleanUp(token);
    return true;
  });
}

DecodeStep EndOfWordDecoder(std::string suffix) { return Make<EndOfWordStage>(std::move(suffix)); }

DecodeStep CtcDecoder(std::string pad, std::string word_delimiter, bool cleanup) {
  return Make<CtcStage>(std::move(pad), std::move(word_delimiter), cleanup);
}

DecodeStep TrimDecoder() { return Make<TrimStage>(); }

DecodeStep JoinDecoder(std::string separator) {
  return Map([separator = std::move(separator)](std::string& token, size_t number) {
    if (number > 0) token.insert(0, separator);
    return true;
  });
}

DecodeStep SentencePieceDecoder(SentencePieceDecoding options) { return Make<SentencePieceStage>(std::move(options)); }

}  // namespace bothy
