#include "text/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "text/byte_alphabet.h"
#include "text/regex.h"
#include "text/unicode.h"
#include "text/unicode_editions.h"

namespace bothy {
namespace {

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<NormalizerPtr> steps) : steps_(std::move(steps)) {}

  bool Keeps(const Word& from) const override {
    return std::ranges::all_of(steps_, [&](const NormalizerPtr& step) { return step->Keeps(from); });
  }

  Result<void> Apply(const Word& from, AlignedText& to) const override {
    AlignedText current(to.tracked(), to.budget()), next(to.tracked(), to.budget());
    Word word = from;
    for (const NormalizerPtr& step : steps_) {
      if (step->Keeps(word)) continue;
      next.Clear();
      TRY(step->Apply(word, next));
      if (to.budget().exhausted()) return {};
      std::swap(current, next);
      word = current.AsWord(from);
    }
    to.Keep(word, 0, word.text.size());
    return {};
  }

 private:
  std::vector<NormalizerPtr> steps_;
};

class Unicode final : public Normalizer {
 public:
  explicit Unicode(UnicodeForm form) : form_(form) {}
  bool Keeps(const Word& from) const override { return IsPlainlyInForm(form_, from.text); }
  Result<void> Apply(const Word& from, AlignedText& to) const override {
    PutInForm(form_, from, to);
    return {};
  }

 private:
  UnicodeForm form_;
};

// A change of every character on its own: `function` puts what stands for it, or skips it.
template <class Function>
class PerCharacter final : public Normalizer {
 public:
  explicit PerCharacter(Function function) : function_(std::move(function)) {}
  Result<void> Apply(const Word& from, AlignedText& to) const override {
    Rewriter rewriter(from, to);
    while (rewriter.at() < from.text.size() && !to.budget().exhausted()) {
      const Utf8Char c = ReadUtf8(from.text.data() + rewriter.at());
      const size_t end = rewriter.at() + c.size;
      function_(c.code, rewriter);
      if (rewriter.at() < end) rewriter.Skip(end - rewriter.at());
    }
    return {};
  }

 private:
  Function function_;
};

template <class Function>
NormalizerPtr Each(Function function) {
  return std::make_unique<PerCharacter<Function>>(std::move(function));
}

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  Result<void> Apply(const Word& from, AlignedText& to) const override {
    size_t begin = 0, end = from.text.size();
    while (left_ && begin < end) {
      const Utf8Char c = ReadUtf8(from.text.data() + begin);
      if (!IsSpace(c.code)) break;
      begin += c.size;
    }
    while (right_ && end > begin) {
      const Utf8Char c = ReadUtf8Before(from.text.data() + end);
      if (!IsSpace(c.code)) break;
      end -= c.size;
    }
    to.Keep(from, begin, end);
    return {};
  }

 private:
  bool left_, right_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string text) : text_(std::move(text)) {}
  Result<void> Apply(const Word& from, AlignedText& to) const override {
    if (!from.text.empty()) to.Put(text_, to.tracked() ? from.OriginOf(0) : ByteSpan{});
    to.Keep(from, 0, from.text.size());
    return {};
  }

 private:
  std::string text_;
};

class Replace final : public Normalizer {
 public:
  Replace(std::string pattern, std::string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}
  Replace(Regex regex, std::string content) : regex_(std::move(regex)), content_(std::move(content)) {}

  bool Keeps(const Word& from) const override {
    return !regex_ && (pattern_.empty() || from.text.find(pattern_) == std::string_view::npos);
  }

  Result<void> Apply(const Word& from, AlignedText& to) const override {
    const std::string_view text = from.text;
    size_t done = 0;
    for (size_t search = 0; search <= text.size() && !to.budget().exhausted();) {
      size_t begin = text.find(pattern_, search), end = begin + pattern_.size();
      if (regex_) {
        const auto match = TRY(regex_->Find(text, search, to.budget()));
        begin = match ? match->begin : std::string_view::npos;
        end = match ? match->end : 0;
      }
      if (begin == std::string_view::npos) break;
      to.Keep(from, done, begin);
      // As in the reference what is put in counts as the last character of what it stands for.
      to.Put(content_, end > 0 && to.tracked() ? from.OriginOf(end - 1) : ByteSpan{});
      done = search = end;
      if (begin == end) search += search < text.size() ? Utf8Size(text[search]) : 1;
    }
    to.Keep(from, done, text.size());
    return {};
  }

 private:
  std::string pattern_;
  std::optional<Regex> regex_;
  std::string content_;
};

// Hugging Face's reading of SentencePiece's table, which goes by grapheme and takes the shortest match where
// SentencePiece takes the longest.
class Precompiled final : public Normalizer {
 public:
  explicit Precompiled(Charsmap map) : map_(std::move(map)) {}

  Result<void> Apply(const Word& from, AlignedText& to) const override {
    const std::string_view text = from.text;
    std::vector<std::pair<char32_t, int>> changes;
    bool modified = false;
    for (size_t begin = 0; begin < text.size();) {
      size_t end = begin;
      utf8proc_int32_t state = 0;
      Utf8Char c = ReadUtf8(text.data() + begin);
      do {
        end += c.size;
        if (end == text.size()) break;
        const Utf8Char next = ReadUtf8(text.data() + end);
        if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(c.code),
                                             static_cast<utf8proc_int32_t>(next.code), &state)) {
          break;
        }
        c = next;
      } while (true);
      const std::string_view grapheme = text.substr(begin, end - begin);
      begin = end;
      if (grapheme.size() < 6) {
        if (const auto match = map_.Shortest(grapheme)) {
          if (!to.budget().TakeBytes(match->replacement.size())) return {};
          Put(grapheme, match->replacement, changes);
          modified = true;
          continue;
        }
      }
      for (size_t i = 0; i < grapheme.size();) {
        const Utf8Char part = ReadUtf8(grapheme.data() + i);
        if (const auto match = map_.Shortest(grapheme.substr(i, part.size))) {
          if (!to.budget().TakeBytes(match->replacement.size())) return {};
          Put(grapheme.substr(i, part.size), match->replacement, changes);
          modified = true;
        } else {
          changes.emplace_back(part.code, 0);
        }
        i += part.size;
      }
    }
    if (!modified) {
      to.Keep(from, 0, text.size());
      return {};
    }
    Rewriter rewriter(from, to);
    for (const auto& [code, change] : changes) rewriter.Put(code, change);
    return {};
  }

 private:
  static void Put(std::string_view old, std::string_view replacement, std::vector<std::pair<char32_t, int>>& changes) {
    int added = -static_cast<int>(CountUtf8(old));
    for (size_t i = 0; i < replacement.size();) {
      const Utf8Char c = ReadUtf8(replacement.data() + i);
      changes.emplace_back(c.code, 0);
      i += c.size;
      added++;
    }
    if (added < 0 && !changes.empty()) changes.back().second += added;
    for (size_t i = 0; added > 0 && i < changes.size() && i < static_cast<size_t>(added); i++) {
      changes[changes.size() - 1 - i].second = 1;
    }
  }

  Charsmap map_;
};

bool IsAccent(char32_t code, bool only_nonspacing) {
  const Category category = CategoryOf(code);
  if (!only_nonspacing) return IsMark(category);
  return category == Category::kMn && !internal::IsIn(internal::kYoungMarks, code);
}

bool IsNmtRemoved(char32_t c) {
  return (c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}

bool IsNmtSpace(char32_t c) {
  return c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) || c == 0x2028 ||
         c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

bool IsControl(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  const Category category = CategoryOf(c);
  return category == Category::kCc || category == Category::kCf || category == Category::kCo;
}

bool IsIdeograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

}  // namespace

NormalizerPtr NormalizerSequence(std::vector<NormalizerPtr> steps) {
  return std::make_unique<Sequence>(std::move(steps));
}

NormalizerPtr UnicodeNormalizer(UnicodeForm form) { return std::make_unique<Unicode>(form); }

NormalizerPtr LowercaseNormalizer() {
  return Each([](char32_t c, Rewriter& rewriter) {
    if (c == 0x130) {  // the one letter whose small form is two characters
      rewriter.Put('i', 0);
      rewriter.Put(0x307, 1);
    } else {
      rewriter.Put(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))), 0);
    }
  });
}

NormalizerPtr StripNormalizer(bool left, bool right) { return std::make_unique<Strip>(left, right); }

NormalizerPtr StripAccentsNormalizer(bool only_nonspacing) {
  return Each([only_nonspacing](char32_t c, Rewriter& rewriter) {
    if (!IsAccent(c, only_nonspacing)) rewriter.Put(c, 0);
  });
}

NormalizerPtr PrependNormalizer(std::string text) { return std::make_unique<Prepend>(std::move(text)); }

NormalizerPtr ByteLevelNormalizer() {
  return Each([](char32_t c, Rewriter& rewriter) {
    std::string bytes;
    AppendUtf8(bytes, c);
    for (size_t i = 0; i < bytes.size(); i++) rewriter.Put(CharOfByte(static_cast<uint8_t>(bytes[i])), i > 0 ? 1 : 0);
  });
}

NormalizerPtr NmtNormalizer() {
  return Each([](char32_t c, Rewriter& rewriter) {
    if (!IsNmtRemoved(c)) rewriter.Put(IsNmtSpace(c) ? U' ' : c, 0);
  });
}

NormalizerPtr CleanTextNormalizer() {
  return Each([](char32_t c, Rewriter& rewriter) {
    if (c == 0 || c == 0xFFFD || IsControl(c)) return;
    rewriter.Put(IsSpace(c) ? U' ' : c, 0);
  });
}

NormalizerPtr SpacedCjkNormalizer() {
  return Each([](char32_t c, Rewriter& rewriter) {
    if (!IsIdeograph(c)) return rewriter.Put(c, 0);
    rewriter.Put(' ', 0);
    rewriter.Put(c, 1);
    rewriter.Put(' ', 1);
  });
}

NormalizerPtr CharsmapNormalizer(Charsmap map) { return std::make_unique<Precompiled>(std::move(map)); }

NormalizerPtr ReplaceNormalizer(std::string pattern, std::string content) {
  return std::make_unique<Replace>(std::move(pattern), std::move(content));
}

Result<NormalizerPtr> ReplaceRegexNormalizer(std::string_view pattern, std::string content) {
  return std::make_unique<Replace>(TRY(Regex::Compile(pattern)), std::move(content));
}

}  // namespace bothy
