// How often, and after how long, a request that failed is sent again.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>

#include "base/error.h"

namespace bothy::client {

struct RetryPolicy {
  int attempts = 6;                    // without a byte in between; 1, 2, 4, 8 and 16 s between them are half a minute
  std::chrono::seconds first_wait{1};  // then twice as long each time
  std::chrono::seconds longest_wait{60};  // also where the server asks for longer
  std::function<void()> wait_a_second;    // called on the thread that is to wait
};

// Of one thing that is to be had.
class Retries {
 public:
  Retries(const RetryPolicy& policy, const std::atomic<bool>& cancelled) : policy_(policy), cancelled_(cancelled) {}

  // Whether it may go better next time; waits before it says so. Only what is kUnavailable may.
  bool Again(const Error& error) {
    if (error.code != ErrorCode::kUnavailable || ++failed_ >= policy_.attempts) return false;
    const auto usual = policy_.first_wait * (1 << std::min(failed_ - 1, 16));
    const auto wait = std::min(std::max<std::chrono::seconds>(usual, asked_), policy_.longest_wait);
    asked_ = {};
    for (auto waited = std::chrono::seconds(0); waited < wait && !cancelled_; waited++) policy_.wait_a_second();
    return !cancelled_;
  }

  // The server has said how long to wait (Retry-After).
  void Ask(std::chrono::seconds wait) { asked_ = wait; }

  // Something came: what fails from now on is counted anew.
  void Progressed() { failed_ = 0; }

 private:
  const RetryPolicy& policy_;
  const std::atomic<bool>& cancelled_;
  int failed_ = 0;
  std::chrono::seconds asked_{0};
};

}  // namespace bothy::client
