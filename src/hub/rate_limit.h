// How many times somebody may do something in a while, counted in fixed windows in memory, and the headers in which the
// clients read it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "hub/clock.h"

namespace bothy {

struct RateLimitPolicy {
  std::string name;  // "api": letters
  int64_t quota = 0;
  std::chrono::seconds window{300};
  size_t max_keys = 100'000;  // counted one by one; who comes later in a window shares one count
};

struct Allowance {
  bool allowed = false;
  int64_t remaining = 0;
  std::chrono::seconds reset{0};  // until the window ends, at least 1
};

class RateLimits {  // Safe to use from several threads.
 public:
  RateLimits(RateLimitPolicy policy, Clock clock) : policy_(std::move(policy)), clock_(std::move(clock)) {}

  // Counts one. Only the first kMaxKeyBytes of a key count.
  Allowance Take(std::string_view key);

  // Takes one back that turned out not to count.
  void GiveBack(std::string_view key);

  const RateLimitPolicy& policy() const { return policy_; }

  static constexpr size_t kMaxKeyBytes = 128;

 private:
  int64_t& Count(std::string_view key, int64_t window);

  const RateLimitPolicy policy_;
  const Clock clock_;
  std::mutex mutex_;
  int64_t window_ = 0;
  std::map<std::string, int64_t, std::less<>> counts_;
  int64_t others_ = 0;
};

// "api";r=499;t=55 for RateLimit, and "fixed window";"api";q=500;w=300 for RateLimit-Policy
// (draft-ietf-httpapi-ratelimit-headers-09, as huggingface_hub reads it).
std::string RateLimitHeader(const RateLimitPolicy& policy, const Allowance& allowance);
std::string RateLimitPolicyHeader(const RateLimitPolicy& policy);

// By what an address is counted: itself, but of IPv6 the first 64 bits, all of which one customer has.
std::string AddressKey(std::string_view address);

}  // namespace bothy
