#include "runtime/sampling/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bothy {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

struct Beam {
  TokenHistory history;
  double score;  // the sum of processed log-probabilities
};

// A beam and the token behind it.
struct Continuation {
  uint32_t beam;
  int32_t token;
  double score;
  double rank;  // the score, or the score with noise where beams are drawn
};

template <double Continuation::* kKey>
bool Before(const Continuation& x, const Continuation& y) {
  if (x.*kKey != y.*kKey) return x.*kKey > y.*kKey;
  return x.beam != y.beam ? x.beam < y.beam : x.token < y.token;
}

class Search {
 public:
  Search(BeamModel& model, const Sampler& sampler, const BeamSearchOptions& options, size_t prompt_length)
      : model_(model),
        sampler_(sampler),
        params_(sampler.params()),
        options_(options),
        prompt_length_(prompt_length),
        beams_(static_cast<size_t>(params_.num_beams)),
        best_(beams_) {}

  Result<std::vector<Hypothesis>> Run(std::span<const int32_t> prompt) {
    running_.push_back({TokenHistory(params_, prompt, options_.max_length), 0});
    auto logits = TRY(model_.Prefill(prompt));
    for (;;) {
      TRY(FindContinuations(logits));
      TakeFinished();
      Advance();
      if (running_.empty() || !CanImprove()) break;
      logits = TRY(model_.Step(parents_, tokens_));
    }
    if (best_.kept().empty()) {
      return Fail(ErrorCode::kFailedPrecondition, "every continuation is forbidden by the settings: no beam is left");
    }
    auto result = best_.kept();
    result.resize(std::min(result.size(), static_cast<size_t>(params_.num_return_sequences)));
    return result;
  }

 private:
  size_t NewTokens() const { return running_.front().history.new_tokens(); }

  // The likeliest continuations of all beams together: so many that, even where each beam's likeliest ones are all its
  // ends, enough are left to go on with.
  Result<void> FindContinuations(std::span<const float> logits) {
    const size_t ends = params_.eos_token_id.size();
    const size_t wanted = std::max<size_t>(2, 1 + ends) * beams_;
    const size_t vocabulary = logits.size() / running_.size();
    found_.clear();
    for (uint32_t b = 0; b < running_.size(); b++) {
      const auto row = logits.subspan(b * vocabulary, vocabulary);
      TRY(LogSoftmax(row));
      const size_t keep = beams_ > 1 ? std::max<size_t>(2, 1 + ends) : 1;
      if (auto processed = sampler_.Process(scores_, running_[b].history, keep, scratch_); !processed) {
        if (processed.error().code == ErrorCode::kFailedPrecondition) continue;  // a dead end; others may go on
        return tl::unexpected<Error>(std::move(processed).error());
      }
      const float bound = params_.Samples() ? kForbidden : KthLargest(scores_, wanted, values_);
      ForEachAtLeast(scores_, std::max(bound, std::numeric_limits<float>::lowest()), [&](size_t i) {
        const double score = running_[b].score + static_cast<double>(scores_[i]);
        const auto token = static_cast<int32_t>(i);
        found_.push_back({b, token, score, params_.Samples() ? score + Noise(b, token) : score});
      });
    }
    const size_t n = std::min(wanted, found_.size());
    std::ranges::partial_sort(found_, found_.begin() + static_cast<ptrdiff_t>(n), Before<&Continuation::rank>);
    found_.resize(n);
    return {};
  }

  Result<void> LogSoftmax(std::span<const float> row) {
    const float max = TRY(FindLikeliest(row)).value;
    const double log_sum = static_cast<double>(max) + std::log(SumExponentials(row, max, 1).sum);
    scores_.resize(row.size());
    for (size_t i = 0; i < row.size(); i++) scores_[i] = static_cast<float>(static_cast<double>(row[i]) - log_sum);
    return {};
  }

  // Gumbel noise: the k largest of score + noise are k draws without replacement (Kool, van Hoof, Welling 2019).
  double Noise(uint32_t beam, int32_t token) const {
    const double uniform = UniformNumber({.seed = options_.seed,
                                          .sequence = beam,
                                          .position = prompt_length_ + NewTokens(),
                                          .draw = static_cast<uint32_t>(token) + 1});
    return -std::log(-std::log(uniform + 0x1p-54));
  }

  bool Finishes(const Continuation& c) const {
    const auto& history = running_[c.beam].history;
    if (history.size() + 1 >= options_.max_length) return true;
    if (std::ranges::find(params_.eos_token_id, c.token) != params_.eos_token_id.end()) return true;
    return options_.finished && options_.finished(NewTokensOf(c));
  }

  std::vector<int32_t> NewTokensOf(const Continuation& c) const {
    const auto before = running_[c.beam].history.tokens().subspan(prompt_length_);
    std::vector<int32_t> tokens(before.begin(), before.end());
    tokens.push_back(c.token);
    return tokens;
  }

  // Only the first num_beams continuations may finish; the others are there to go on with. Leaves those in found_.
  void TakeFinished() {
    const bool closed = params_.early_stopping == EarlyStopping::kYes && best_.full();
    size_t kept = 0;
    for (size_t i = 0; i < found_.size(); i++) {
      if (!Finishes(found_[i])) {
        found_[kept++] = found_[i];
      } else if (i < beams_ && !closed) {
        const double score = LengthPenalized(found_[i].score, NewTokens() + 1, params_.length_penalty);
        best_.Add({NewTokensOf(found_[i]), found_[i].score, score});
      }
    }
    found_.resize(kept);
  }

  void Advance() {
    std::ranges::sort(found_, Before<&Continuation::score>);  // drawn ones come in another order
    found_.resize(std::min(found_.size(), beams_));
    std::vector<Beam> next;
    parents_.clear();
    tokens_.clear();
    for (const auto& c : found_) {
      next.push_back({running_[c.beam].history, c.score});
      next.back().history.Append(c.token);
      parents_.push_back(c.beam);
      tokens_.push_back(c.token);
    }
    running_ = std::move(next);
  }

  // Whether the best running beam could still become better than the worst hypothesis. With early_stopping false the
  // reference takes the length of now for the one it will have: a heuristic that is part of the definition.
  bool CanImprove() const {
    if (!best_.full()) return true;
    if (params_.early_stopping == EarlyStopping::kYes) return false;
    const bool longest = params_.early_stopping == EarlyStopping::kNever && params_.length_penalty > 0;
    const size_t length = longest ? options_.max_length - prompt_length_ : NewTokens();
    return LengthPenalized(running_.front().score, length, params_.length_penalty) > best_.worst_score();
  }

  BeamModel& model_;
  const Sampler& sampler_;
  const SamplingParams& params_;
  const BeamSearchOptions& options_;
  size_t prompt_length_;
  size_t beams_;
  BestHypotheses best_;
  std::vector<Beam> running_;        // the best first
  std::vector<Continuation> found_;  // the best first
  std::vector<uint32_t> parents_;
  std::vector<int32_t> tokens_;
  std::vector<float> scores_, values_;
  SamplerScratch scratch_;
};

}  // namespace

Result<std::vector<Hypothesis>> BeamSearch(BeamModel& model, const Sampler& sampler, std::span<const int32_t> prompt,
                                           const BeamSearchOptions& options) {
  if (prompt.size() >= options.max_length) {
    return Fail(ErrorCode::kInvalidArgument, "max_length: expected more than the prompt's {} tokens, found {}",
                prompt.size(), options.max_length);
  }
  return Search(model, sampler, options, prompt.size()).Run(prompt);
}

}  // namespace bothy
