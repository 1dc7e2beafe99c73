// The scheduler, step by step.
#include "runtime/scheduler/scheduler_core.h"

#include "runtime/scheduler/scheduler_testing.h"

namespace bothy {
namespace {

std::vector<StreamRequest> Mixture(const SmallModel& model, size_t count) {
  std::mt19937 random(5);
  std::vector<StreamRequest> requests;
  for (size_t i = 0; i < count; i++) {
    StreamRequest request = Ask(model.Prompt(random, 3 + random() % 40), 4 + static_cast<int64_t>(random() % 30));
    SamplingParams& params = request.generation.params;
    if (i % 2 == 1) {
      params.do_sample = true;
      params.seed = i;
      params.temperature = 1.3;
    }
    if (i % 3 == 1) params.repetition_penalty = 1.2;
    if (i % 3 == 2) params.frequency_penalty = 0.4;
    if (i % 4 == 3) params.logit_bias = {{7, 3.0}, {9, -50.0}};
    if (i % 4 == 2) request.generation.log_probs = 3;
    if (i % 5 == 4) params.num_return_sequences = 3;
    params.eos_token_id = {2, 11, 12};
    params.min_new_tokens = 2;
    requests.push_back(std::move(request));
  }
  return requests;
}

TEST(SchedulerCore, ManyAtOnceSayWhatEachSaysAlone) {
  Steps steps(2000);
  std::vector<StreamRequest> requests = Mixture(steps.model, 24);
  std::vector<std::shared_ptr<Answer>> answers;
  for (const StreamRequest& request : requests) answers.push_back(steps.Submit(request));
  steps.Finish();
  for (size_t i = 0; i < requests.size(); i++) {
    SCOPED_TRACE(i);
    ExpectSame(*answers[i], Alone(requests[i].generation));
    ASSERT_TRUE(answers[i]->end);
    EXPECT_FALSE(answers[i]->end->error);
  }
  EXPECT_EQ(steps.core.stats().pages_in_use, 0u);
}

TEST(SchedulerCore, PromptsAreRunInPiecesBetweenTheTokensOfRunningTexts) {
  std::mt19937 random(1);
  SchedulerOptions options;
  options.prompt_seconds = 0.010;
  options.look_up = false;
  Steps steps(400, options);
  const auto running = steps.Submit(Ask(steps.model.Prompt(random, 5), 40, "a"));
  for (int i = 0; i < 3; i++) steps.core.Step();
  ASSERT_EQ(running->tokens[0].size(), 3u);
  const auto arriving = steps.Submit(Ask(steps.model.Prompt(random, 95), 5, "b"));
  size_t steps_taken = 0;
  while (arriving->tokens[0].empty()) {
    const size_t before = running->tokens[0].size();
    steps.core.Step();
    steps_taken++;
    EXPECT_EQ(running->tokens[0].size(), before + 1) << "each step is a token of what runs";
  }
  EXPECT_EQ(steps_taken, 10u);  // 95 rows of a millisecond, ten a step
}

TEST(SchedulerCore, HoweverSlowTheModelPromptsGoOn) {
  std::mt19937 random(1);
  Steps steps(400, {}, CostModel({{1, 5.0}}, 0, 0));
  const auto answer = steps.Submit(Ask(steps.model.Prompt(random, 12), 2));
  EXPECT_EQ(steps.Finish(), 13u);
  EXPECT_EQ(answer->tokens[0].size(), 2u);
}

TEST(SchedulerCore, AShortPromptOfAnotherUserDoesNotWaitForALongOne) {
  std::mt19937 random(1);
  SchedulerOptions options;
  options.lone_prompt_seconds = 0.010;
  Steps steps(400, options);
  const auto long_one = steps.Submit(Ask(steps.model.Prompt(random, 100), 1, "a"));
  steps.core.Step();
  const auto short_one = steps.Submit(Ask(steps.model.Prompt(random, 8), 1, "b"));
  steps.core.Step();
  steps.core.Step();
  EXPECT_TRUE(short_one->end);
  EXPECT_FALSE(long_one->end);
}

TEST(SchedulerCore, ARepeatedBeginningIsNotRunAgainAndChangesNothing) {
  std::mt19937 random(2);
  Steps steps;
  for (const size_t length : {70u, 71u, 79u, 80u, 81u, 90u}) {
    StreamRequest request = Ask(steps.model.Prompt(random, length, 64), 12);
    request.generation.log_probs = 5;
    const auto answer = steps.Submit(request);
    steps.Finish();
    ExpectSame(*answer, Alone(request.generation));
    EXPECT_EQ(answer->end->cached_tokens, length == 70 ? 0u : 64u);
  }
}

TEST(SchedulerCore, TheNextTurnOfAConversationFindsItsAnswerToo) {
  std::mt19937 random(2);
  Steps steps;
  StreamRequest request = Ask(steps.model.Prompt(random, 30), 40);
  const auto first = steps.Submit(request);
  steps.Finish();
  request.generation.prompt.insert(request.generation.prompt.end(), first->tokens[0].begin(), first->tokens[0].end());
  request.generation.prompt.push_back(9);
  const auto second = steps.Submit(request);
  steps.Finish();
  EXPECT_EQ(second->end->cached_tokens, 64u);  // of 71
  ExpectSame(*second, Alone(request.generation));
}

TEST(SchedulerCore, OtherScopesSeeNothingOfIt) {
  std::mt19937 random(2);
  Steps steps;
  const std::vector<int32_t> prompt = steps.model.Prompt(random, 60);
  steps.Submit(Ask(prompt, 3, "a"));
  steps.Finish();
  const auto other = steps.Submit(Ask(prompt, 3, "b"));
  steps.Finish();
  EXPECT_EQ(other->end->cached_tokens, 0u);
  const auto same = steps.Submit(Ask(prompt, 3, "a"));
  steps.Finish();
  EXPECT_EQ(same->end->cached_tokens, 48u);
}

TEST(SchedulerCore, SeveralTextsOfAPromptRunItOnceAndShareItsPages) {
  std::mt19937 random(2);
  Steps steps;
  StreamRequest request = Ask(steps.model.Prompt(random, 64), 10);
  request.generation.params.num_return_sequences = 4;
  request.generation.params.do_sample = true;
  request.generation.params.seed = 3;
  const auto answer = steps.Submit(request);
  steps.core.Step();
  steps.core.Step();
  EXPECT_EQ(steps.core.stats().running, 4u);
  EXPECT_EQ(steps.core.stats().pages_in_use, 4u + 4u);
  steps.Finish();
  ExpectSame(*answer, Alone(request.generation));
  EXPECT_EQ(steps.core.stats().prompt_tokens, 64u);
}

TEST(SchedulerCore, CancellingFreesThePagesAtOnce) {
  std::mt19937 random(2);
  Steps steps;
  StreamRequest request = Ask(steps.model.Prompt(random, 40), 30);
  request.generation.params.num_return_sequences = 2;
  StreamId id = 0;
  const auto answer = steps.Submit(request, &id);
  const auto other = steps.Submit(Ask(steps.model.Prompt(random, 10), 20, "other"));
  for (int i = 0; i < 5; i++) steps.core.Step();
  const size_t before = steps.core.stats().pages_in_use;
  steps.core.Cancel(id);
  EXPECT_LT(steps.core.stats().pages_in_use, before - 2);
  EXPECT_EQ(answer->ends.at(0).reason, FinishReason::kCancelled);
  EXPECT_EQ(answer->ends.at(1).reason, FinishReason::kCancelled);
  EXPECT_TRUE(answer->end);
  steps.core.Cancel(id);
  steps.core.Cancel(999);
  steps.Finish();
  EXPECT_EQ(other->ends.at(0).reason, FinishReason::kLength);
}

TEST(SchedulerCore, OneThatIsCancelledBeforeItBeginsEndsAllItsTexts) {
  Steps steps;
  StreamRequest request = Ask({5, 6, 7}, 5);
  request.generation.params.num_return_sequences = 3;
  StreamId id = 0;
  const auto answer = steps.Submit(request, &id);
  steps.core.Cancel(id);
  EXPECT_EQ(answer->ends.size(), 3u);
  EXPECT_TRUE(answer->end);
  EXPECT_FALSE(steps.core.Step());
}

TEST(SchedulerCore, WherePagesRunOutTheNewestGivesWayAndSaysTheSame) {
  std::mt19937 random(2);
  Steps steps(128);
  std::vector<StreamRequest> requests;
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 4; i++) {
    requests.push_back(Ask(steps.model.Prompt(random, 20), 60));
    answers.push_back(steps.Submit(requests.back()));
  }
  steps.Finish();
  EXPECT_GT(steps.core.stats().preemptions, 0u);
  for (int i = 0; i < 4; i++)
    ExpectSame(*answers[static_cast<size_t>(i)], Alone(requests[static_cast<size_t>(i)].generation));
  EXPECT_EQ(steps.core.stats().pages_in_use, 0u);
}

TEST(SchedulerCore, AFullContextIsAReason) {
  Steps steps;
  const StreamRequest request = Ask({5, 6, 7}, 10'000);
  const auto answer = steps.Submit(request);
  steps.Finish();
  ExpectSame(*answer, Alone(request.generation));
  EXPECT_EQ(answer->ends.at(0).reason, FinishReason::kContext);
}

TEST(SchedulerCore, SoIsAFullCache) {
  Steps steps(64);
  const StreamRequest request = Ask({5, 6, 7}, 10'000);
  const auto answer = steps.Submit(request);
  steps.Finish();
  ExpectSame(*answer, Alone(request.generation, 64));
  EXPECT_EQ(answer->tokens[0].size(), 62u);
}

TEST(SchedulerCore, APromptAsLongAsTheTextMayBeGetsNoTokens) {
  Steps steps;
  StreamRequest request = Ask({5, 6, 7}, 1);
  request.generation.params.max_new_tokens.reset();
  request.generation.params.max_length = 3;
  const auto answer = steps.Submit(request);
  EXPECT_FALSE(steps.core.Step());
  EXPECT_EQ(answer->ends.at(0).reason, FinishReason::kLength);
  EXPECT_EQ(answer->end->generated_tokens, 0u);
}

TEST(SchedulerCore, HigherPrioritiesGoFirstAndTakeSeats) {
  std::mt19937 random(2);
  SchedulerOptions options;
  options.max_running = 2;
  Steps steps(400, options);
  std::vector<StreamRequest> requests;
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 4; i++) {
    requests.push_back(Ask(steps.model.Prompt(random, 10), 20));
    requests.back().priority = i == 3 ? 1 : 0;
    if (i < 3) answers.push_back(steps.Submit(requests.back()));
  }
  for (int i = 0; i < 5; i++) steps.core.Step();
  answers.push_back(steps.Submit(requests[3]));
  while (!answers[3]->end) steps.core.Step();
  EXPECT_FALSE(answers[1]->end);
  EXPECT_TRUE(answers[2]->tokens[0].empty());
  steps.Finish();
  for (size_t i = 0; i < 4; i++) ExpectSame(*answers[i], Alone(requests[i].generation));
}

TEST(SchedulerCore, AUserWithManyRequestsDoesNotKeepAnotherOut) {
  std::mt19937 random(2);
  SchedulerOptions options;
  options.max_running = 4;
  options.look_up = false;
  Steps steps(2000, options);
  std::vector<std::shared_ptr<Answer>> many;
  for (int i = 0; i < 50; i++) many.push_back(steps.Submit(Ask(steps.model.Prompt(random, 10), 30, "many")));
  for (int i = 0; i < 10; i++) steps.core.Step();
  const auto one = steps.Submit(Ask(steps.model.Prompt(random, 10), 30, "one"));
  size_t waited = 0;
  for (; !one->end; waited++) steps.core.Step();
  EXPECT_LE(waited, 32u);  // as if it were alone, but for what runs its prompt
  steps.Finish();
}

TEST(SchedulerCore, UsersGetEqualPartsOfTheWork) {
  std::mt19937 random(2);
  SchedulerOptions options;
  options.max_running = 2;
  options.look_up = false;
  Steps steps(2000, options);
  std::vector<std::shared_ptr<Answer>> a, b;
  for (int i = 0; i < 12; i++) a.push_back(steps.Submit(Ask(steps.model.Prompt(random, 10), 10, "a")));
  for (int i = 0; i < 4; i++) b.push_back(steps.Submit(Ask(steps.model.Prompt(random, 10), 10, "b")));
  while (std::ranges::any_of(b, [](const auto& answer) { return !answer->end; })) steps.core.Step();
  const auto ended = std::ranges::count_if(a, [](const auto& answer) { return answer->end.has_value(); });
  EXPECT_GE(ended, 3);
  EXPECT_LE(ended, 5);
  steps.Finish();
}

TEST(SchedulerCore, ALoopingTextIsProposedAndComesInFewerSteps) {
  std::mt19937 random(2);
  SchedulerOptions plain;
  plain.look_up = false;
  // A row costs nothing beside the first.
  const CostModel cost({{1, 0.010}, {2, 0.0101}, {64, 0.011}}, 0, 0);
  Steps with(400, {}, cost), without(400, plain, cost);
  StreamRequest request = Ask(with.model.Prompt(random, 6), 100);
  request.generation.log_probs = 2;
  const auto fast = with.Submit(request), slow = without.Submit(request);
  const size_t fast_steps = with.Finish(), slow_steps = without.Finish();
  ExpectSame(*fast, Alone(request.generation));
  ExpectSame(*slow, Alone(request.generation));
  EXPECT_EQ(slow_steps, 100u);
  EXPECT_GT(with.core.stats().accepted_tokens, 0u);
  EXPECT_EQ(fast_steps + with.core.stats().accepted_tokens, 100u);
}

TEST(SchedulerCore, TextsOfAKnownPromptThatInvitesProposalsAreTheSame) {
  Steps steps(400, {}, CostModel({{1, 0.010}, {2, 0.0101}, {64, 0.011}}, 0, 0));
  std::vector<int32_t> prompt;
  for (int32_t i = 0; i < 49; i++) prompt.push_back(20 + i % 4);
  StreamRequest request = Ask(prompt, 20);
  request.generation.params.num_return_sequences = 2;
  request.generation.params.do_sample = true;
  request.generation.params.seed = 1;
  for (const size_t cached : {0u, 48u}) {
    const auto answer = steps.Submit(request);
    steps.Finish();
    EXPECT_EQ(answer->end->cached_tokens, cached);
    ExpectSame(*answer, Alone(request.generation));
  }
}

// The golden model's angles change at 24 tokens.
TEST(SchedulerCore, LengthDependentModelsReuseNothingAndSayTheSame) {
  SchedulerOptions options;
  options.prompt_seconds = options.lone_prompt_seconds = 0.007;
  Steps steps(400, options, MillisecondARow(), "llama-dynamic"), tight(64, options, MillisecondARow(), "llama-dynamic");
  ASSERT_TRUE(steps.model.engine->info().length_dependent);
  std::mt19937 random(2);
  std::vector<StreamRequest> requests;
  std::vector<std::shared_ptr<Answer>> answers, tight_answers;
  for (int i = 0; i < 4; i++) {
    requests.push_back(Ask(steps.model.Prompt(random, 30, 30), 8));
    requests.back().generation.log_probs = 3;
    requests.back().generation.params.num_return_sequences = 1 + i % 2;
    answers.push_back(steps.Submit(requests.back()));
    tight_answers.push_back(tight.Submit(requests.back()));
  }
  steps.Finish();
  tight.Finish();
  EXPECT_EQ(steps.core.stats().cached_tokens, 0u);
  EXPECT_GT(tight.core.stats().preemptions, 0u);
  for (size_t i = 0; i < 4; i++) {
    const GenerationResult want = Alone(requests[i].generation, 400, "llama-dynamic");
    ExpectSame(*answers[i], want);
    ExpectSame(*tight_answers[i], want);
  }
}

// Only tokens that are not multiples of three.
class NoThrees final : public TokenConstraint {
 public:
  explicit NoThrees(size_t vocabulary) : mask_((vocabulary + 63) / 64, 0) {
    for (size_t token = 0; token < vocabulary; token++) {
      if (token % 3 != 0) mask_[token / 64] |= uint64_t{1} << (token % 64);
    }
  }
  Result<std::span<const uint64_t>> Mask() override { return mask_; }
  Result<void> Accept(int32_t token) override {
    if (++accepted_ > 20) return Fail(ErrorCode::kInternal, "enough");
    EXPECT_NE(token % 3, 0);
    return {};
  }

 private:
  std::vector<uint64_t> mask_;
  int accepted_ = 0;
};

TEST(SchedulerCore, AConstraintIsFollowedAndItsErrorEndsTheRequestAlone) {
  std::mt19937 random(4);
  Steps steps;
  const size_t vocabulary = steps.model.engine->info().vocabulary;
  StreamRequest request = Ask(steps.model.Prompt(random, 10), 20);
  request.generation.constraint = [=](uint32_t) { return std::make_unique<NoThrees>(vocabulary); };
  StreamRequest longer = request;
  longer.generation.params.max_new_tokens = 21;
  const StreamRequest plain = Ask(steps.model.Prompt(random, 10), 40);
  const auto answer = steps.Submit(request), broken = steps.Submit(longer), other = steps.Submit(plain);
  steps.Finish();
  ExpectSame(*answer, Alone(request.generation));
  EXPECT_EQ(answer->tokens[0].size(), 20u);
  ASSERT_TRUE(broken->end && broken->end->error);
  EXPECT_EQ(broken->end->error->message, "enough");
  EXPECT_EQ(broken->tokens[0].size(), 20u);
  ExpectSame(*other, Alone(plain.generation));
}

TEST(SchedulerCore, WhatCannotBeServedIsRefusedWithNumbers) {
  SchedulerOptions options;
  options.max_waiting = 2;
  options.max_running = 4;
  Steps steps(64, options);
  const auto refusal = [&](const StreamRequest& request) {
    const auto prepared = steps.core.Prepare(request, [](StreamEvent) { FAIL(); });
    return prepared ? Error{} : prepared.error();
  };
  EXPECT_EQ(refusal(Ask({}, 1)).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(Ask({5, 10'000}, 1)).code, ErrorCode::kOutOfRange);
  EXPECT_EQ(refusal(Ask(std::vector<int32_t>(129, 5), 1)).message,
            "a prompt of 129 tokens does not fit into the model's context of 128");
  EXPECT_EQ(refusal(Ask(std::vector<int32_t>(65, 5), 1)).message,
            "a prompt of 65 tokens does not fit into the cache of 64");
  StreamRequest request = Ask({5}, 1);
  request.generation.params.num_beams = 2;
  EXPECT_EQ(refusal(request).code, ErrorCode::kUnimplemented);
  request = Ask({5}, 1);
  request.generation.params.num_return_sequences = 5;
  EXPECT_EQ(refusal(request).message, "5 texts of one prompt: at most 4 are made at once");
  request = Ask({5}, 1);
  request.generation.params.temperature = -1;
  EXPECT_EQ(refusal(request).code, ErrorCode::kInvalidArgument);
  const auto first = steps.Submit(Ask(std::vector<int32_t>(64, 5), 1)), second = steps.Submit(Ask({5}, 1));
  EXPECT_EQ(refusal(Ask({5}, 1)).message, "2 requests wait already: try again later");
  steps.Finish();
  EXPECT_TRUE(first->end && second->end);
  steps.Submit(Ask({5}, 1));
  steps.Finish();
}

TEST(SchedulerCore, NumbersForTheMetricsAddUp) {
  Metrics registry;
  SchedulerMetrics metrics(registry);
  SchedulerOptions options;
  options.metrics = &metrics;
  options.metrics_label = "m";
  Steps steps(400, options);
  std::mt19937 random(2);
  const std::vector<int32_t> prompt = steps.model.Prompt(random, 40);
  for (int i = 0; i < 2; i++) {
    steps.Submit(Ask(prompt, 5));
    steps.Finish();
  }
  StreamId id = 0;
  steps.Submit(Ask(prompt, 5), &id);
  steps.core.Cancel(id);
  const std::string text = registry.Text();
  for (const std::string line : {"bothy_generation_requests_total{model=\"m\",result=\"done\"} 2",
                                 "bothy_generation_requests_total{model=\"m\",result=\"cancelled\"} 1",
                                 "bothy_generation_tokens_total{kind=\"prompt\",model=\"m\"} 48",
                                 "bothy_generation_tokens_total{kind=\"cached\",model=\"m\"} 32",
                                 "bothy_generation_tokens_total{kind=\"generated\",model=\"m\"} 10",
                                 "bothy_generation_first_token_seconds_count{model=\"m\"} 2",
                                 "bothy_generation_between_tokens_seconds_count{model=\"m\"} 8"}) {
    EXPECT_NE(text.find(line + "\n"), std::string::npos) << line << "\n" << text;
  }
}

}  // namespace
}  // namespace bothy
