// Every setting of tests/golden/sampling against the distributions of transformers 5.23, on 8 vectors of logits.
#include <gtest/gtest.h>

#include "models/golden_testing.h"
#include "runtime/sampling/sampler.h"

namespace bothy {
namespace {

constexpr size_t kVocabulary = 500, kHistory = 40, kNewTokens = 3, kRows = 8;

bool Lists(const json::value& list, size_t row) {
  for (const auto& v : list.as_array()) {
    if (v.to_number<size_t>() == row) return true;
  }
  return false;
}

TEST(SamplingGolden, EverySettingGivesTheDistributionOfTheReference) {
  const GoldenFolder folder(Golden() / "sampling");
  const auto golden = json::Parse(ReadTestFile(folder.path() / "golden.json"), "golden.json");
  ASSERT_OK(golden);
  const std::vector<double> stored = folder.Doubles("logits");
  std::vector<float> logits;
  for (const double v : stored) logits.push_back(static_cast<float>(v));
  const std::vector<int64_t> history = folder.Integers("history");
  const auto& settings = golden->at("settings").as_array();
  ASSERT_EQ(settings.size(), 49u);
  SamplerScratch scratch;
  size_t compared = 0;
  for (const auto& entry : settings) {
    const auto& setting = entry.as_object();
    const auto index = setting.at("index").to_number<size_t>();
    SCOPED_TRACE(index);
    SamplingParams params;
    params.do_sample = true;
    params.top_k = 0;
    ASSERT_OK(ReadSampling(setting.at("setting").as_object(), SettingsFrom::kRequest, params));
    const auto sampler = Sampler::Create(params, kVocabulary);
    ASSERT_OK(sampler);
    const auto expected = folder.Doubles(fmt::format("probabilities.{}", index));
    const double bound = setting.at("bound").to_number<double>();
    for (size_t row = 0; row < kRows; row++) {
      SCOPED_TRACE(row);
      if (Lists(setting.at("any_of_the_equal_ones"), row) || Lists(setting.at("set_depends_on_rounding"), row))
        continue;
      std::vector<int32_t> tokens(kHistory);
      for (size_t i = 0; i < kHistory; i++) tokens[i] = static_cast<int32_t>(history[row * kHistory + i]);
      TokenHistory so_far(params, std::span(tokens).first(kHistory - kNewTokens));
      for (size_t i = kHistory - kNewTokens; i < kHistory; i++) so_far.Append(tokens[i]);
      const auto got =
          sampler->Distribution(std::span(logits).subspan(row * kVocabulary, kVocabulary), so_far, scratch);
      ASSERT_OK(got);
      std::vector<double> all(kVocabulary);
      for (const auto& [token, probability] : *got) all[static_cast<size_t>(token)] = probability;
      for (size_t i = 0; i < kVocabulary; i++) {
        const double want = expected[row * kVocabulary + i];
        EXPECT_NEAR(all[i], want, bound) << "token " << i;
        // Kept and cut tokens are never mistaken, except where f32 has no normal number for the probability.
        EXPECT_TRUE((all[i] > 0) == (want > 0) || want < 1e-37) << "token " << i << ": " << all[i] << ", " << want;
        compared++;
      }
    }
  }
  EXPECT_GT(compared, 180000u);
}

}  // namespace
}  // namespace bothy
