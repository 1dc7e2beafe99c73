#include "runtime/scheduler/draft_policy.h"

#include <algorithm>
#include <functional>

namespace bothy {
namespace {

constexpr double kRate = 0.15;
constexpr double kLeastGain = 1.02;  // less is within what the cost model is off by

}  // namespace

void Acceptance::Observe(size_t right, bool wrong) {
  for (size_t i = 0; i < right; i++) rate_ += kRate * (1 - rate_);
  if (wrong) rate_ -= kRate * rate_;
}

std::vector<size_t> ChooseDrafts(const CostModel& cost, const StepWork& work, size_t decoding,
                                 std::span<const DraftCandidate> candidates) {
  struct Row {
    double probability;  // that it and all before it are right
    size_t candidate;
  };
  std::vector<Row> rows;
  for (size_t i = 0; i < candidates.size(); i++) {
    double probability = 1;
    for (size_t n = 0; n < std::min(candidates[i].most, kMaxDraft); n++) {
      probability *= candidates[i].acceptance;
      rows.push_back({probability, i});
    }
  }
  // The likeliest first: only how many of each candidate's are taken counts, and earlier ones are no less likely.
  std::ranges::sort(rows, std::greater<>(), &Row::probability);
  if (rows.size() > kMaxDraftRows) rows.resize(kMaxDraftRows);
  StepWork with = work;
  double tokens = static_cast<double>(decoding);
  double best = kLeastGain * tokens / std::max(cost.Seconds(work), 1e-9);
  size_t taken = 0;
  for (size_t n = 0; n < rows.size(); n++) {
    with.Add(1, candidates[rows[n].candidate].length, 1);
    tokens += rows[n].probability;
    const double rate = tokens / std::max(cost.Seconds(with), 1e-9);
    if (rate <= best) continue;
    best = rate;
    taken = n + 1;
  }
  std::vector<size_t> counts(candidates.size());
  for (size_t n = 0; n < taken; n++) counts[rows[n].candidate]++;
  return counts;
}

}  // namespace bothy
