// The LLaMA family against transformers (tests/golden/llama*).
#include <gtest/gtest.h>

#include <cstring>

#include "models/golden_testing.h"

namespace bothy {
namespace {

class LlamaGolden : public testing::TestWithParam<const char*> {};

TEST_P(LlamaGolden, GivesTheReferencesLogitsAndText) {
  ThreadPool pool(2);
  const GoldenFolder golden(Golden() / GetParam());
  for (const std::string config : {"config.json", "config.v4.json"}) {
    GoldenModel model(golden.Model(config), pool, 64);
    ASSERT_TRUE(model.ok());
    golden.Check(model);
  }
}

TEST_P(LlamaGolden, StepByStepIsTheSameBitsAsAllAtOnce) {
  ThreadPool one(1), three(3);
  const GoldenFolder golden(Golden() / GetParam());
  GoldenModel model(golden.Model("config.json"), three, 64);
  ASSERT_TRUE(model.ok());
  if (model.info().length_dependent) return;  // the reference itself computes something else step by step
  const auto rows = golden.Rows("right.input_ids", "right.attention_mask");
  const auto whole = GoldenFolder::Logits(model, rows, GoldenFolder::kWhole);
  for (const size_t step : {size_t{1}, size_t{5}}) EXPECT_EQ(GoldenFolder::Logits(model, rows, step), whole) << step;
  GoldenModel alone(golden.Model("config.json"), one, 7);
  for (size_t r = 0; r < rows.size(); r++) {
    EXPECT_EQ(GoldenFolder::Logits(alone, {rows[r]}, GoldenFolder::kWhole)[0], whole[r])
        << "row " << r << " alone on one thread";
  }
}

TEST_P(LlamaGolden, EveryBlocksOutputIsTheReferences) {
  ThreadPool pool(2);
  const GoldenFolder golden(Golden() / GetParam());
  auto model = LoadLanguageModel(golden.Model("config.json"), pool,
                                 {.precision = Precision::kExact, .max_rows = 256, .progress = {}});
  ASSERT_OK(model);
  const auto cache = KvCache::Create((*model)->info().kv, KvType::kF32, 256);
  ASSERT_OK(cache);
  KvSequence sequence(**cache);
  const std::vector<int32_t> tokens = golden.Rows("single.input_ids", "")[0];
  ASSERT_OK(sequence.Extend(tokens.size()));
  const BatchSlice slice = {&sequence, 0, tokens.size()};
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < tokens.size(); i++) rows.push_back(i);
  std::vector<float> logits(tokens.size() * (*model)->info().vocabulary);
  size_t seen = 0;
  (*model)->Forward(pool, **cache,
                    {tokens,
                     {&slice, 1},
                     rows,
                     logits.data(),
                     [&](std::string_view name, const float* values, size_t count, size_t width) {
                       const std::string output = "single." + std::string(name);
                       const std::string f64 = output + "_f64";
                       if (!golden.Has(output) && !golden.Has(f64)) return;
                       seen++;
                       GoldenFolder::ExpectNear({values, values + count * width},
                                                golden.Doubles(golden.Has(f64) ? f64 : output), golden.Bound(output),
                                                output);
                     }});
  EXPECT_EQ(seen, (*model)->info().layers + 2);
}

INSTANTIATE_TEST_SUITE_P(Llama, LlamaGolden,
                         testing::Values("llama", "llama-bias", "llama3", "llama-bf16", "llama-f16", "llama-linear",
                                         "llama-dynamic", "llama-yarn", "llama-yarn-mscale", "mistral"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace bothy
