#include "runtime/scheduler/cost_model.h"

#include <algorithm>

namespace bothy {
namespace {

constexpr double kEnough = 0.12;      // a measured step of this length is the last: longer ones are like it
constexpr size_t kLeastMeasured = 8;  // rows, that are measured however long it takes
constexpr size_t kAttendingRows = 16;
constexpr size_t kAttendedTokens = 1024;
constexpr double kRate = 0.1;
constexpr double kMostOff = 2;

}  // namespace

void StepWork::Add(size_t count, size_t length, size_t logits) {
  rows += count;
  logit_rows += logits;
  attended += count * length + count * (count + 1) / 2;
}

CostModel::CostModel(std::vector<Point> points, double per_logit_row, double per_attended)
    : points_(std::move(points)), per_logit_row_(per_logit_row), per_attended_(per_attended) {
  CHECK(!points_.empty());
  for (size_t i = 1; i < points_.size(); i++) {
    points_[i].seconds = std::max(points_[i].seconds, points_[i - 1].seconds);
  }
}

Result<CostModel> CostModel::Measure(Engine& engine, const SchedulerClock& clock) {
  const size_t room = std::min(engine.info().context_length, engine.cache().free_pages() * kPageTokens);
  const std::vector<int32_t> tokens(std::min<size_t>(room, 512), 0);
  std::vector<float> logits(kLeastMeasured * engine.info().vocabulary);
  // What lies in the cache changes no time, so a long context need not be run to be attended to.
  const auto time = [&](size_t rows, size_t length, EngineInput::Want want) -> Result<double> {
    double best = 0;
    for (int repeat = 0; repeat < 2; repeat++) {
      KvSequence sequence = engine.NewSequence();
      TRY(sequence.Extend(length));
      const EngineInput input = {&sequence, std::span(tokens).first(rows), want};
      const double start = clock();
      TRY(engine.Run({&input, 1}, logits.data()));
      const double seconds = clock() - start;
      best = repeat == 0 ? seconds : std::min(best, seconds);
      if (seconds > kEnough / 2) break;
    }
    return best;
  };
  if (tokens.empty()) return CostModel({{1, 0}}, 0, 0);
  TRY(time(1, 0, EngineInput::Want::kLast));  // the first call touches all weights
  std::vector<Point> points;
  for (size_t rows = 1; rows <= tokens.size(); rows *= 2) {
    const double seconds = TRY(time(rows, 0, EngineInput::Want::kLast));
    points.push_back({rows, seconds});
    if (rows >= kLeastMeasured && seconds > kEnough) break;
  }
  double per_logit_row = 0, per_attended = 0;
  if (tokens.size() >= kLeastMeasured) {
    const double with = TRY(time(kLeastMeasured, 0, EngineInput::Want::kAll));
    const double without = TRY(time(kLeastMeasured, 0, EngineInput::Want::kLast));
    per_logit_row = std::max(0.0, (with - without) / static_cast<double>(kLeastMeasured - 1));
  }
  if (room > 2 * kAttendingRows) {
    const size_t length = std::min(kAttendedTokens, room - kAttendingRows);
    const double with = TRY(time(kAttendingRows, length, EngineInput::Want::kLast));
    const double without = TRY(time(kAttendingRows, 0, EngineInput::Want::kLast));
    per_attended = std::max(0.0, (with - without) / static_cast<double>(kAttendingRows * length));
  }
  for (Point& point : points) point.seconds = std::max(0.0, point.seconds - per_logit_row);
  return CostModel(std::move(points), per_logit_row, per_attended);
}

CostModel::Share CostModel::Find(size_t rows) const {
  const auto r = static_cast<double>(rows);
  const Point& last = points_.back();
  if (rows >= last.rows) return {points_.size() - 1, r / static_cast<double>(last.rows), 0};
  size_t i = 0;
  if (rows <= points_[0].rows) return {0, 1, 0};
  while (points_[i + 1].rows <= rows) i++;
  const double width = static_cast<double>(points_[i + 1].rows - points_[i].rows);
  const double next = (r - static_cast<double>(points_[i].rows)) / width;
  return {i, 1 - next, next};
}

double CostModel::Seconds(const StepWork& work) const {
  if (work.rows == 0) return 0;
  const Share share = Find(work.rows);
  double seconds = share.weight * points_[share.point].seconds;
  if (share.next_weight > 0) seconds += share.next_weight * points_[share.point + 1].seconds;
  return seconds + static_cast<double>(work.logit_rows) * per_logit_row_ +
         static_cast<double>(work.attended) * per_attended_;
}

size_t CostModel::RowsWithin(const StepWork& work, size_t length, size_t most, double seconds) const {
  const double limit = Seconds(work) + seconds;
  const auto fits = [&](size_t rows) {
    StepWork more = work;
    more.Add(rows, length, 0);
    return Seconds(more) <= limit;
  };
  size_t fit = 0, over = most + 1;
  while (fit + 1 < over) {
    const size_t middle = fit + (over - fit) / 2;
    (fits(middle) ? fit : over) = middle;
  }
  return fit;
}

void CostModel::Observe(const StepWork& work, double seconds) {
  const double expected = Seconds(work);
  if (expected <= 0 || seconds <= 0) return;
  const double off = std::clamp(seconds / expected, 1 / kMostOff, kMostOff) - 1;
  // Each number moves by its part in the expectation.
  const auto move = [&](double& value, double times) { value *= 1 + kRate * off * (value * times / expected); };
  const Share share = Find(work.rows);
  const size_t i = share.point;
  move(points_[i].seconds, share.weight);
  if (share.next_weight > 0) move(points_[i + 1].seconds, share.next_weight);
  move(per_logit_row_, static_cast<double>(work.logit_rows));
  move(per_attended_, static_cast<double>(work.attended));
  // More rows never take less time: RowsWithin searches by that.
  for (size_t j = i; j-- > 0;) points_[j].seconds = std::min(points_[j].seconds, points_[j + 1].seconds);
  for (size_t j = i + 1; j < points_.size(); j++)
    points_[j].seconds = std::max(points_[j].seconds, points_[j - 1].seconds);
}

}  // namespace bothy
