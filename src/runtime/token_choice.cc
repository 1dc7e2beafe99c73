#include "runtime/token_choice.h"

#include <algorithm>
#include <limits>

#include "runtime/grammar/token_mask.h"

namespace bothy {

size_t MaxLength(const SamplingParams& params, size_t prompt) {
  if (params.max_new_tokens) return prompt + static_cast<size_t>(*params.max_new_tokens);
  if (params.max_length) return static_cast<size_t>(*params.max_length);
  return std::numeric_limits<size_t>::max();
}

namespace {

// The logits with minus infinity for what may not come next.
std::span<const float> Allow(std::span<const float> logits, std::span<const uint64_t> mask,
                             std::vector<float>& allowed) {
  if (mask.empty()) return logits;
  DCHECK(mask.size() * 64 >= logits.size());
  allowed.resize(logits.size());
  ApplyMask(mask, logits, allowed);
  return allowed;
}

}  // namespace

Result<TokenChoice> ChooseToken(const TokenChooser& chooser, std::span<const float> logits, TokenHistory& history,
                                ChoiceScratch& scratch) {
  const Sampler& sampler = *chooser.sampler;
  std::span<const float> allowed = logits;
  if (chooser.constraint != nullptr) allowed = Allow(logits, TRY(chooser.constraint->Mask()), scratch.allowed);
  TokenChoice choice;
  choice.token = TRY(sampler.Choose(allowed, history, chooser.seed, chooser.sequence, scratch.sampler));
  if (chooser.constraint != nullptr) TRY(chooser.constraint->Accept(choice.token));
  if (chooser.log_probs) {
    choice.log_probs = TRY(ModelLogProbs(logits, choice.token, *chooser.log_probs, scratch.sampler));
  }
  history.Append(choice.token);
  choice.end = std::ranges::find(sampler.params().eos_token_id, choice.token) != sampler.params().eos_token_id.end();
  choice.longest = history.size() >= history.max_length();
  return choice;
}

}  // namespace bothy
