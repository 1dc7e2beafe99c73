// How many proposed tokens are worth a row of the batch. A step takes longer with each, and yields more if they are
// right; with few sequences a row costs little beside the weights that are read anyway, with many it costs its
// arithmetic and nothing is gained.
#pragma once

#include <span>
#include <vector>

#include "runtime/scheduler/cost_model.h"

namespace bothy {

// How often proposals have been right lately, of one text.
class Acceptance {
 public:
  double rate() const { return rate_; }
  // Of some proposed tokens the first `right` were; `wrong`: the next one was not.
  void Observe(size_t right, bool wrong);

 private:
  double rate_ = 0.5;
};

struct DraftCandidate {
  double acceptance = 0;
  size_t length = 0;  // of the sequence
  size_t most = 0;    // tokens that there are
};

inline constexpr size_t kMaxDraft = 16;      // tokens for one text in a step
inline constexpr size_t kMaxDraftRows = 32;  // for all: a row of logits each

// The number of proposed tokens of each candidate that makes the most tokens a second of a step that, as `work`,
// has a row for every one of `decoding` texts.
std::vector<size_t> ChooseDrafts(const CostModel& cost, const StepWork& work, size_t decoding,
                                 std::span<const DraftCandidate> candidates);

}  // namespace bothy
