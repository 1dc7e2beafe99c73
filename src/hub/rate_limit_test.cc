#include "hub/rate_limit.h"

#include <gtest/gtest.h>

namespace bothy {
namespace {

using std::chrono::seconds;

class RateLimitsTest : public testing::Test {
 protected:
  RateLimits Limits(int64_t quota, size_t max_keys = 100) {
    return RateLimits({.name = "api", .quota = quota, .window = seconds(300), .max_keys = max_keys},
                      [this] { return now_; });
  }

  Timestamp now_{seconds(3000)};
};

TEST_F(RateLimitsTest, AllowTheQuotaAndNotOneMore) {
  RateLimits limits = Limits(3);
  for (const int64_t remaining : {2, 1, 0}) {
    const Allowance allowance = limits.Take("ada");
    EXPECT_TRUE(allowance.allowed);
    EXPECT_EQ(allowance.remaining, remaining);
  }
  const Allowance refused = limits.Take("ada");
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0);
  EXPECT_TRUE(limits.Take("bob").allowed);
}

TEST_F(RateLimitsTest, BeginAnewWithTheNextWindow) {
  RateLimits limits = Limits(1);
  now_ += seconds(245);
  EXPECT_EQ(limits.Take("ada").reset, seconds(55));
  now_ += std::chrono::microseconds(54'999'999);
  const Allowance refused = limits.Take("ada");
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.reset, seconds(1));
  now_ += std::chrono::microseconds(1);
  const Allowance allowance = limits.Take("ada");
  EXPECT_TRUE(allowance.allowed);
  EXPECT_EQ(allowance.reset, seconds(300));
}

TEST_F(RateLimitsTest, TakeBackWhatDidNotCount) {
  RateLimits limits = Limits(1);
  EXPECT_TRUE(limits.Take("ada").allowed);
  limits.GiveBack("ada");
  limits.GiveBack("ada");  // nothing is left to give back
  EXPECT_TRUE(limits.Take("ada").allowed);
  EXPECT_FALSE(limits.Take("ada").allowed);
}

TEST_F(RateLimitsTest, CountLatecomersTogetherWhereTooManyCome) {
  RateLimits limits = Limits(2, 2);
  EXPECT_TRUE(limits.Take("a").allowed);
  EXPECT_TRUE(limits.Take("b").allowed);
  EXPECT_TRUE(limits.Take("c").allowed);
  EXPECT_TRUE(limits.Take("d").allowed);
  EXPECT_FALSE(limits.Take("e").allowed);
  EXPECT_TRUE(limits.Take("a").allowed);
}

TEST_F(RateLimitsTest, KnowKeysByTheirFirst128Bytes) {
  RateLimits limits = Limits(1);
  const std::string long_key(RateLimits::kMaxKeyBytes, 'a');
  EXPECT_TRUE(limits.Take(long_key).allowed);
  EXPECT_FALSE(limits.Take(long_key + "b").allowed);
  EXPECT_TRUE(limits.Take(long_key.substr(1)).allowed);
}

// The example of huggingface_hub 2.4.0's parse_ratelimit_headers.
TEST_F(RateLimitsTest, SpeakTheHeadersThatTheClientsRead) {
  const RateLimitPolicy policy = {.name = "api", .quota = 500, .window = seconds(300)};
  EXPECT_EQ(RateLimitHeader(policy, {false, 0, seconds(55)}), R"("api";r=0;t=55)");
  EXPECT_EQ(RateLimitPolicyHeader(policy), R"("fixed window";"api";q=500;w=300)");
}

TEST(AddressKeys, AreANetworkOfIpv6AndAllOfIpv4) {
  EXPECT_EQ(AddressKey("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(AddressKey("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(AddressKey("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
  EXPECT_EQ(AddressKey("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(AddressKey("unix"), "unix");
}

}  // namespace
}  // namespace bothy
