// Cuts text into the words that the model then cuts into tokens: the pre_tokenizer of tokenizer.json.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/aligned_text.h"

namespace bothy {

class WordSink {
 public:
  virtual ~WordSink() = default;
  // The word is not empty and lives only for the call.
  virtual void Put(const Word& word) = 0;
  // Whether words that are put may be cut at this sink; errors stop the whole.
  void Fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  bool failed() const { return error_.has_value(); }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

class PreTokenizer {  // Safe on several threads.
 public:
  virtual ~PreTokenizer() = default;
  // `tracked`: whether words that are no longer pieces of the original need their origin.
  virtual void Cut(const Word& word, bool tracked, WordSink& sink) const = 0;
};

// One after the other, each on the words of the one before.
std::unique_ptr<PreTokenizer> PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> steps);

// What becomes of the text that a pattern matches.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };
Result<std::unique_ptr<PreTokenizer>> SplitByRegex(std::string_view pattern, SplitBehavior behavior, bool invert);

}  // namespace bothy
