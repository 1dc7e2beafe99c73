// How much work a tokenizer's file may make of one text: its steps can multiply what they are given, and its patterns
// can search it in exponential time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.h"

namespace bothy {

class TextBudget {
 public:
  // Ordinary files write less than 10 bytes and search less than 20 steps for a byte. The constants are for short texts
  // with a long replacement, and for patterns that are quadratic in runs of white space.
  static constexpr uint64_t kBytesPerByte = 128, kMoreBytes = 1 << 16;
  static constexpr uint64_t kStepsPerByte = 1000, kMoreSteps = 20'000'000;

  // For a text of so many bytes.
  explicit TextBudget(size_t text, uint64_t more_steps = kMoreSteps)
      : text_(text), bytes_(text * kBytesPerByte + kMoreBytes), steps_(text * kStepsPerByte + more_steps) {}

  // Takes bytes that a step writes; false where there are too few left.
  bool TakeBytes(size_t bytes) { return Take(bytes_, bytes); }
  // Takes places of the text that a pattern looks at.
  bool TakeSteps(uint64_t steps) { return Take(steps_, steps); }

  // Whether either was not enough once; nothing is taken any more.
  bool exhausted() const { return exhausted_; }
  tl::unexpected<Error> Failure() const {
    return Fail(ErrorCode::kResourceExhausted,
                "the steps of the tokenizer's file take too much work for a text of {} bytes", text_);
  }

 private:
  bool Take(uint64_t& left, uint64_t wanted) {
    if (exhausted_ || wanted > left) {
      exhausted_ = true;
      return false;
    }
    left -= wanted;
    return true;
  }

  size_t text_;
  uint64_t bytes_, steps_;
  bool exhausted_ = false;
};

}  // namespace bothy
