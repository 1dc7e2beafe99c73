// Generation on a small golden model, whose greedy text the reference library gave.
#include "runtime/generation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/golden_testing.h"

namespace bothy {
namespace {

struct World {
  explicit World(int threads = 2, size_t cache_tokens = 400) : pool(threads) {
    const GoldenFolder golden(Golden() / "llama3");
    prompt = golden.Rows("greedy.input_ids", "")[0];
    reference = golden.Rows("greedy.output_ids", "")[0];
    auto model = LoadLanguageModel(golden.Model("config.json"), pool,
                                   {.precision = Precision::kExact, .max_rows = 16, .progress = {}});
    CHECK(model);
    engine = *Engine::Create(*std::move(model), pool, {.kv = KvType::kF32, .cache_tokens = cache_tokens});
  }

  GenerationRequest Request(int64_t tokens) const {
    GenerationRequest request;
    request.prompt = prompt;
    request.params.max_new_tokens = tokens;
    return request;
  }

  ThreadPool pool;
  std::vector<int32_t> prompt, reference;
  std::unique_ptr<Engine> engine;
};

TEST(Generation, GreedyTextIsTheReferences) {
  World w;
  GenerationSession session(*w.engine);
  const auto result = session.Generate(w.Request(static_cast<int64_t>(w.reference.size())));
  ASSERT_OK(result);
  EXPECT_EQ(result->continuations[0].tokens, w.reference);
  EXPECT_EQ(result->continuations[0].reason, FinishReason::kLength);
}

TEST(Generation, AnEndTokenEndsTheText) {
  World w;
  GenerationSession session(*w.engine);
  GenerationRequest request = w.Request(100);
  request.params.eos_token_id = {w.reference[5]};
  const auto result = session.Generate(request);
  ASSERT_OK(result);
  const auto first = std::ranges::find(w.reference, w.reference[5]) + 1;
  EXPECT_EQ(result->continuations[0].tokens, std::vector<int32_t>(w.reference.begin(), first));
  EXPECT_EQ(result->continuations[0].reason, FinishReason::kStop);
}

TEST(Generation, TheSameSeedGivesTheSameTextOnAnyNumberOfThreads) {
  std::vector<std::vector<int32_t>> texts;
  for (const int threads : {1, 3}) {
    World w(threads);
    GenerationSession session(*w.engine);
    GenerationRequest request = w.Request(30);
    request.params.do_sample = true;
    request.params.seed = 7;
    request.params.num_return_sequences = 3;
    const auto result = session.Generate(request);
    ASSERT_OK(result);
    for (const Continuation& one : result->continuations) texts.push_back(one.tokens);
  }
  for (size_t i = 0; i < 3; i++) EXPECT_EQ(texts[i], texts[i + 3]);
  EXPECT_NE(texts[0], texts[1]);
}

TEST(Generation, EachOfSeveralIsWhatItWouldBeAlone) {
  World w;
  GenerationRequest request = w.Request(20);
  request.params.do_sample = true;
  request.params.seed = 11;
  request.params.num_return_sequences = 4;
  GenerationSession together(*w.engine);
  const auto four = together.Generate(request);
  ASSERT_OK(four);
  request.params.num_return_sequences = 1;
  GenerationSession single(*w.engine);
  const auto one = single.Generate(request);
  ASSERT_OK(one);
  EXPECT_EQ(one->continuations[0].tokens, four->continuations[0].tokens);
}

TEST(Generation, ASessionRunsOnlyWhatIsNew) {
  World w;
  GenerationSession session(*w.engine);
  const auto first = session.Generate(w.Request(10));
  ASSERT_OK(first);
  GenerationRequest next = w.Request(8);
  next.prompt.insert(next.prompt.end(), w.reference.begin(), w.reference.begin() + 10);
  const auto second = session.Generate(next);
  ASSERT_OK(second);
  EXPECT_GE(second->cached_tokens, w.prompt.size() + 8);
  EXPECT_EQ(second->continuations[0].tokens, std::vector<int32_t>(w.reference.begin() + 10, w.reference.begin() + 18));
  GenerationRequest other = w.Request(4);
  other.prompt[0] = 3;
  const auto third = session.Generate(other);
  ASSERT_OK(third);
  EXPECT_EQ(third->cached_tokens, 0u);
}

TEST(Generation, TheEndOfTheContextIsAReasonAndTooLongAPromptAnError) {
  World w;
  const size_t context = w.engine->info().context_length;
  GenerationSession session(*w.engine);
  const auto full = session.Generate(w.Request(10'000));
  ASSERT_OK(full);
  EXPECT_EQ(full->continuations[0].reason, FinishReason::kContext);
  EXPECT_EQ(full->continuations[0].tokens.size() + w.prompt.size(), context + 1);
  GenerationRequest request = w.Request(1);
  request.prompt.assign(context + 1, 5);
  const auto error = session.Generate(request);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code, ErrorCode::kOutOfRange);
}

TEST(Generation, AFullCacheIsAReasonAndLosesNoPages) {
  World w(2, 64);
  {
    GenerationSession session(*w.engine);
    const auto result = session.Generate(w.Request(1000));
    ASSERT_OK(result);
    EXPECT_EQ(result->continuations[0].reason, FinishReason::kContext);
  }
  EXPECT_EQ(w.engine->cache().free_pages(), w.engine->cache().pages());
}

TEST(Generation, CancellingEndsItBetweenTwoTokens) {
  World w;
  GenerationSession session(*w.engine);
  std::atomic<bool> cancel = false;
  const auto result = session.Generate(
      w.Request(50),
      [&](const GeneratedToken&) {
        cancel = true;
        return true;
      },
      &cancel);
  ASSERT_OK(result);
  EXPECT_EQ(result->continuations[0].reason, FinishReason::kCancelled);
  EXPECT_EQ(result->continuations[0].tokens.size(), 1u);
}

TEST(Generation, LogProbabilitiesAreTheLogSoftmaxOfTheLogits) {
  World w;
  GenerationSession session(*w.engine);
  GenerationRequest request = w.Request(3);
  request.log_probs = 2;
  const auto result = session.Generate(request);
  ASSERT_OK(result);
  KvSequence sequence = w.engine->NewSequence();
  std::vector<float> logits(w.engine->info().vocabulary);
  const EngineInput input = {&sequence, w.prompt};
  ASSERT_OK(w.engine->Run({&input, 1}, logits.data()));
  double sum = 0;
  for (const float l : logits) sum += std::exp(static_cast<double>(l));
  const LogProbs& first = result->continuations[0].log_probs[0];
  const double want = static_cast<double>(logits[static_cast<size_t>(w.reference[0])]) - std::log(sum);
  EXPECT_NEAR(first.chosen, want, 1e-5);  // f32 has 6 digits of a number below 16
  ASSERT_EQ(first.top.size(), 2u);
  EXPECT_EQ(first.top[0].token, w.reference[0]);
}

TEST(Engine, TokensOutsideOfTheVocabularyAreRefusedAndChangeNothing) {
  World w;
  KvSequence sequence = w.engine->NewSequence();
  for (const int32_t token : {-1, static_cast<int32_t>(w.engine->info().vocabulary)}) {
    const EngineInput input = {&sequence, {&token, 1}, EngineInput::Want::kNone};
    const auto result = w.engine->Run({&input, 1}, nullptr);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kOutOfRange);
  }
  EXPECT_EQ(sequence.length(), 0u);
}

}  // namespace
}  // namespace bothy
