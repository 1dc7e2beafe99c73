#include "runtime/sampling/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/testing.h"

namespace bothy {
namespace {

// A model whose logits depend on the whole text in a way that no search could guess.
class FakeModel : public BeamModel {
 public:
  explicit FakeModel(size_t vocabulary) : vocabulary_(vocabulary) {}

  std::vector<float> Logits(std::span<const int32_t> text) const {
    std::vector<float> logits(vocabulary_);
    std::array<uint32_t, 4> state{1, 2, 3, 4};
    for (const int32_t token : text) {
      state[0] ^= static_cast<uint32_t>(token) + 1;
      state = Philox4x32(state, {5, 6});
    }
    for (size_t i = 0; i < vocabulary_; i++) {
      logits[i] = 3.0f * static_cast<float>(UniformNumber({.seed = state[0], .position = state[1] + i}));
    }
    return logits;
  }

  Result<std::span<const float>> Prefill(std::span<const int32_t> prompt) override {
    beams_ = {{prompt.begin(), prompt.end()}};
    return All();
  }

  Result<std::span<const float>> Step(std::span<const uint32_t> parents, std::span<const int32_t> tokens) override {
    std::vector<std::vector<int32_t>> next;
    for (size_t i = 0; i < parents.size(); i++) {
      next.push_back(beams_.at(parents[i]));
      next.back().push_back(tokens[i]);
    }
    beams_ = std::move(next);
    widest_ = std::max(widest_, beams_.size());
    return All();
  }

  size_t widest() const { return widest_; }

 private:
  std::span<const float> All() {
    logits_.clear();
    for (const auto& beam : beams_) {
      const auto row = Logits(beam);
      logits_.insert(logits_.end(), row.begin(), row.end());
    }
    return logits_;
  }

  size_t vocabulary_;
  std::vector<std::vector<int32_t>> beams_;
  std::vector<float> logits_;
  size_t widest_ = 1;
};

constexpr size_t kVocabulary = 5, kLongest = 4;
constexpr int32_t kEnd = 0;
const std::vector<int32_t> kPrompt{3, 1};

std::vector<double> LogSoftmax(const std::vector<float>& logits) {
  double sum = 0;
  for (const float v : logits) sum += std::exp(static_cast<double>(v));
  std::vector<double> result;
  for (const float v : logits) result.push_back(static_cast<double>(v) - std::log(sum));
  return result;
}

// Every text there is, with the sum of its log-probabilities.
void Enumerate(const FakeModel& model, std::vector<int32_t>& text, double sum,
               std::vector<std::pair<std::vector<int32_t>, double>>& all) {
  const auto log_probs = LogSoftmax(model.Logits(text));
  for (int32_t token = 0; token < static_cast<int32_t>(kVocabulary); token++) {
    text.push_back(token);
    const double with = sum + log_probs[static_cast<size_t>(token)];
    if (token == kEnd || text.size() == kPrompt.size() + kLongest) {
      all.emplace_back(std::vector<int32_t>(text.begin() + 2, text.end()), with);
    } else {
      Enumerate(model, text, with, all);
    }
    text.pop_back();
  }
}

Sampler MakeSampler(const SamplingParams& params, size_t vocabulary = kVocabulary) {
  auto sampler = Sampler::Create(params, vocabulary);
  CHECK(sampler.has_value());
  return *std::move(sampler);
}

TEST(BeamSearch, WithRoomForEveryTextFindsTheBestOnesThereAre) {
  for (const double penalty : {0.0, 1.0, 2.0, -1.0}) {
    SamplingParams params;
    params.num_beams = 400;  // more than the 341 texts
    params.num_return_sequences = 400;
    params.length_penalty = penalty;
    params.eos_token_id = {kEnd};
    FakeModel model(kVocabulary);
    std::vector<std::pair<std::vector<int32_t>, double>> all;
    auto text = kPrompt;
    Enumerate(model, text, 0, all);
    const auto score = [&](const auto& entry) {
      return entry.second / std::pow(static_cast<double>(entry.first.size()), penalty);
    };
    std::ranges::sort(all, std::greater<>(), score);
    const auto got = BeamSearch(model, MakeSampler(params), kPrompt, {.max_length = kPrompt.size() + kLongest});
    ASSERT_OK(got);
    ASSERT_EQ(got->size(), all.size());
    for (size_t i = 0; i < all.size(); i++) {
      EXPECT_EQ((*got)[i].tokens, all[i].first) << penalty << " " << i;
      EXPECT_NEAR((*got)[i].score, score(all[i]), 1e-5) << penalty << " " << i;
      EXPECT_NEAR((*got)[i].sum_log_prob, all[i].second, 1e-5) << penalty << " " << i;
    }
  }
}

TEST(BeamSearch, OneBeamIsGreedyWithoutEndTokens) {
  SamplingParams params;
  FakeModel model(50);
  const auto got = BeamSearch(model, MakeSampler(params, 50), kPrompt, {.max_length = 12});
  ASSERT_OK(got);
  auto text = kPrompt;
  while (text.size() < 12) {
    const auto logits = model.Logits(text);
    text.push_back(static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin()));
  }
  EXPECT_EQ(got->at(0).tokens, std::vector<int32_t>(text.begin() + 2, text.end()));
}

TEST(BeamSearch, NeverRunsMoreBeamsThanAskedFor) {
  SamplingParams params;
  params.num_beams = 3;
  params.eos_token_id = {0, 1, 2};
  FakeModel model(40);
  ASSERT_OK(BeamSearch(model, MakeSampler(params, 40), kPrompt, {.max_length = 20}));
  EXPECT_EQ(model.widest(), 3u);
}

TEST(BeamSearch, EarlyStoppingEndsWithTheFirstFullSetOfHypotheses) {
  SamplingParams params;
  params.num_beams = 3;
  params.num_return_sequences = 3;
  params.eos_token_id = {0, 1, 2, 3, 4, 5};
  params.length_penalty = 2;
  std::map<EarlyStopping, size_t> longest;
  for (const auto stopping : {EarlyStopping::kYes, EarlyStopping::kNo, EarlyStopping::kNever}) {
    params.early_stopping = stopping;
    FakeModel model(12);
    const auto got = BeamSearch(model, MakeSampler(params, 12), kPrompt, {.max_length = 30});
    ASSERT_OK(got);
    ASSERT_EQ(got->size(), 3u);
    for (const auto& h : *got) longest[stopping] = std::max(longest[stopping], h.tokens.size());
  }
  // A length penalty above 0 favours long texts, which only "never" waits for.
  EXPECT_LE(longest[EarlyStopping::kYes], longest[EarlyStopping::kNo]);
  EXPECT_LT(longest[EarlyStopping::kNo], longest[EarlyStopping::kNever]);
}

TEST(BeamSearch, ProcessorsSeeTheBeamsOwnText) {
  SamplingParams params;
  params.num_beams = 4;
  params.num_return_sequences = 4;
  params.no_repeat_ngram_size = 1;
  FakeModel model(30);
  const auto got = BeamSearch(model, MakeSampler(params, 30), kPrompt, {.max_length = 20});
  ASSERT_OK(got);
  for (const auto& h : *got) {
    auto tokens = h.tokens;
    tokens.insert(tokens.end(), kPrompt.begin(), kPrompt.end());
    std::ranges::sort(tokens);
    EXPECT_EQ(std::ranges::adjacent_find(tokens), tokens.end());
  }
}

TEST(BeamSearch, AStopOfTheCallersFinishesAHypothesis) {
  SamplingParams params;
  params.num_beams = 2;
  BeamSearchOptions options{.max_length = 20};
  options.finished = [](std::span<const int32_t> tokens) { return tokens.size() == 5; };
  FakeModel model(30);
  const auto got = BeamSearch(model, MakeSampler(params, 30), kPrompt, options);
  ASSERT_OK(got);
  EXPECT_EQ(got->at(0).tokens.size(), 5u);
}

TEST(BeamSearch, DrawnBeamsFollowTheModelAndTheSeed) {
  SamplingParams params;
  params.do_sample = true;
  params.top_k = 0;
  params.num_beams = 1;
  FakeModel model(6);
  const auto expected = LogSoftmax(model.Logits(kPrompt));
  const auto sampler = MakeSampler(params, 6);
  // With one beam and one step, the first of the drawn continuations is the hypothesis: a plain draw.
  std::array<double, 6> counts{};
  constexpr double kDraws = 20000;
  for (uint64_t seed = 0; seed < static_cast<uint64_t>(kDraws); seed++) {
    const auto got = BeamSearch(model, sampler, kPrompt, {.max_length = kPrompt.size() + 1, .seed = seed});
    ASSERT_OK(got);
    counts[static_cast<size_t>(got->at(0).tokens[0])]++;
  }
  double chi_square = 0;
  for (size_t i = 0; i < counts.size(); i++) {
    const double mean = kDraws * std::exp(expected[i]);
    chi_square += (counts[i] - mean) * (counts[i] - mean) / mean;
  }
  EXPECT_LT(chi_square, 25.7);  // 5 degrees of freedom: 1 in 10,000 is above 25.7
}

TEST(BeamSearch, NoRoomAndNoWayAreErrors) {
  SamplingParams params;
  params.num_beams = 2;
  FakeModel model(3);
  EXPECT_EQ(BeamSearch(model, MakeSampler(params, 3), kPrompt, {.max_length = 2}).error().message,
            "max_length: expected more than the prompt's 2 tokens, found 2");
  params.suppress_tokens = {0, 1, 2};
  EXPECT_EQ(BeamSearch(model, MakeSampler(params, 3), kPrompt, {.max_length = 5}).error().code,
            ErrorCode::kFailedPrecondition);
}

TEST(Hypotheses, TheBestAreKeptInOrderAndOfEqualOnesTheFirst) {
  BestHypotheses best(2);
  best.Add({{1}, -1, -1});
  EXPECT_FALSE(best.full());
  best.Add({{2}, -3, -3});
  best.Add({{3}, -1, -1});
  EXPECT_TRUE(best.full());
  EXPECT_EQ(best.worst_score(), -1);
  ASSERT_EQ(best.kept().size(), 2u);
  EXPECT_EQ(best.kept()[0].tokens, (std::vector<int32_t>{1}));
  EXPECT_EQ(best.kept()[1].tokens, (std::vector<int32_t>{3}));
  EXPECT_EQ(MeanLogProb({{1, 2}, -3, 0}), -1.5);
}

}  // namespace
}  // namespace bothy
