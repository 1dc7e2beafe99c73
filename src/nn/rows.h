// Work on the rows of a batch, spread over threads.
#pragma once

#include <algorithm>
#include <cstddef>

#include "tensor/thread_pool.h"

namespace bothy {

// Rows that one task takes: neighbours in the cache's pages stay with one thread.
inline constexpr size_t kRowsPerTask = 16;

// Calls function(row) for each of `rows`.
template <class Function>
void ForRows(ThreadPool& pool, size_t rows, Function function) {
  pool.ParallelFor((rows + kRowsPerTask - 1) / kRowsPerTask, [&](size_t task, int) {
    for (size_t r = task * kRowsPerTask; r < std::min(rows, (task + 1) * kRowsPerTask); r++) function(r);
  });
}

}  // namespace bothy
