// The beam searches of tests/golden/sampling, which transformers 5.23 made on tests/golden/gpt2.
#include <gtest/gtest.h>

#include "models/golden_testing.h"
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
