// Every setting of tests/golden/sampling against the distributions of transformers 5.23, on 8 vectors of logits.
#include <gtest/gtest.h>

#include <cstring>

#include "base/testing.h"
#include "runtime/sampling/sampler.h"

namespace bothy {
namespace {

constexpr size_t kVocabulary = 500, kHistory = 40, kNewTokens = 3, kRows = 8;

class SamplingGolden : public testing::Test {
 protected:
  void SetUp() override {
    const auto folder = Golden() / "sampling";
    auto settings = json::Parse(ReadTestFile(folder / "golden.json"), "golden.json");
    ASSERT_OK(settings);
    golden_ = settings->as_object();
    bytes_ = ReadTestFile(folder / "golden.safetensors");
    uint64_t header_size = 0;
    ASSERT_GE(bytes_.size(), sizeof(header_size));
    std::memcpy(&header_size, bytes_.data(), sizeof(header_size));
    auto header = json::Parse(std::string_view(bytes_).substr(8, header_size), "header");
    ASSERT_OK(header);
    header_ = header->as_object();
    data_ = 8 + header_size;
  }

  template <class T>
  std::vector<T> Tensor(std::string_view name) const {
    const auto& offsets = header_.at(name).as_object().at("data_offsets").as_array();
    const auto begin = offsets[0].to_number<size_t>(), end = offsets[1].to_number<size_t>();
    std::vector<T> values((end - begin) / sizeof(T));
    std::memcpy(values.data(), bytes_.data() + data_ + begin, end - begin);
    return values;
  }

  json::object golden_, header_;
  std::string bytes_;
  size_t data_ = 0;
};

bool Lists(const json::value& list, size_t row) {
  for (const auto& v : list.as_array()) {
    if (v.to_number<size_t>() == row) return true;
  }
  return false;
}

TEST_F(SamplingGolden, EverySettingGivesTheDistributionOfTheReference) {
  const auto logits = Tensor<float>("logits");
  const auto history = Tensor<int64_t>("history");
  const auto& settings = golden_.at("settings").as_array();
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
    const auto expected = Tensor<float>(fmt::format("probabilities.{}", index));
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
        const double want = static_cast<double>(expected[row * kVocabulary + i]);
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
