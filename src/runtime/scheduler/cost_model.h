// How long a step of the engine takes, so that steps can be made to last as long as they should.
//
//   seconds = f(rows) + logit rows * l + tokens attended to * a
//
// f is a table: one row streams all weights at the speed of memory, many rows cost arithmetic. Measured when a model is
// loaded, then kept up by what steps really took.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/engine.h"

namespace bothy {

using SchedulerClock = std::function<double()>;  // seconds

struct StepWork {
  size_t rows = 0;
  size_t logit_rows = 0;
  uint64_t attended = 0;  // tokens, summed over rows

  // `count` rows of a sequence that holds `length` tokens before them.
  void Add(size_t count, size_t length, size_t logits);
};

class CostModel {
 public:
  struct Point {
    size_t rows;
    double seconds;
  };
  // points: at least one, by rising rows.
  CostModel(std::vector<Point> points, double per_logit_row, double per_attended);

  // Runs the engine a few times, for half a second with a model of a billion parameters; its cache is in use meanwhile.
  static Result<CostModel> Measure(Engine& engine, const SchedulerClock& clock);

  double Seconds(const StepWork& work) const;

  // The most rows, up to `most`, of a sequence that holds `length` tokens by which `work` gets at most `seconds`
  // longer.
  size_t RowsWithin(const StepWork& work, size_t length, size_t most, double seconds) const;

  // What a step took. One step moves the estimate by a tenth of the way, and a step that was far off (the process was
  // stopped) by no more than one that took twice as long.
  void Observe(const StepWork& work, double seconds);

 private:
  struct Share {  // of two neighbours in the table
    size_t point;
    double weight, next_weight;
  };
  Share Find(size_t rows) const;

  std::vector<Point> points_;
  double per_logit_row_, per_attended_;
};

}  // namespace bothy
