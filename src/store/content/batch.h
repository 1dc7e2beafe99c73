// Statements about many values: in batches of one size, so that each has one text and is prepared once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "store/database/database.h"

namespace bothy::content {

inline constexpr size_t kBatch = 64;

// Adds kBatch placeholders with commas between them. What `values`, of 1 to kBatch, are too few, is the last of them
// again, which changes nothing where they are alternatives.
template <class T>
void AddAlternatives(Statement& statement, std::span<const T> values) {
  statement.Add("$1", values.front());
  for (size_t i = 1; i < kBatch; i++) statement.Add(", $1", values[std::min(i, values.size() - 1)]);
}

// Calls `run` for parts of up to kBatch.
template <class T, class Run>
Result<void> InBatches(std::span<const T> values, const Run& run) {
  for (size_t i = 0; i < values.size(); i += kBatch) {
    TRY(run(values.subspan(i, std::min(kBatch, values.size() - i))));
  }
  return {};
}

// Calls `run` for parts of kBatch and then for single ones, for statements that insert.
template <class T, class Run>
Result<void> InBatchesOrAlone(std::span<const T> values, const Run& run) {
  while (!values.empty()) {
    const size_t count = values.size() < kBatch ? 1 : kBatch;
    TRY(run(values.first(count)));
    values = values.subspan(count);
  }
  return {};
}

}  // namespace bothy::content
