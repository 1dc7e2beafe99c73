// Cuts text into the words that the model then cuts into tokens: the pre_tokenizer of tokenizer.json.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "text/aligned_text.h"

namespace bothy {

// Takes words, one after the other.
class WordSink {
 public:
  // `budget`: of the text that is cut.
  explicit WordSink(TextBudget& budget) : budget_(budget) {}
  virtual ~WordSink() = default;
  // The word is not empty and lives only for the call.
  virtual void Put(const Word& word) = 0;

  TextBudget& budget() const { return budget_; }

  // What went wrong first; what is put afterwards does not matter.
  void Fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  TextBudget& budget_;
  std::optional<Error> error_;
};

class PreTokenizer {  // Safe on several threads.
 public:
  virtual ~PreTokenizer() = default;
  // `tracked`: whether words that are no longer pieces of the original need their origin. A piece is not empty.
  virtual void Cut(const Word& piece, bool tracked, WordSink& sink) const = 0;
};

using PreTokenizerPtr = std::unique_ptr<PreTokenizer>;

// What becomes of the parts that match: they go, stand alone, join the part before or behind, or join other matches.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// How Metaspace marks the beginning of a text.
enum class PrependScheme { kAlways, kNever, kFirst };

PreTokenizerPtr PreTokenizerSequence(std::vector<PreTokenizerPtr> steps);
// `invert`: what the pattern does not match counts as matching. Famous patterns get a scanner of their own
// (split_patterns.h); `scanners` false does without.
Result<PreTokenizerPtr> SplitByRegex(std::string_view pattern, SplitBehavior behavior, bool invert,
                                     bool scanners = true);
PreTokenizerPtr SplitByText(std::string text, SplitBehavior behavior, bool invert);
PreTokenizerPtr SplitDigits(bool individual);
PreTokenizerPtr SplitPunctuation(SplitBehavior behavior);
PreTokenizerPtr SplitWhitespace();  // removed
PreTokenizerPtr SplitWords();       // "Whitespace": runs of letters, runs of signs
PreTokenizerPtr SplitFixedLength(size_t characters);
Result<PreTokenizerPtr> SplitScripts();
PreTokenizerPtr AddPrefixSpace();   // a space before every piece without one
PreTokenizerPtr ToBytesAlphabet();  // GPT-2's alphabet
PreTokenizerPtr Metaspace(std::string replacement, PrependScheme scheme, bool split);

}  // namespace bothy
