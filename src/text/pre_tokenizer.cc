#include "text/pre_tokenizer.h"

#include <utility>

#include "text/regex.h"

namespace bothy {
namespace {

class Sequence final : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}

  void Cut(const Word& word, bool tracked, WordSink& sink) const override { Run(word, tracked, 0, sink); }

 private:
  class Next final : public WordSink {
   public:
    Next(const Sequence& sequence, bool tracked, size_t step, WordSink& last)
        : sequence_(sequence), tracked_(tracked), step_(step), last_(last) {}
    void Put(const Word& word) override { sequence_.Run(word, tracked_, step_, last_); }

   private:
    const Sequence& sequence_;
    bool tracked_;
    size_t step_;
    WordSink& last_;
  };

  void Run(const Word& word, bool tracked, size_t step, WordSink& sink) const {
    if (step == steps_.size()) return sink.Put(word);
    if (step + 1 == steps_.size()) return steps_[step]->Cut(word, tracked, sink);
    Next next(*this, tracked, step + 1, sink);
    steps_[step]->Cut(word, tracked, next);
    if (next.failed()) sink.Fail(*next.error());
  }

  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

class RegexSplit final : public PreTokenizer {
 public:
  explicit RegexSplit(Regex regex) : regex_(std::move(regex)) {}

  void Cut(const Word& word, bool, WordSink& sink) const override {
    const std::string_view text = word.text;
    size_t done = 0;
    for (size_t search = 0; done < text.size();) {
      auto found = regex_.Find(text, search);
      if (!found) return sink.Fail(std::move(found).error());
      const Regex::Match match = found->value_or(Regex::Match{text.size(), text.size()});
      if (match.begin > done) sink.Put(word.Part(done, match.begin));
      if (match.end > match.begin) sink.Put(word.Part(match.begin, match.end));
      done = search = match.end;
      // An empty match is a place to cut, and the search goes on behind the next character.
      if (match.end == match.begin && search < text.size()) search += Utf8Size(text[search]);
    }
  }

 private:
  Regex regex_;
};

}  // namespace

std::unique_ptr<PreTokenizer> PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> steps) {
  if (steps.size() == 1) return std::move(steps[0]);
  return std::make_unique<Sequence>(std::move(steps));
}

Result<std::unique_ptr<PreTokenizer>> SplitByRegex(std::string_view pattern, SplitBehavior, bool) {
  return std::make_unique<RegexSplit>(TRY(Regex::Compile(pattern)));
}

}  // namespace bothy
