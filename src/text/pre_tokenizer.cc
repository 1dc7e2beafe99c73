#include "text/pre_tokenizer.h"

#include "text/byte_alphabet.h"
#include "text/regex.h"
#include "text/scanners.h"
#include "text/unicode.h"
#include "text/unicode_editions.h"

namespace bothy {
namespace {

class Sequence final : public PreTokenizer {
 public:
  explicit Sequence(std::vector<PreTokenizerPtr> steps) : steps_(std::move(steps)) {}

  void Cut(const Word& piece, bool tracked, WordSink& sink) const override { Run(piece, tracked, 0, sink); }

 private:
  class Next final : public WordSink {
   public:
    Next(const Sequence& sequence, bool tracked, size_t step, WordSink& last)
        : WordSink(last.budget()), sequence_(sequence), tracked_(tracked), step_(step), last_(last) {}
    void Put(const Word& word) override { sequence_.Run(word, tracked_, step_, last_); }

   private:
    const Sequence& sequence_;
    bool tracked_;
    size_t step_;
    WordSink& last_;
  };

  void Run(const Word& piece, bool tracked, size_t step, WordSink& sink) const {
    if (sink.budget().exhausted()) return;
    if (step == steps_.size()) return sink.Put(piece);
    if (step + 1 == steps_.size()) return steps_[step]->Cut(piece, tracked, sink);
    Next next(*this, tracked, step + 1, sink);
    steps_[step]->Cut(piece, tracked, next);
    if (next.error()) sink.Fail(*next.error());
  }

  std::vector<PreTokenizerPtr> steps_;
};

// Joins the parts that a pattern makes of a piece, which come from left to right, as a behaviour wants it.
class Joiner {
 public:
  Joiner(const Word& piece, SplitBehavior behavior, WordSink& sink) : piece_(piece), behavior_(behavior), sink_(sink) {}

  void Add(size_t begin, size_t end, bool matches) {
    switch (behavior_) {
      case SplitBehavior::kRemoved:
        if (!matches) Put(begin, end);
        return;
      case SplitBehavior::kIsolated: Put(begin, end); return;
      case SplitBehavior::kContiguous:
        if (matches != matched_) Flush();
        break;
      case SplitBehavior::kMergedWithPrevious:
        if (!matches || matched_) Flush();
        break;
      case SplitBehavior::kMergedWithNext:
        if (matches || !matched_) Flush();
        break;
    }
    if (begin_ == end_) begin_ = begin;
    end_ = end;
    matched_ = matches;
  }
  void Finish() { Flush(); }

 private:
  void Flush() {
    Put(begin_, end_);
    begin_ = end_;
  }
  void Put(size_t begin, size_t end) {
    if (end > begin) sink_.Put(piece_.Part(begin, end));
  }

  const Word& piece_;
  SplitBehavior behavior_;
  WordSink& sink_;
  size_t begin_ = 0, end_ = 0;  // what is held back
  bool matched_ = false;        // whether the last part matched
};

struct Place {
  size_t begin = 0, end = 0;
};

// Finds the next match of something at or behind `from`.
struct RegexFinder {
  Regex regex;
  Result<std::optional<Place>> operator()(std::string_view text, size_t from, TextBudget& budget) const {
    const auto match = TRY(regex.Find(text, from, budget));
    if (!match) return std::nullopt;
    return Place{match->begin, match->end};
  }
};

struct TextFinder {
  std::string wanted;
  Result<std::optional<Place>> operator()(std::string_view text, size_t from, TextBudget&) const {
    const size_t found = wanted.empty() ? std::string_view::npos : text.find(wanted, from);
    if (found == std::string_view::npos) return std::nullopt;
    return Place{found, found + wanted.size()};
  }
};

struct CharacterFinder {
  bool (*wanted)(char32_t);
  Result<std::optional<Place>> operator()(std::string_view text, size_t from, TextBudget&) const {
    for (size_t at = from; at < text.size();) {
      const Utf8Char c = ReadUtf8(text.data() + at);
      if (wanted(c.code)) return Place{at, at + c.size};
      at += c.size;
    }
    return std::nullopt;
  }
};

template <class Finder>
class Split final : public PreTokenizer {
 public:
  Split(Finder finder, SplitBehavior behavior, bool invert)
      : finder_(std::move(finder)), behavior_(behavior), invert_(invert) {}

  void Cut(const Word& piece, bool, WordSink& sink) const override {
    const std::string_view text = piece.text;
    Joiner joiner(piece, behavior_, sink);
    size_t done = 0;
    for (size_t search = 0; search <= text.size();) {
      auto found = finder_(text, search, sink.budget());
      if (!found) return sink.Fail(std::move(found).error());
      if (!*found) break;
      const Place match = **found;
      if (match.begin > done) joiner.Add(done, match.begin, invert_);
      if (match.end > match.begin) joiner.Add(match.begin, match.end, !invert_);
      done = search = match.end;
      // An empty match is a place to cut; the search goes on behind the next character.
      if (match.end == match.begin) search += search < text.size() ? Utf8Size(text[search]) : 1;
    }
    if (done < text.size()) joiner.Add(done, text.size(), invert_);
    joiner.Finish();
  }

 private:
  Finder finder_;
  SplitBehavior behavior_;
  bool invert_;
};

template <class Finder>
PreTokenizerPtr MakeSplit(Finder finder, SplitBehavior behavior, bool invert) {
  return std::make_unique<Split<Finder>>(std::move(finder), behavior, invert);
}

class ScannerSplit final : public PreTokenizer {
 public:
  explicit ScannerSplit(WordScanner scanner) : scanner_(scanner) {}

  void Cut(const Word& piece, bool, WordSink& sink) const override {
    for (size_t begin = 0; begin < piece.text.size();) {
      const size_t end = scanner_(piece.text, begin);
      sink.Put(piece.Part(begin, end));
      begin = end;
    }
  }

 private:
  WordScanner scanner_;
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(size_t characters) : characters_(characters) {}

  void Cut(const Word& piece, bool, WordSink& sink) const override {
    for (size_t begin = 0; begin < piece.text.size();) {
      size_t end = begin;
      for (size_t i = 0; i < characters_ && end < piece.text.size(); i++) end += Utf8Size(piece.text[end]);
      sink.Put(piece.Part(begin, end));
      begin = end;
    }
  }

 private:
  size_t characters_;
};

// What a step made of `piece`, unless the budget ended before it was done.
void PutWhole(const AlignedText& text, const Word& piece, WordSink& sink) {
  if (!sink.budget().exhausted()) sink.Put(text.AsWord(piece));
}

class PrefixSpace final : public PreTokenizer {
 public:
  void Cut(const Word& piece, bool tracked, WordSink& sink) const override {
    if (piece.text.starts_with(' ')) return sink.Put(piece);
    AlignedText text(tracked, sink.budget());
    text.Put(" ", tracked ? piece.OriginOf(0) : ByteSpan{});
    text.Keep(piece, 0, piece.text.size());
    PutWhole(text, piece, sink);
  }
};

class BytesAlphabet final : public PreTokenizer {
 public:
  void Cut(const Word& piece, bool tracked, WordSink& sink) const override {
    AlignedText text(tracked, sink.budget());
    for (size_t i = 0; i < piece.text.size(); i++) {
      text.Put(CharOfByte(static_cast<uint8_t>(piece.text[i])), tracked ? piece.OriginOf(i) : ByteSpan{});
    }
    PutWhole(text, piece, sink);
  }
};

class MetaspaceCutter final : public PreTokenizer {
 public:
  MetaspaceCutter(std::string replacement, PrependScheme scheme, bool split)
      : replacement_(std::move(replacement)), scheme_(scheme), split_(split) {}

  void Cut(const Word& piece, bool tracked, WordSink& sink) const override {
    AlignedText text(tracked, sink.budget());
    const bool prepend = scheme_ == PrependScheme::kAlways || (scheme_ == PrependScheme::kFirst && piece.first);
    if (prepend && !piece.text.starts_with(' ') && !piece.text.starts_with(replacement_)) {
      text.Put(replacement_, tracked ? piece.OriginOf(0) : ByteSpan{});
    }
    for (size_t done = 0; done < piece.text.size();) {
      const size_t space = std::min(piece.text.find(' ', done), piece.text.size());
      text.Keep(piece, done, space);
      if (space < piece.text.size()) text.Put(replacement_, tracked ? piece.OriginOf(space) : ByteSpan{});
      done = space + 1;
    }
    if (!split_) return PutWhole(text, piece, sink);
    if (sink.budget().exhausted()) return;
    const Word word = text.AsWord(piece);
    Split<TextFinder>({replacement_}, SplitBehavior::kMergedWithNext, false).Cut(word, tracked, sink);
  }

 private:
  std::string replacement_;
  PrependScheme scheme_;
  bool split_;
};

bool IsDigit(char32_t c) { return KindOf(c) == CharKind::kNumber; }

bool IsAnyPunctuation(char32_t c) {
  if (c < 0x80) return (c > 0x20 && c < 0x7F) && !IsWord(c) ? true : c == '_';
  return IsPunctuation(CategoryOf(c)) != internal::IsIn(internal::kChangedPunctuation, c);
}

// Runs of word characters, runs of what is neither that nor white space; white space goes.
class WordsAndSigns final : public PreTokenizer {
 public:
  void Cut(const Word& piece, bool, WordSink& sink) const override {
    size_t begin = 0;
    int kind = kSpace;
    for (size_t at = 0; at < piece.text.size();) {
      const Utf8Char c = ReadUtf8(piece.text.data() + at);
      const int next = IsWord(c.code) || c.code == 0x200C || c.code == 0x200D ? kWord
                       : IsSpace(c.code)                                      ? kSpace
                                                                              : kSign;
      if (next != kind) {
        if (kind != kSpace) sink.Put(piece.Part(begin, at));
        begin = at;
        kind = next;
      }
      at += c.size;
    }
    if (kind != kSpace) sink.Put(piece.Part(begin, piece.text.size()));
  }

 private:
  enum { kSpace, kWord, kSign };
};

// Scripts that a model's text may be in; kana count as Han, as in the reference.
constexpr std::string_view kScripts[] = {"Adlam",
                                         "Ahom",
                                         "Arabic",
                                         "Armenian",
                                         "Avestan",
                                         "Balinese",
                                         "Bamum",
                                         "Batak",
                                         "Bengali",
                                         "Bopomofo",
                                         "Brahmi",
                                         "Braille",
                                         "Buginese",
                                         "Buhid",
                                         "Canadian_Aboriginal",
                                         "Chakma",
                                         "Cham",
                                         "Cherokee",
                                         "Common",
                                         "Coptic",
                                         "Cuneiform",
                                         "Cypriot",
                                         "Cyrillic",
                                         "Deseret",
                                         "Devanagari",
                                         "Egyptian_Hieroglyphs",
                                         "Ethiopic",
                                         "Georgian",
                                         "Glagolitic",
                                         "Gothic",
                                         "Greek",
                                         "Gujarati",
                                         "Gurmukhi",
                                         "Hangul",
                                         "Hanunoo",
                                         "Hebrew",
                                         "Inherited",
                                         "Javanese",
                                         "Kannada",
                                         "Kayah_Li",
                                         "Kharoshthi",
                                         "Khmer",
                                         "Lao",
                                         "Latin",
                                         "Lepcha",
                                         "Limbu",
                                         "Linear_A",
                                         "Linear_B",
                                         "Lisu",
                                         "Malayalam",
                                         "Mandaic",
                                         "Meetei_Mayek",
                                         "Mongolian",
                                         "Myanmar",
                                         "New_Tai_Lue",
                                         "Nko",
                                         "Ogham",
                                         "Ol_Chiki",
                                         "Old_Italic",
                                         "Old_Persian",
                                         "Old_Turkic",
                                         "Oriya",
                                         "Osage",
                                         "Osmanya",
                                         "Phags_Pa",
                                         "Phoenician",
                                         "Rejang",
                                         "Runic",
                                         "Samaritan",
                                         "Saurashtra",
                                         "Shavian",
                                         "Sinhala",
                                         "Sundanese",
                                         "Syloti_Nagri",
                                         "Syriac",
                                         "Tagalog",
                                         "Tagbanwa",
                                         "Tai_Le",
                                         "Tai_Tham",
                                         "Tai_Viet",
                                         "Tamil",
                                         "Telugu",
                                         "Thaana",
                                         "Thai",
                                         "Tibetan",
                                         "Tifinagh",
                                         "Ugaritic",
                                         "Vai",
                                         "Yi"};

}  // namespace

PreTokenizerPtr PreTokenizerSequence(std::vector<PreTokenizerPtr> steps) {
  if (steps.size() == 1) return std::move(steps[0]);
  return std::make_unique<Sequence>(std::move(steps));
}

Result<PreTokenizerPtr> SplitByRegex(std::string_view pattern, SplitBehavior behavior, bool invert, bool scanners) {
  // These patterns match all of a text, so that inverting and removing has nothing to work on but the whole.
  if (scanners && !invert && behavior == SplitBehavior::kIsolated) {
    if (const WordScanner scanner = FindScanner(pattern)) return std::make_unique<ScannerSplit>(scanner);
  }
  return MakeSplit(RegexFinder{TRY(Regex::Compile(pattern))}, behavior, invert);
}

PreTokenizerPtr SplitByText(std::string text, SplitBehavior behavior, bool invert) {
  return MakeSplit(TextFinder{std::move(text)}, behavior, invert);
}

PreTokenizerPtr SplitDigits(bool individual) {
  return MakeSplit(CharacterFinder{IsDigit}, individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous, false);
}

PreTokenizerPtr SplitPunctuation(SplitBehavior behavior) {
  return MakeSplit(CharacterFinder{IsAnyPunctuation}, behavior, false);
}

PreTokenizerPtr SplitWhitespace() { return MakeSplit(CharacterFinder{IsSpace}, SplitBehavior::kRemoved, false); }

PreTokenizerPtr SplitWords() { return std::make_unique<WordsAndSigns>(); }

PreTokenizerPtr SplitFixedLength(size_t characters) { return std::make_unique<FixedLength>(characters); }

Result<PreTokenizerPtr> SplitScripts() {
  // Spaces belong to whatever script stands before them.
  std::string pattern =
      R"([\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u30FC][\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u30FC ]*)";
  for (const std::string_view script : kScripts) {
    const bool common = script == "Common";
    const std::string members = common ? R"(\p{Script=Common}&&[^ \u30FC])" : fmt::format("\\p{{Script={}}}", script);
    pattern += common ? fmt::format("|[{0}](?:[{0}]| )*", members) : fmt::format("|[{0}][{0} ]*", members);
  }
  return SplitByRegex(pattern, SplitBehavior::kRemoved, true);
}

PreTokenizerPtr AddPrefixSpace() { return std::make_unique<PrefixSpace>(); }

PreTokenizerPtr ToBytesAlphabet() { return std::make_unique<BytesAlphabet>(); }

PreTokenizerPtr Metaspace(std::string replacement, PrependScheme scheme, bool split) {
  return std::make_unique<MetaspaceCutter>(std::move(replacement), scheme, split);
}

}  // namespace bothy
