// Random arrivals, cancellations, priorities and costs over caches that are too small: every text is what it would be
// alone, and no page is lost.
#include "runtime/scheduler/scheduler_testing.h"

namespace bothy {
namespace {

struct Trial {
  StreamRequest request;
  std::shared_ptr<Answer> answer;
  StreamId id = 0;
  bool cancelled = false;
};

StreamRequest Any(const SmallModel& model, std::mt19937& random, size_t most) {
  const size_t length = 1 + random() % most;
  StreamRequest request =
      Ask(model.Prompt(random, length, random() % 2 == 0 ? random() % 64 : 0), static_cast<int64_t>(1 + random() % 40),
          std::string(1, static_cast<char>('a' + random() % 3)));
  request.cache_scope = random() % 4 == 0 ? "other" : "one";
  request.priority = random() % 5 == 0 ? 1 : 0;
  SamplingParams& params = request.generation.params;
  if (random() % 2 == 0) {
    params.do_sample = true;
    params.seed = random();
    params.temperature = random() % 2 == 0 ? 0.3 : 1.5;
  }
  if (random() % 3 == 0) params.num_return_sequences = static_cast<int64_t>(1 + random() % 3);
  if (random() % 3 == 0) params.presence_penalty = 0.5;
  if (random() % 3 == 0) params.eos_token_id = {static_cast<int32_t>(random() % 150)};
  if (random() % 4 == 0) request.generation.log_probs = random() % 3;
  if (random() % 8 == 0) params.max_new_tokens.reset();
  return request;
}

// What came before a cancellation is the beginning of the whole.
void ExpectBeginning(const Answer& answer, const GenerationResult& want) {
  for (uint32_t i = 0; i < want.continuations.size(); i++) {
    const Continuation got = Part(answer, i);
    const auto& whole = want.continuations[i].tokens;
    ASSERT_LE(got.tokens.size(), whole.size());
    EXPECT_TRUE(std::equal(got.tokens.begin(), got.tokens.end(), whole.begin()));
  }
}

class SchedulerRandom : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Seeds, SchedulerRandom, testing::Range(0u, 12u));

TEST_P(SchedulerRandom, EveryTextIsWhatItIsAloneAndNoPageIsLost) {
  std::mt19937 random(GetParam());
  const size_t cache_tokens = 64 + random() % 8 * 48;
  SchedulerOptions options;
  options.max_running = 3 + random() % 6;
  options.prompt_seconds = 0.001 * static_cast<double>(1 + random() % 20);
  options.lone_prompt_seconds = 2 * options.prompt_seconds;
  options.look_up = random() % 4 != 0;
  // Rows that cost next to nothing make it propose as much as it can.
  const CostModel cost = random() % 2 == 0 ? MillisecondARow() : CostModel({{1, 0.001}, {32, 0.0011}}, 0, 1e-7);
  Steps steps(cache_tokens, options, cost);
  std::vector<Trial> trials;
  for (int round = 0; round < 400; round++) {
    if (random() % 6 == 0 && trials.size() < 60) {
      Trial trial = {.request = Any(steps.model, random, std::min<size_t>(100, cache_tokens / 2 + 10))};
      trial.answer = steps.Submit(trial.request, &trial.id);
      trials.push_back(std::move(trial));
    }
    if (random() % 20 == 0 && !trials.empty()) {
      Trial& trial = trials[random() % trials.size()];
      if (!trial.answer->end) {
        steps.core.Cancel(trial.id);
        trial.cancelled = true;
      }
    }
    steps.core.Step();
    const SchedulerStats stats = steps.core.stats();
    ASSERT_LE(stats.running, options.max_running);
    ASSERT_LE(stats.pages_in_use + stats.pages_cached, stats.pages);
  }
  steps.Finish();
  for (size_t i = 0; i < trials.size(); i++) {
    SCOPED_TRACE(i);
    ASSERT_TRUE(trials[i].answer->end);
    EXPECT_FALSE(trials[i].answer->end->error);
    GenerationRequest request = trials[i].request.generation;
    // Alone, several texts have less room than here, where they take turns.
    const size_t room = std::min<size_t>(128, (cache_tokens + kPageTokens - 1) / kPageTokens * kPageTokens);
    const int64_t most = static_cast<int64_t>(room + 1 - request.prompt.size());
    const bool cut = !request.params.max_new_tokens || *request.params.max_new_tokens > most;
    if (cut) request.params.max_new_tokens = most;
    GenerationResult want = Alone(request, 1000);
    for (Continuation& one : want.continuations) {
      if (cut && one.reason == FinishReason::kLength) one.reason = FinishReason::kContext;
    }
    if (trials[i].cancelled) {
      ExpectBeginning(*trials[i].answer, want);
    } else {
      ExpectSame(*trials[i].answer, want);
    }
  }
  EXPECT_EQ(steps.core.stats().pages_in_use, 0u);
  EXPECT_EQ(steps.core.stats().running + steps.core.stats().waiting + steps.core.stats().users, 0u);
}

}  // namespace
}  // namespace bothy
