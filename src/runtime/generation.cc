#include "runtime/generation.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "runtime/token_choice.h"

namespace bothy {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

bool Cancelled(const std::atomic<bool>* cancel) { return cancel != nullptr && cancel->load(std::memory_order_relaxed); }

// One continuation under way.
struct Track {
  KvSequence sequence;
  TokenHistory history;
  std::unique_ptr<TokenConstraint> constraint;
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
  if (request.constraint && request.params.num_beams > 1) {
    return Fail(ErrorCode::kUnimplemented, "a beam search cannot follow a grammar: set num_beams to 1");
  }
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
    tracks.push_back({sequence_.Fork(), TokenHistory(request.params, request.prompt, max_length), {}, {}, false});
    if (request.constraint) tracks.back().constraint = request.constraint(static_cast<uint32_t>(i));
  }
  sequence_.Truncate(0);  // the first continuation takes it over at the end; after an error nothing is kept
  tokens_.clear();
  ChoiceScratch scratch;
  const double generation_start = Now();

  // Chooses a track's next token from its logits.
  const auto choose = [&](size_t i, std::span<const float> own) -> Result<void> {
    Track& track = tracks[i];
    const auto sequence = static_cast<uint32_t>(i);
    const TokenChooser chooser = {&sampler, result.seed, sequence, request.log_probs, track.constraint.get()};
    TokenChoice choice = TRY(ChooseToken(chooser, own, track.history, scratch));
    track.out.tokens.push_back(choice.token);
    const LogProbs* log_probs = nullptr;
    if (choice.log_probs) {
      track.out.log_probs.push_back(*std::move(choice.log_probs));
      log_probs = &track.out.log_probs.back();
    }
    const bool more = !on_token || on_token({sequence, choice.token, choice.end, log_probs});
    track.done = choice.end || !more || choice.longest;
    if (choice.end || !more) track.out.reason = FinishReason::kStop;
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
