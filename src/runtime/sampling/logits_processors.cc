#include "runtime/sampling/logits_processors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace bothy {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

Result<void> CheckVocabulary(std::string_view name, std::span<const int32_t> tokens, size_t vocabulary) {
  for (const int32_t id : tokens) {
    if (id >= 0 && static_cast<size_t>(id) < vocabulary) continue;
    return Fail(ErrorCode::kInvalidArgument, "{}: expected token ids below the vocabulary's size, {}, found {}", name,
                vocabulary, id);
  }
  return {};
}

void KeepTokensOfVocabulary(std::vector<int32_t>& tokens, size_t vocabulary) {
  std::erase_if(tokens, [&](int32_t id) { return id < 0 || static_cast<size_t>(id) >= vocabulary; });
}

void Set(std::span<float> logits, std::span<const int32_t> tokens, float value) {
  for (const int32_t id : tokens) logits[static_cast<size_t>(id)] = value;
}

void Force(std::span<float> logits, std::span<const int32_t> tokens) {
  std::ranges::fill(logits, kForbidden);
  Set(logits, tokens, 0.0f);
}

}  // namespace

int64_t LogitsProcessors::LastBefore(const Continuation& c) {
  return c.before.empty() ? int64_t{-1} : int64_t{c.before.back()};
}

Result<void> LogitsProcessors::Add(std::string_view name, std::span<const int32_t> tokens, double bias,
                                   size_t vocabulary, std::vector<Continuation>& to) {
  TRY(CheckVocabulary(name, tokens, vocabulary));
  to.push_back({{tokens.begin(), tokens.end() - 1}, tokens.back(), static_cast<float>(bias), to.size()});
  return {};
}

void LogitsProcessors::Order(std::vector<Continuation>& continuations) {
  const auto key = [](const Continuation& c) {
    return std::tuple<int64_t, const std::vector<int32_t>&, int32_t>(LastBefore(c), c.before, c.token);
  };
  std::ranges::sort(continuations, [&](const auto& a, const auto& b) {
    return key(a) != key(b) ? key(a) < key(b) : a.number > b.number;
  });
  // Of two for the same tokens the last one given counts: the reference keeps them in a dictionary.
  const auto rest = std::ranges::unique(continuations, [&](const auto& a, const auto& b) { return key(a) == key(b); });
  continuations.erase(rest.begin(), rest.end());
}

Result<LogitsProcessors> LogitsProcessors::Create(const SamplingParams& params, size_t vocabulary) {
  TRY(CheckSampling(params));
  LogitsProcessors p;
  p.frequency_penalty_ = static_cast<float>(params.frequency_penalty);
  p.presence_penalty_ = static_cast<float>(params.presence_penalty);
  p.repetition_penalty_ = static_cast<float>(params.repetition_penalty);
  p.no_repeat_ngram_size_ = params.no_repeat_ngram_size;
  for (const auto& [tokens, bias] : params.sequence_bias) {
    TRY(Add("sequence_bias", tokens, bias, vocabulary, p.biases_));
  }
  for (const auto& [token, bias] : params.logit_bias) {
    TRY(Add("logit_bias", {&token, 1}, bias, vocabulary, p.biases_));
  }
  for (const auto& word : params.bad_words_ids) {
    const auto& ends = params.eos_token_id;
    if (word.size() == 1 && std::ranges::find(ends, word[0]) != ends.end()) continue;
    TRY(Add("bad_words_ids", word, static_cast<double>(kForbidden), vocabulary, p.bad_words_));
  }
  Order(p.biases_);
  Order(p.bad_words_);
  p.end_ = params.eos_token_id;
  p.suppress_ = params.suppress_tokens;
  p.begin_suppress_ = params.begin_suppress_tokens;
  for (auto* tokens : {&p.end_, &p.suppress_, &p.begin_suppress_}) KeepTokensOfVocabulary(*tokens, vocabulary);
  p.forced_begin_ = params.forced_bos_token_id;
  if (p.forced_begin_) TRY(CheckVocabulary("forced_bos_token_id", {&*p.forced_begin_, 1}, vocabulary));
  p.forced_end_ = params.forced_eos_token_id;
  TRY(CheckVocabulary("forced_eos_token_id", p.forced_end_, vocabulary));
  if (!p.end_.empty()) {
    p.min_length_ = static_cast<size_t>(params.min_length);
    p.min_new_tokens_ = static_cast<size_t>(params.min_new_tokens);
  }
  p.remove_invalid_ = params.remove_invalid_values;
  p.decay_ = params.exponential_decay_length_penalty;
  if (p.decay_ && params.eos_token_id.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "exponential_decay_length_penalty: needs an eos_token_id");
  }
  p.idle_ = p.frequency_penalty_ == 0 && p.presence_penalty_ == 0 && p.repetition_penalty_ == 1 &&
            p.no_repeat_ngram_size_ == 0 && p.biases_.empty() && p.bad_words_.empty() && p.suppress_.empty() &&
            p.begin_suppress_.empty() && p.forced_end_.empty() && !p.forced_begin_ && p.min_length_ == 0 &&
            p.min_new_tokens_ == 0 && !p.remove_invalid_ && !p.decay_;
  return p;
}

void LogitsProcessors::ApplyContinuations(const std::vector<Continuation>& continuations, std::span<float> logits,
                                          const TokenHistory& history) {
  const auto tokens = history.tokens();
  // Those of one token come first; of the others only those that the history's last token could lead to are looked at.
  const auto apply = [&](int64_t before_last) {
    for (const auto& c : std::ranges::equal_range(continuations, before_last, {}, LastBefore)) {
      if (c.before.size() > tokens.size()) continue;
      if (!std::ranges::equal(c.before, tokens.last(c.before.size()))) continue;
      logits[static_cast<size_t>(c.token)] += c.bias;
    }
  };
  apply(-1);
  if (!tokens.empty() && tokens.back() >= 0) apply(tokens.back());
}

void LogitsProcessors::ApplyPenalties(std::span<float> logits, const TokenHistory& history) const {
  const auto for_each_count = [&](auto change) {
    for (const auto& [token, count] : history.counts()) {
      if (token < 0 || static_cast<size_t>(token) >= logits.size()) continue;
      change(logits[static_cast<size_t>(token)], static_cast<float>(count));
    }
  };
  if (frequency_penalty_ != 0 || presence_penalty_ != 0) {
    for_each_count(
        [&](float& logit, float count) { logit = (logit - count * frequency_penalty_) - presence_penalty_; });
  }
  ApplyContinuations(biases_, logits, history);
  if (repetition_penalty_ != 1) {
    for_each_count(
        [&](float& logit, float) { logit = logit < 0 ? logit * repetition_penalty_ : logit / repetition_penalty_; });
  }
  history.ForEachRepeat([&](int32_t token) {
    if (token >= 0 && static_cast<size_t>(token) < logits.size()) logits[static_cast<size_t>(token)] = kForbidden;
  });
  ApplyContinuations(bad_words_, logits, history);
}

void LogitsProcessors::ApplyLength(std::span<float> logits, const TokenHistory& history) const {
  if (history.size() < min_length_ || history.new_tokens() < min_new_tokens_) Set(logits, end_, kForbidden);
  if (forced_begin_ && history.size() == 1) Force(logits, {&*forced_begin_, 1});
  if (!forced_end_.empty() && history.size() + 1 == history.max_length()) Force(logits, forced_end_);
  if (remove_invalid_) {
    constexpr float kMost = std::numeric_limits<float>::max();
    for (float& logit : logits) logit = std::isnan(logit) ? 0.0f : std::clamp(logit, -kMost, kMost);
  }
  if (decay_ && history.new_tokens() > static_cast<size_t>(decay_->start)) {
    const auto late = static_cast<double>(history.new_tokens() - static_cast<size_t>(decay_->start));
    const auto factor = static_cast<float>(std::pow(decay_->factor, late) - 1);
    for (const int32_t id : end_) {
      float& logit = logits[static_cast<size_t>(id)];
      if (std::isfinite(logit)) logit += std::fabs(logit) * factor;
    }
  }
}

void LogitsProcessors::Apply(std::span<float> logits, const TokenHistory& history) const {
  ApplyPenalties(logits, history);
  ApplyLength(logits, history);
  Set(logits, suppress_, kForbidden);
  // Where the first token is forced, the one after it is the first that is chosen.
  const bool begins_later = forced_begin_ && history.prompt_length() <= 1;
  if (history.new_tokens() == (begins_later ? 1u : 0u)) Set(logits, begin_suppress_, kForbidden);
}

}  // namespace bothy
