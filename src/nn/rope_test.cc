// The scaled forms are compared with the reference library in models/llama_test.cc; here are closed forms and limits.
#include "nn/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/testing.h"

namespace bothy {
namespace {

TEST(Rope, AnglesArePositionTimesFrequencyEvenFarAway) {
  RopeConfig config;
  config.dim = 8;
  const auto rope = Rope::Create(config);
  ASSERT_OK(rope);
  const int64_t positions[] = {0, 1, 1'000'003};
  float cosines[12], sines[12];
  rope->Angles(positions, 1'000'004, cosines, sines);
  for (size_t p = 0; p < 3; p++) {
    for (size_t i = 0; i < 4; i++) {
      const double angle = static_cast<double>(positions[p]) * std::pow(10000.0, -static_cast<double>(i) / 4);
      EXPECT_NEAR(cosines[p * 4 + i], std::cos(angle), 1e-7);
      EXPECT_NEAR(sines[p * 4 + i], std::sin(angle), 1e-7);
    }
  }
}

TEST(Rope, DynamicIsPlainWithinTheOriginalLengthAndNotBeyond) {
  RopeConfig config;
  config.dim = 8;
  const auto plain = Rope::Create(config);
  config.type = RopeConfig::Type::kDynamic;
  config.factor = 2;
  config.max_position_embeddings = 24;
  const auto dynamic = Rope::Create(config);
  ASSERT_OK(dynamic);
  const int64_t position = 20;
  float a[4], b[4], c[4], s[4];
  plain->Angles({&position, 1}, 24, a, s);
  dynamic->Angles({&position, 1}, 24, b, s);
  dynamic->Angles({&position, 1}, 25, c, s);
  for (size_t i = 0; i < 4; i++) EXPECT_EQ(a[i], b[i]);
  EXPECT_NE(a[1], c[1]);
}

TEST(Rope, ParametersThatMakeNoSenseAreRefusedByName) {
  const auto refused = [](auto change, const char* name) {
    RopeConfig config;
    config.dim = 8;
    config.max_position_embeddings = config.original_max_position_embeddings = 128;
    change(config);
    const auto rope = Rope::Create(config);
    ASSERT_FALSE(rope) << name;
    EXPECT_NE(rope.error().message.find(name), std::string::npos) << rope.error().message;
  };
  refused([](RopeConfig& c) { c.dim = 7; }, "even");
  refused([](RopeConfig& c) { c.dim = 0; }, "even");
  refused([](RopeConfig& c) { c.theta = -1; }, "rope_theta");
  refused([](RopeConfig& c) { c.factor = NAN; }, "factor");
  refused([](RopeConfig& c) { c.type = RopeConfig::Type::kYarn, c.original_max_position_embeddings = 0; },
          "original_max_position_embeddings");
  refused([](RopeConfig& c) { c.type = RopeConfig::Type::kLlama3, c.high_freq_factor = 1; }, "high_freq_factor");
  refused([](RopeConfig& c) { c.type = RopeConfig::Type::kLongRope, c.short_factor = {1, 2}; }, "short_factor");
  refused([](RopeConfig& c) { c.frequency_divisors = {1, 2, 0, 1}; }, "rope_freqs");
}

}  // namespace
}  // namespace bothy
