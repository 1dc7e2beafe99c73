// Generation: from a prompt's tokens to one or several continuations, token by token.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/engine.h"
#include "runtime/sampling/log_probs.h"
#include "runtime/sampling/sampler.h"
#include "runtime/token_constraint.h"

namespace bothy {

enum class FinishReason {
  kStop,       // an end token, or the caller had enough (a stop string)
  kLength,     // max_new_tokens or max_length
  kContext,    // the model's context or the cache is full: there is more to say
  kCancelled,  // the caller's flag
};

struct GenerationRequest {
  std::vector<int32_t> prompt;  // not empty
  // eos_token_id ends a continuation; num_return_sequences is how many there are, which share the prompt. With
  // num_beams above 1 they are the best of a beam search, the best first. stop_strings are not looked at here.
  SamplingParams params;
  std::optional<size_t> log_probs;  // of each token, with that many of the likeliest
  // Beams: whether a text with these new tokens is finished, besides by end tokens and length; may be empty.
  std::function<bool(std::span<const int32_t> new_tokens)> finished;
  // Whether special tokens are a part of the text, as calls of tools are written with them; end tokens never are.
  bool show_special_tokens = false;
  // Makes the rules that a continuation follows; may be empty. Not for beams.
  std::function<std::unique_ptr<TokenConstraint>(uint32_t sequence)> constraint;
};

struct GeneratedToken {
  uint32_t sequence = 0;
  int32_t token = 0;
  bool end = false;  // an end token: it belongs to the continuation, not to its text
  const LogProbs* log_probs = nullptr;
};

struct Continuation {
  std::vector<int32_t> tokens;  // with the end token, where there is one
  FinishReason reason = FinishReason::kLength;
  std::vector<LogProbs> log_probs;
  std::optional<double> score;  // beams: what they are ranked by
};

struct GenerationResult {
  std::vector<Continuation> continuations;  // fewer than were asked for only where a beam search found no more
  uint64_t seed = 0;                        // what a draw was made with: the request's, or one drawn for it
  size_t prompt_tokens = 0;
  size_t cached_tokens = 0;  // of the prompt, that were in the session already
  double prompt_seconds = 0;
  double generation_seconds = 0;  // of all tokens after the first
};

// A conversation's place in the cache: what was run is not run again while a new prompt begins with it.
class GenerationSession {
 public:
  explicit GenerationSession(Engine& engine) : engine_(engine), sequence_(engine.NewSequence()) {}

  // Runs the prompt and generates. `on_token` sees each token when it is chosen, and ends that continuation by
  // returning false; with beams that is when the search is over. Errors are those of Engine::Run for the prompt;
  // running out of context later is a reason, not an error, and so is being cancelled, but that a beam search then has
  // no text: kCancelled. The session keeps the prompt and, without beams, the first continuation.
  Result<GenerationResult> Generate(const GenerationRequest& request,
                                    const std::function<bool(const GeneratedToken&)>& on_token = {},
                                    const std::atomic<bool>* cancel = nullptr);

 private:
  // Drops what the prompt does not begin with; at least its last token is left to run.
  size_t Reuse(const std::vector<int32_t>& prompt);
  // A beam search behind the prompt, which sequence_ holds and whose logits are given.
  Result<std::vector<Continuation>> SearchBeams(const GenerationRequest& request, const Sampler& sampler,
                                                size_t max_length, uint64_t seed, std::span<const float> logits,
                                                const std::function<bool(const GeneratedToken&)>& on_token,
                                                const std::atomic<bool>* cancel);

  Engine& engine_;
  KvSequence sequence_;
  std::vector<int32_t> tokens_;  // that sequence_ holds
};

}  // namespace bothy
