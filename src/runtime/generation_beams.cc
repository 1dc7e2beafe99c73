// GenerationSession's beam search.
#include <algorithm>

#include "runtime/generation.h"
#include "runtime/sampling/engine_beams.h"

namespace bothy {
namespace {

constexpr size_t kRowsAtOnce = 64;  // rows of logits that are held at once: 33 MB for a vocabulary of 128 k

// The most tokens, prompt included, that every beam has room for beside the others. Beams share the prompt's whole
// pages; behind those each may come to need pages of its own. The last token is chosen and not run.
size_t MaxBeamLength(const Engine& engine, const KvCache& cache, size_t prompt, size_t beams) {
  const size_t own_pages = cache.free_pages() / beams;
  const size_t cached = (prompt / kPageTokens + own_pages) * kPageTokens;
  return std::min(std::max(prompt, cached), engine.info().context_length) + 1;
}

// Of the model's own distribution, which the search has not kept: the text is run once more.
Result<std::vector<LogProbs>> LogProbsOf(Engine& engine, const KvSequence& prompt, std::span<const float> prompt_logits,
                                         std::span<const int32_t> tokens, size_t top, const std::atomic<bool>* cancel) {
  const size_t vocabulary = engine.info().vocabulary;
  SamplerScratch scratch;
  std::vector<LogProbs> result = {TRY(ModelLogProbs(prompt_logits, tokens[0], top, scratch))};
  KvSequence sequence = prompt.Fork();
  // Each as the call of its own that it was, where that makes a difference.
  const size_t step = engine.info().length_dependent ? 1 : kRowsAtOnce;
  std::vector<float> logits(std::min(step, tokens.size()) * vocabulary);
  for (size_t at = 0; at + 1 < tokens.size(); at += step) {
    const auto part = tokens.subspan(at, std::min(step, tokens.size() - 1 - at));
    const EngineInput input = {&sequence, part, EngineInput::Want::kAll};
    TRY(engine.Run({&input, 1}, logits.data(), cancel));
    for (size_t i = 0; i < part.size(); i++) {
      const auto row = std::span<const float>(logits).subspan(i * vocabulary, vocabulary);
      result.push_back(TRY(ModelLogProbs(row, tokens[at + i + 1], top, scratch)));
    }
  }
  return result;
}

}  // namespace

Result<std::vector<Continuation>> GenerationSession::SearchBeams(
    const GenerationRequest& request, const Sampler& sampler, size_t max_length, uint64_t seed,
    std::span<const float> logits, const std::function<bool(const GeneratedToken&)>& on_token,
    const std::atomic<bool>* cancel) {
  const SamplingParams& params = request.params;
  const size_t prompt = request.prompt.size();
  if (max_length <= prompt) return std::vector<Continuation>(static_cast<size_t>(params.num_return_sequences));
  const size_t room = MaxBeamLength(engine_, engine_.cache(), prompt, static_cast<size_t>(params.num_beams));
  const size_t longest = std::min(max_length, room);
  std::vector<Hypothesis> found;
  {
    EngineBeams beams(engine_, sequence_, logits, cancel);  // gives its pages back before texts are run once more
    found = TRY(BeamSearch(beams, sampler, request.prompt,
                           {.max_length = longest, .seed = seed, .finished = request.finished}));
  }
  std::vector<Continuation> continuations;
  for (uint32_t i = 0; i < found.size(); i++) {
    Continuation out;
    out.score = found[i].score;
    std::vector<LogProbs> log_probs;
    if (request.log_probs) {
      log_probs = TRY(LogProbsOf(engine_, sequence_, logits, found[i].tokens, *request.log_probs, cancel));
    }
    // As long as a text may be, unless something has ended it.
    if (prompt + found[i].tokens.size() == longest && longest < max_length) out.reason = FinishReason::kContext;
    for (size_t t = 0; t < found[i].tokens.size(); t++) {
      const int32_t token = found[i].tokens[t];
      const bool end = std::ranges::find(params.eos_token_id, token) != params.eos_token_id.end();
      out.tokens.push_back(token);
      if (request.log_probs) out.log_probs.push_back(log_probs[t]);
      const bool more = !on_token || on_token({i, token, end, request.log_probs ? &log_probs[t] : nullptr});
      if (!end && more) continue;
      out.reason = FinishReason::kStop;
      break;
    }
    if (prompt + out.tokens.size() < longest) out.reason = FinishReason::kStop;  // `finished` said so
    continuations.push_back(std::move(out));
  }
  return continuations;
}

}  // namespace bothy
