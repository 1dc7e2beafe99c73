#include "runtime/generation.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>

namespace bothy {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool Cancelled(const std::atomic<bool>* cancel) { return cancel != nullptr && cancel->load(std::memory_order_relaxed); }

// The most tokens, prompt included, that the settings allow.
size_t MaxLength(const SamplingParams& params, size_t prompt) {
  if (params.max_new_tokens) return prompt + static_cast<size_t>(*params.max_new_tokens);
  if (params.max_length) return static_cast<size_t>(*params.max_length);
  return std::numeric_limits<size_t>::max();
}

// One continuation under way.
struct Track {
  KvSequence sequence;
  TokenHistory history;
  Continuation out;
  bool done = false;
};

}  // namespace

size_t GenerationSession::Reuse(const std::vector<int32_t>& prompt) {
  size_t common = 0;
  while (common + 1 < prompt.size() && common < tokens_.size() && prompt[common] == tokens_[common]) common++;
  if (engine_.info().length_dependent) common = 0;  // what is in the cache was made for another length
  sequence_.Truncate(common);
  tokens_.resize(common);
  return common;
}

Result<GenerationResult> GenerationSession::Generate(const GenerationRequest& request,
                                                     const std::function<bool(const GeneratedToken&)>& on_token,
                                                     const std::atomic<bool>* cancel) {
  if (request.prompt.empty()) return Fail(ErrorCode::kInvalidArgument, "the prompt has no tokens");
  const size_t vocabulary = engine_.info().vocabulary;
  const auto count = static_cast<size_t>(request.params.num_return_sequences);
  const Sampler sampler = TRY(Sampler::Create(request.params, vocabulary));
  GenerationResult result;
  result.seed = request.params.seed.value_or(0);
  if (!request.params.seed && request.params.Samples()) result.seed = std::random_device{}();
  result.prompt_tokens = request.prompt.size();
  const size_t max_length = MaxLength(request.params, request.prompt.size());

  const double start = Now();
  result.cached_tokens = Reuse(request.prompt);
  std::vector<float> logits(count * vocabulary);
  const EngineInput prompt = {&sequence_, std::span(request.prompt).subspan(result.cached_tokens)};
  TRY(engine_.Run({&prompt, 1}, logits.data(), cancel));
  tokens_ = request.prompt;
  result.prompt_seconds = Now() - start;
  if (request.params.num_beams > 1) {
    const double search_start = Now();
    result.continuations = TRY(SearchBeams(request, sampler, max_length, result.seed,
                                           std::span<const float>(logits).first(vocabulary), on_token, cancel));
    result.generation_seconds = Now() - search_start;
    return result;
  }
  for (size_t i = 1; i < count; i++) std::copy_n(logits.data(), vocabulary, logits.data() + i * vocabulary);

  std::vector<Track> tracks;
  for (size_t i = 0; i < count; i++) {
    tracks.push_back({sequence_.Fork(), TokenHistory(request.params, request.prompt, max_length), {}, false});
  }
  sequence_.Truncate(0);  // the first continuation takes it over at the end; after an error nothing is kept
  tokens_.clear();
  SamplerScratch scratch;
  const double generation_start = Now();

  // Chooses a track's next token from its logits; false where the track ends with it.
  const auto choose = [&](size_t i, std::span<const float> own) -> Result<void> {
    Track& track = tracks[i];
    const int32_t token = TRY(sampler.Choose(own, track.history, result.seed, static_cast<uint32_t>(i), scratch));
    const LogProbs* log_probs = nullptr;
    if (request.log_probs) {
      track.out.log_probs.push_back(TRY(ModelLogProbs(own, token, *request.log_probs, scratch)));
      log_probs = &track.out.log_probs.back();
    }
    track.history.Append(token);
    track.out.tokens.push_back(token);
    const bool end = std::ranges::find(request.params.eos_token_id, token) != request.params.eos_token_id.end();
    const bool more = !on_token || on_token({static_cast<uint32_t>(i), token, end, log_probs});
    if (end || !more) {
      track.done = true;
      track.out.reason = FinishReason::kStop;
    } else if (track.history.size() >= max_length) {
      track.done = true;
      track.out.reason = FinishReason::kLength;
    }
    return {};
  };

  if (max_length > request.prompt.size()) {
    for (size_t i = 0; i < count; i++) TRY(choose(i, std::span(logits).subspan(i * vocabulary, vocabulary)));
  } else {
    for (Track& track : tracks) track.done = true;
  }
  std::vector<EngineInput> inputs;
  std::vector<size_t> running;
  for (;;) {
    inputs.clear();
    running.clear();
    for (size_t i = 0; i < count; i++) {
      if (tracks[i].done) continue;
      running.push_back(i);
      inputs.push_back({&tracks[i].sequence, tracks[i].history.tokens().last(1)});
    }
    if (inputs.empty()) break;
    const Result<void> ran = engine_.Run(inputs, logits.data(), cancel);
    if (!ran) {
      const bool cancelled = Cancelled(cancel);
      if (!cancelled && ran.error().code != ErrorCode::kOutOfRange &&
          ran.error().code != ErrorCode::kResourceExhausted) {
        return tl::unexpected<Error>(ran.error());
      }
      for (const size_t i : running) {
        tracks[i].out.reason = cancelled ? FinishReason::kCancelled : FinishReason::kContext;
        tracks[i].done = true;
      }
      break;
    }
    for (size_t i = 0; i < running.size(); i++) {
      TRY(choose(running[i], std::span(logits).subspan(i * vocabulary, vocabulary)));
    }
  }
  result.generation_seconds = Now() - generation_start;

  sequence_ = std::move(tracks[0].sequence);
  const auto ran = tracks[0].history.tokens().first(sequence_.length());
  tokens_.assign(ran.begin(), ran.end());
  for (Track& track : tracks) result.continuations.push_back(std::move(track.out));
  return result;
}

}  // namespace bothy
