#include "runtime/sampling/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <thread>

#include "base/testing.h"
#include "runtime/sampling/log_probs.h"

namespace bothy {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

std::vector<float> RandomLogits(size_t n, float spread, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> logits(n);
  for (float& v : logits) v = normal(random);
  return logits;
}

// The cuts written down plainly over a sorted vocabulary in double precision: what the fast ones must agree with.
std::map<int32_t, double> PlainDistribution(const std::vector<float>& logits, const SamplingParams& p) {
  std::vector<std::pair<double, int32_t>> sorted;  // logit / temperature, falling; by rising id where equal
  for (size_t i = 0; i < logits.size(); i++) {
    sorted.emplace_back(static_cast<double>(logits[i]) / p.temperature, static_cast<int32_t>(i));
  }
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  const auto softmax = [&] {
    std::vector<double> result;
    for (const auto& [x, id] : sorted) result.push_back(std::exp(x - sorted[0].first));
    const double sum = std::accumulate(result.begin(), result.end(), 0.0);
    for (double& v : result) v /= sum;
    return result;
  };
  const auto entropy = [](const std::vector<double>& probabilities) {
    double h = 0;
    for (const double v : probabilities) h -= v > 0 ? v * std::log(v) : 0;
    return h;
  };
  const auto keep_likely = [&](double least) {
    const auto probabilities = softmax();
    while (sorted.size() > 1 && probabilities[sorted.size() - 1] < least) sorted.pop_back();
  };
  if (p.top_k > 0 && static_cast<size_t>(p.top_k) < sorted.size()) {
    const double bound = sorted[static_cast<size_t>(p.top_k) - 1].first;
    while (sorted.back().first < bound) sorted.pop_back();
  }
  if (p.top_p < 1) {
    const auto probabilities = softmax();
    double sum = 0;
    size_t n = 0;
    while (n < sorted.size() && (n == 0 || sum < p.top_p)) sum += probabilities[n++];
    sorted.resize(n);
  }
  if (p.min_p) keep_likely(*p.min_p * softmax()[0]);
  if (p.typical_p < 1) {
    const auto probabilities = softmax();
    const double h = entropy(probabilities);
    std::vector<std::pair<double, size_t>> by_distance;
    for (size_t i = 0; i < sorted.size(); i++) by_distance.emplace_back(std::fabs(-std::log(probabilities[i]) - h), i);
    std::ranges::sort(by_distance);
    double sum = 0;
    size_t n = 0;
    while (n < sorted.size() && sum < p.typical_p) sum += probabilities[by_distance[n++].second];
    while (n < sorted.size() && by_distance[n].first == by_distance[n - 1].first) n++;
    auto all = std::move(sorted);
    sorted.clear();
    std::vector<size_t> kept;
    for (size_t i = 0; i < n; i++) kept.push_back(by_distance[i].second);
    std::ranges::sort(kept);
    for (const size_t i : kept) sorted.push_back(all[i]);
  }
  if (p.epsilon_cutoff > 0) keep_likely(p.epsilon_cutoff);
  if (p.eta_cutoff > 0) {
    keep_likely(std::min(p.eta_cutoff, std::sqrt(p.eta_cutoff) * std::exp(-entropy(softmax()))));
  }
  std::map<int32_t, double> result;
  const auto probabilities = softmax();
  for (size_t i = 0; i < sorted.size(); i++) result[sorted[i].second] = probabilities[i];
  return result;
}

TEST(Sampler, CutsOfALargeVocabularyAreThoseOfAFullSort) {
  SamplerScratch scratch;
  for (uint32_t seed = 0; seed < 60; seed++) {
    std::mt19937 random(seed);
    const auto chance = [&] { return random() % 3 == 0; };
    const auto part = [&] { return 0.02 + 0.95 * static_cast<double>(random() % 1000) / 1000; };
    SamplingParams params;
    params.do_sample = true;
    params.top_k = chance() ? static_cast<int64_t>(1 + random() % 300) : 0;
    params.temperature = chance() ? 0.5 + part() : 1.0;
    if (chance()) params.top_p = part();
    if (chance()) params.min_p = 0.1 * part();
    if (chance()) params.typical_p = part();
    if (chance()) params.epsilon_cutoff = 0.01 * part();
    if (chance()) params.eta_cutoff = 0.01 * part();
    auto logits = RandomLogits(1 + random() % 20000, 0.1f + static_cast<float>(seed % 7), seed);
    const TokenHistory history(params, {});
    const auto sampler = Sampler::Create(params, logits.size());
    ASSERT_OK(sampler);
    const auto got = sampler->Distribution(logits, history, scratch);
    ASSERT_OK(got);
    const auto expected = PlainDistribution(logits, params);
    size_t found = 0;
    for (const auto& [token, probability] : *got) {
      const auto at = expected.find(token);
      ASSERT_NE(at, expected.end()) << "seed " << seed << " token " << token;
      ASSERT_NEAR(probability, at->second, 2e-6 * (1 + at->second)) << "seed " << seed << " token " << token;
      found++;
    }
    for (const auto& [token, probability] : expected) found += probability < 1e-37 ? 1 : 0;
    EXPECT_GE(found, expected.size()) << "seed " << seed;
  }
}

// The sum over tokens of (drawn - expected)^2 / expected, tokens expected less than 10 times taken together; and its
// degrees of freedom.
std::pair<double, double> ChiSquare(const std::map<int32_t, double>& drawn,
                                    const std::vector<TokenProbability>& distribution, double draws) {
  double sum = 0, rare_drawn = 0, rare_expected = 0, cells = 0;
  for (const auto& [token, probability] : distribution) {
    const auto at = drawn.find(token);
    const double count = at == drawn.end() ? 0 : at->second, expected = probability * draws;
    if (expected < 10) {
      rare_drawn += count;
      rare_expected += expected;
    } else {
      sum += (count - expected) * (count - expected) / expected;
      cells++;
    }
  }
  if (rare_expected > 0) {
    sum += (rare_drawn - rare_expected) * (rare_drawn - rare_expected) / rare_expected;
    cells++;
  }
  return {sum, cells - 1};
}

TEST(Sampler, DrawsFollowTheProcessedDistribution) {
  const auto logits = RandomLogits(700, 2, 5);
  constexpr double kDraws = 20000;
  for (const std::string_view settings :
       {R"({"temperature": 1.0, "top_k": 0})", R"({"temperature": 0.8, "top_k": 40})",
        R"({"temperature": 1.3, "top_k": 0, "top_p": 0.9, "repetition_penalty": 1.3})",
        R"({"top_k": 0, "typical_p": 0.7, "logit_bias": {"3": 4}})", R"({"top_k": 0, "min_p": 0.05, "top_h": 0.6})"}) {
    SCOPED_TRACE(settings);
    SamplingParams params;
    const auto parsed = json::Parse(settings, "settings");
    ASSERT_OK(parsed);
    ASSERT_OK(ReadSampling(parsed->as_object(), SettingsFrom::kRequest, params));
    const auto sampler = Sampler::Create(params, logits.size());
    ASSERT_OK(sampler);
    SamplerScratch scratch;
    const TokenHistory history(params, std::vector<int32_t>{1, 2, 3});
    const auto distribution = sampler->Distribution(logits, history, scratch);
    ASSERT_OK(distribution);
    std::map<int32_t, double> drawn;
    for (uint64_t seed = 0; seed < static_cast<uint64_t>(kDraws); seed++) {
      const auto token = sampler->Choose(logits, history, seed, 0, scratch);
      ASSERT_OK(token);
      drawn[*token]++;
    }
    for (const auto& [token, count] : drawn) {
      EXPECT_TRUE(std::ranges::any_of(*distribution, [&](const auto& d) { return d.token == token; })) << token;
    }
    // Wilson and Hilferty 1931: the cube root of chi-square / degrees is nearly normal. 3.7 sigma is 1 in 10,000.
    const auto [chi_square, degrees] = ChiSquare(drawn, *distribution, kDraws);
    const double spread = 2 / (9 * degrees);
    const double z = (std::cbrt(chi_square / degrees) - (1 - spread)) / std::sqrt(spread);
    EXPECT_LT(std::fabs(z), 3.7) << "chi-square " << chi_square << " with " << degrees << " degrees of freedom";
  }
}

TEST(Sampler, TheSameSeedDrawsTheSameTokensOnAnyThread) {
  SamplingParams params;
  params.do_sample = true;
  const auto sampler = Sampler::Create(params, 1000);
  ASSERT_OK(sampler);
  const auto draw = [&](uint64_t seed, uint32_t sequence) {
    SamplerScratch scratch;
    TokenHistory history(params, std::vector<int32_t>{1});
    for (uint32_t step = 0; step < 50; step++) {
      const auto token = sampler->Choose(RandomLogits(1000, 1, step), history, seed, sequence, scratch);
      history.Append(token ? *token : -1);
    }
    return std::vector<int32_t>(history.tokens().begin(), history.tokens().end());
  };
  const auto expected = draw(42, 0);
  std::vector<std::vector<int32_t>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&] { result = draw(42, 0); });
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, expected);
  EXPECT_NE(draw(43, 0), expected);
  EXPECT_NE(draw(42, 1), expected);
}

TEST(Sampler, GreedyTakesTheFirstOfTheLargestAfterProcessing) {
  SamplingParams params;
  params.suppress_tokens = {1};
  const auto sampler = Sampler::Create(params, 4);
  ASSERT_OK(sampler);
  SamplerScratch scratch;
  const TokenHistory history(params, {});
  EXPECT_EQ(sampler->Choose(std::vector<float>{0, 9, 5, 5}, history, 0, 0, scratch), 2);
  const auto distribution = sampler->Distribution(std::vector<float>{0, 9, 5, 5}, history, scratch);
  ASSERT_OK(distribution);
  ASSERT_EQ(distribution->size(), 1u);
  EXPECT_EQ(distribution->front().token, 2);
}

TEST(Sampler, ExtremeTemperaturesAndLogitsStayDistributions) {
  SamplerScratch scratch;
  const std::vector<float> logits{3e38f, -3e38f, 1, kForbidden, 3e38f};
  for (const double temperature : {1e-300, 1e-5, 1e5, 1e300}) {
    for (const bool cut : {false, true}) {
      SamplingParams params;
      params.do_sample = true;
      params.temperature = temperature;
      params.top_k = 0;
      if (cut) params.top_p = 0.99;
      const auto sampler = Sampler::Create(params, logits.size());
      ASSERT_OK(sampler);
      const TokenHistory history(params, {});
      const auto distribution = sampler->Distribution(logits, history, scratch);
      ASSERT_OK(distribution);
      double sum = 0;
      for (const auto& d : *distribution) {
        EXPECT_NE(d.token, 3);
        sum += d.probability;
      }
      EXPECT_NEAR(sum, 1, 1e-6);
      const auto token = sampler->Choose(logits, history, 1, 0, scratch);
      ASSERT_OK(token);
      EXPECT_NE(*token, 3);
    }
  }
}

TEST(Sampler, BrokenLogitsAndForbiddenVocabulariesAreErrors) {
  for (const bool samples : {false, true}) {
    for (const int64_t top_k : {0, 2}) {
      SamplingParams params;
      params.do_sample = samples;
      params.top_k = top_k;
      const auto sampler = Sampler::Create(params, 3);
      ASSERT_OK(sampler);
      SamplerScratch scratch;
      const TokenHistory history(params, {});
      const auto choose = [&](std::vector<float> logits) {
        const auto token = sampler->Choose(logits, history, 0, 0, scratch);
        return token ? "chosen" : token.error().message;
      };
      EXPECT_EQ(choose({1, std::numeric_limits<float>::quiet_NaN(), 2}), "the model's logits hold NaN");
      EXPECT_EQ(choose({1, -kForbidden, 2}), "the model's logits hold infinity");
      EXPECT_EQ(choose({kForbidden, kForbidden, kForbidden}),
                "every token is forbidden by the settings: none is left to choose");
    }
  }
}

TEST(Sampler, ForBeamSearchSomeTokensSurviveEveryCut) {
  for (const std::string_view settings :
       {R"({"top_k": 1})", R"({"top_k": 0, "top_p": 0.01})", R"({"top_k": 0, "min_p": 1})",
        R"({"top_k": 0, "typical_p": 0.01})", R"({"top_k": 0, "epsilon_cutoff": 0.9})",
        R"({"top_k": 0, "eta_cutoff": 0.9})"}) {
    SamplingParams params;
    const auto parsed = json::Parse(settings, "settings");
    ASSERT_OK(parsed);
    ASSERT_OK(ReadSampling(parsed->as_object(), SettingsFrom::kRequest, params));
    const auto sampler = Sampler::Create(params, 100);
    ASSERT_OK(sampler);
    SamplerScratch scratch;
    auto logits = RandomLogits(100, 6, 1);
    ASSERT_OK(sampler->Process(logits, TokenHistory(params, {}), 3, scratch));
    EXPECT_EQ(std::ranges::count_if(logits, [](float v) { return v > kForbidden; }), 3) << settings;
  }
}

TEST(LogProbs, AreTheLogSoftmaxOfTheModelsLogits) {
  SamplerScratch scratch;
  const std::vector<float> logits{1, 2, 3, 2, kForbidden};
  const double log_sum = std::log(std::exp(1.0) + 2 * std::exp(2.0) + std::exp(3.0));
  const auto got = ModelLogProbs(logits, 1, 3, scratch);
  ASSERT_OK(got);
  EXPECT_NEAR(got->chosen, 2 - log_sum, 1e-6);
  ASSERT_EQ(got->top.size(), 3u);
  EXPECT_EQ(got->top[0].token, 2);
  EXPECT_EQ(got->top[1].token, 1);
  EXPECT_EQ(got->top[2].token, 3);
  EXPECT_NEAR(got->top[0].log_prob, 3 - log_sum, 1e-6);
  const auto all = ModelLogProbs(logits, 4, 20, scratch);
  ASSERT_OK(all);
  EXPECT_EQ(all->chosen, kForbidden);
  EXPECT_EQ(all->top.size(), 4u);
}

TEST(LogProbs, OfTheProcessedDistributionKnowOnlyWhatWasKept) {
  const std::vector<TokenProbability> distribution{{3, 0.25}, {5, 0.75}};
  const auto got = ProcessedLogProbs(distribution, 3, 1);
  EXPECT_FLOAT_EQ(got.chosen, std::log(0.25f));
  ASSERT_EQ(got.top.size(), 1u);
  EXPECT_EQ(got.top[0].token, 5);
  EXPECT_EQ(ProcessedLogProbs(distribution, 4, 0).chosen, kForbidden);
}

}  // namespace
}  // namespace bothy
