// The beam searches of tests/golden/sampling, which transformers 5.23 made on tests/golden/gpt2.
#include <gtest/gtest.h>

#include "models/golden_testing.h"
#include "runtime/generation.h"
#include "runtime/sampling/engine_beams.h"

namespace bothy {
namespace {

std::vector<int32_t> Ids(const json::value& list) {
  std::vector<int32_t> ids;
  for (const auto& v : list.as_array()) ids.push_back(v.to_number<int32_t>());
  return ids;
}

TEST(BeamGolden, EverySearchGivesTheTextsAndScoresOfTheReference) {
  ThreadPool pool(2);
  const auto golden = json::Parse(ReadTestFile(Golden() / "sampling" / "golden.json"), "golden.json");
  ASSERT_OK(golden);
  auto model = LoadLanguageModel(GoldenFolder(Golden() / "gpt2").Model("config.json"), pool,
                                 {.precision = Precision::kExact, .max_rows = 64, .progress = {}});
  ASSERT_OK(model);
  const auto engine = Engine::Create(*std::move(model), pool, {.kv = KvType::kF32, .cache_tokens = 512});
  ASSERT_OK(engine);
  const auto& searches = golden->at("beam_search").as_array();
  ASSERT_EQ(searches.size(), 8u);
  for (const auto& search : searches) {
    SCOPED_TRACE(json::Serialize(search.at("options")));
    SamplingParams params;
    ASSERT_OK(ReadSampling(search.at("options").as_object(), SettingsFrom::kRequest, params));
    params.eos_token_id = Ids(search.at("eos_token_ids"));
    const auto sampler = Sampler::Create(params, (*engine)->info().vocabulary);
    ASSERT_OK(sampler);
    const auto prompt = Ids(search.at("input_ids"));
    EngineBeams beams(**engine);
    const auto got = BeamSearch(beams, *sampler, prompt,
                                {.max_length = prompt.size() + static_cast<size_t>(*params.max_new_tokens)});
    ASSERT_OK(got);
    const auto& texts = search.at("output_ids").as_array();
    const auto& scores = search.at("sequences_scores_f64").as_array();
    ASSERT_EQ(got->size(), texts.size());
    for (size_t i = 0; i < texts.size(); i++) {
      EXPECT_EQ((*got)[i].tokens, Ids(texts[i])) << i;
      EXPECT_NEAR((*got)[i].score, scores[i].to_number<double>(), search.at("bound").to_number<double>()) << i;
    }
  }
  EXPECT_EQ((*engine)->cache().free_pages(), (*engine)->cache().pages());
}

struct World {
  World(size_t cache_tokens, size_t max_rows = 64) : pool(2) {
    auto model = LoadLanguageModel(GoldenFolder(Golden() / "gpt2").Model("config.json"), pool,
                                   {.precision = Precision::kExact, .max_rows = max_rows, .progress = {}});
    CHECK(model);
    engine = *Engine::Create(*std::move(model), pool, {.kv = KvType::kF32, .cache_tokens = cache_tokens});
    searches = json::Parse(ReadTestFile(Golden() / "sampling" / "golden.json"), "")->at("beam_search").as_array();
  }
  GenerationRequest Request(const json::value& search) const {
    GenerationRequest request;
    EXPECT_OK(ReadSampling(search.at("options").as_object(), SettingsFrom::kRequest, request.params));
    request.params.eos_token_id = Ids(search.at("eos_token_ids"));
    request.prompt = Ids(search.at("input_ids"));
    return request;
  }
  ThreadPool pool;
  std::unique_ptr<Engine> engine;
  json::array searches;
};

TEST(BeamGolden, ASessionGivesThemTooWithItsPrefixAndLogProbabilities) {
  World w(512);
  GenerationSession session(*w.engine);
  for (const auto& search : w.searches) {
    SCOPED_TRACE(json::Serialize(search.at("options")));
    GenerationRequest request = w.Request(search);
    request.log_probs = 1;
    for (const bool again : {false, true}) {
      size_t seen = 0;
      const auto got = session.Generate(request, [&](const GeneratedToken& token) {
        seen++;
        return token.log_probs != nullptr;
      });
      ASSERT_OK(got);
      if (again) {
        EXPECT_EQ(got->cached_tokens, request.prompt.size() - 1);
      }
      const auto& texts = search.at("output_ids").as_array();
      const auto& scores = search.at("sequences_scores_f64").as_array();
      ASSERT_EQ(got->continuations.size(), texts.size());
      for (size_t i = 0; i < texts.size(); i++) {
        const Continuation& one = got->continuations[i];
        EXPECT_EQ(one.tokens, Ids(texts[i])) << i;
        const double bound = search.at("bound").to_number<double>();
        EXPECT_NEAR(one.score.value_or(0), scores[i].to_number<double>(), bound) << i;
        const bool ends =
            std::ranges::find(request.params.eos_token_id, one.tokens.back()) != request.params.eos_token_id.end();
        EXPECT_EQ(one.reason, ends ? FinishReason::kStop : FinishReason::kLength) << i;
        ASSERT_EQ(one.log_probs.size(), one.tokens.size());
        seen -= one.tokens.size();
        if (request.params.repetition_penalty != 1) continue;  // the score is of what that makes of them
        double sum = 0;
        for (const LogProbs& log_probs : one.log_probs) sum += static_cast<double>(log_probs.chosen);
        EXPECT_NEAR(LengthPenalized(sum, one.tokens.size(), request.params.length_penalty),
                    scores[i].to_number<double>(), bound)
            << i;
      }
      EXPECT_EQ(seen, 0u);
    }
  }
}

TEST(BeamGolden, ASearchThatFillsTheCacheIsCutThereAndGivesItsPagesBack) {
  World w(6 * kPageTokens);
  {
    GenerationSession session(*w.engine);
    GenerationRequest request = w.Request(w.searches[0]);
    request.params.eos_token_id.clear();
    request.params.max_new_tokens = 1000;
    const auto got = session.Generate(request);
    ASSERT_OK(got);
    // One page is the prompt's; of the others each of the four beams can have one.
    for (const Continuation& one : got->continuations) {
      EXPECT_EQ(one.reason, FinishReason::kContext);
      EXPECT_EQ(one.tokens.size() + request.prompt.size(), kPageTokens + 1);
    }
  }
  EXPECT_EQ(w.engine->cache().free_pages(), w.engine->cache().pages());
}

TEST(BeamGolden, AFinishedTextIsAHypothesis) {
  World w(512);
  GenerationSession session(*w.engine);
  GenerationRequest request = w.Request(w.searches[0]);
  request.params.eos_token_id.clear();
  request.params.length_penalty = 0;  // the sooner the better
  GenerationRequest ended = request;
  ended.params.eos_token_id = {24};
  request.finished = [](std::span<const int32_t> tokens) { return tokens.back() == 24; };
  const auto want = session.Generate(ended), got = session.Generate(request);
  ASSERT_OK(want);
  ASSERT_OK(got);
  for (size_t i = 0; i < want->continuations.size(); i++) {
    EXPECT_EQ(got->continuations[i].tokens, want->continuations[i].tokens) << i;
    EXPECT_EQ(got->continuations[i].reason, want->continuations[i].reason) << i;
  }
  const auto stopped = [](const Continuation& one) { return one.reason == FinishReason::kStop; };
  EXPECT_TRUE(std::ranges::any_of(got->continuations, stopped));
}

TEST(BeamGolden, ASessionOutlivesACancelledSearch) {
  World w(512);
  GenerationSession session(*w.engine);
  GenerationRequest request = w.Request(w.searches[0]);
  std::atomic<bool> cancel = false;
  size_t steps = 0;
  request.finished = [&](std::span<const int32_t>) {
    cancel = ++steps > 20;
    return false;
  };
  const auto cancelled = session.Generate(request, {}, &cancel);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
  request.finished = {};
  const auto got = session.Generate(request);
  ASSERT_OK(got);
  EXPECT_EQ(got->continuations[0].tokens, Ids(w.searches[0].at("output_ids").at(0)));
}

TEST(BeamGolden, CancellingStopsASearch) {
  ThreadPool pool(1);
  auto model = LoadLanguageModel(GoldenFolder(Golden() / "gpt2").Model("config.json"), pool, {});
  ASSERT_OK(model);
  const auto engine = Engine::Create(*std::move(model), pool, {});
  ASSERT_OK(engine);
  SamplingParams params;
  params.num_beams = 2;
  const auto sampler = Sampler::Create(params, (*engine)->info().vocabulary);
  ASSERT_OK(sampler);
  const std::atomic<bool> cancel = true;
  EngineBeams beams(**engine, &cancel);
  const std::vector<int32_t> prompt{1, 2};
  EXPECT_EQ(BeamSearch(beams, *sampler, prompt, {.max_length = 8}).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace bothy
