#include "hub/rate_limit.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bothy {
namespace {

int64_t SecondsOf(Timestamp time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

}  // namespace

int64_t& RateLimits::Count(std::string_view key, int64_t window) {
  if (window != window_) {
    window_ = window;
    counts_.clear();
    others_ = 0;
  }
  key = key.substr(0, kMaxKeyBytes);
  if (const auto found = counts_.find(key); found != counts_.end()) return found->second;
  if (counts_.size() >= policy_.max_keys) return others_;
  return counts_.emplace(key, 0).first->second;
}

Allowance RateLimits::Take(std::string_view key) {
  const int64_t now = SecondsOf(clock_()), length = policy_.window.count();
  const std::lock_guard lock(mutex_);
  int64_t& count = Count(key, now / length);
  const bool allowed = count < policy_.quota;
  if (allowed) count++;
  return {allowed, policy_.quota - count, std::chrono::seconds(length - now % length)};
}

void RateLimits::GiveBack(std::string_view key) {
  const int64_t now = SecondsOf(clock_());
  const std::lock_guard lock(mutex_);
  int64_t& count = Count(key, now / policy_.window.count());
  count = std::max<int64_t>(count - 1, 0);
}

std::string RateLimitHeader(const RateLimitPolicy& policy, const Allowance& allowance) {
  return fmt::format("\"{}\";r={};t={}", policy.name, allowance.remaining, allowance.reset.count());
}

std::string RateLimitPolicyHeader(const RateLimitPolicy& policy) {
  return fmt::format("\"fixed window\";\"{}\";q={};w={}", policy.name, policy.quota, policy.window.count());
}

std::string AddressKey(std::string_view address) {
  std::array<unsigned char, 16> bytes;
  if (inet_pton(AF_INET6, std::string(address).c_str(), bytes.data()) != 1) return std::string(address);
  constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    return fmt::format("{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]);
  }
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  char text[INET6_ADDRSTRLEN];
  return fmt::format("{}/64", inet_ntop(AF_INET6, bytes.data(), text, sizeof text));
}

}  // namespace bothy
