#include "nn/attention_layer.h"

#include <algorithm>

namespace bothy {
namespace {

// The context is attended to in runs of this many tokens, each from nothing, whose results are then merged in order.
// Runs begin at fixed positions, so that a token's result is the same whether threads share its runs (one new token, a
// long context) or one thread walks them all (a prompt). A multiple of the page.
constexpr int64_t kRunTokens = 512;

struct Rows {
  AttentionRow row[kAttentionRows];
  size_t count = 0;
};

int64_t FirstSeen(const AttentionShape& shape, int64_t position) {
  return shape.window > 0 ? std::max<int64_t>(0, position - shape.window + 1) : 0;
}

}  // namespace

void Attend(ThreadPool& pool, const KvCache& cache, size_t layer, const AttentionShape& shape,
            std::span<const BatchSlice> slices, const float* queries, float* out, AttentionScratch& scratch) {
  const size_t group = shape.heads / shape.kv_heads;
  const size_t dim = shape.head_dim, padded = PaddedHeadDim(dim), width = shape.heads * dim;

  // A unit is up to kAttentionRows query rows of one key head of one slice. Units of a slice: rows are counted token by
  // token, the query heads of a token next to each other.
  const auto units_of = [&](const BatchSlice& slice) {
    return shape.kv_heads * ((slice.count * group + kAttentionRows - 1) / kAttentionRows);
  };
  size_t units = 0;
  int64_t longest = 0;
  for (const BatchSlice& slice : slices) {
    units += units_of(slice);
    longest = std::max(longest, static_cast<int64_t>(slice.sequence->length()));
  }
  const auto runs = static_cast<size_t>((longest + kRunTokens - 1) / kRunTokens);
  // With few units (one token of one sequence) threads share the runs of each; with many, a unit is one task.
  const bool split = runs > 1 && units < 4 * static_cast<size_t>(pool.threads());
  const size_t values_of_unit = kAttentionRows * padded, floats_of_unit = values_of_unit + 2 * kAttentionRows;
  const size_t slots = split ? units * runs : 2 * static_cast<size_t>(pool.threads());
  if (scratch.partial.size() < slots * floats_of_unit) scratch.partial.resize(slots * floats_of_unit);

  struct Unit {
    const BatchSlice* slice;
    size_t head;
    size_t first;  // row within slice and head
    size_t count;
  };
  const auto unit_at = [&](size_t index) {
    const BatchSlice* slice = slices.data();
    while (index >= units_of(*slice)) index -= units_of(*slice++);
    const size_t blocks = units_of(*slice) / shape.kv_heads;
    const size_t first = index % blocks * kAttentionRows;
    return Unit{slice, index / blocks, first, std::min(kAttentionRows, slice->count * group - first)};
  };
  const auto rows_of = [&](const Unit& unit, float* values) {
    Rows rows;
    rows.count = unit.count;
    for (size_t r = 0; r < unit.count; r++) {
      const size_t token = (unit.first + r) / group, head = unit.head * group + (unit.first + r) % group;
      const int64_t position = unit.slice->Position(token);
      rows.row[r] = {.query = queries + (unit.slice->row + token) * width + head * dim,
                     .first = FirstSeen(shape, position),
                     .last = position,
                     .max = 0,
                     .sum = 0,
                     .values = values + r * padded};
    }
    return rows;
  };
  const auto attend = [&](const Unit& unit, Rows& rows, size_t run) {
    const int64_t begin = static_cast<int64_t>(run) * kRunTokens;
    AttendRun({.base = cache.Base(layer, unit.head),
               .pages = unit.slice->sequence->pages().data(),
               .page_bytes = cache.page_bytes(),
               .f16 = cache.type() == KvType::kF16,
               .head_dim = dim,
               .scale = shape.scale,
               .begin = begin,
               .end = std::min(begin + kRunTokens, static_cast<int64_t>(unit.slice->sequence->length()))},
              rows.row, rows.count);
  };
  const auto finish = [&](const Unit& unit, const Rows& rows) {
    for (size_t r = 0; r < unit.count; r++) {
      const size_t token = (unit.first + r) / group, head = unit.head * group + (unit.first + r) % group;
      FinishRow(rows.row[r], dim, out + (unit.slice->row + token) * width + head * dim);
    }
  };

  if (!split) {
    pool.ParallelFor(units, [&](size_t index, int thread) {
      float* values = scratch.partial.data() + 2 * static_cast<size_t>(thread) * floats_of_unit;
      const Unit unit = unit_at(index);
      Rows all = rows_of(unit, values), more = rows_of(unit, values + floats_of_unit);
      const int64_t first = all.row[0].first, last = all.row[unit.count - 1].last;
      auto run = static_cast<size_t>(first / kRunTokens);
      attend(unit, all, run);
      while (static_cast<int64_t>(++run) * kRunTokens <= last) {
        attend(unit, more, run);
        for (size_t r = 0; r < unit.count; r++) MergeRuns(all.row[r], more.row[r], dim);
      }
      finish(unit, all);
    });
    return;
  }
  pool.ParallelFor(units * runs, [&](size_t task, int) {
    const Unit unit = unit_at(task / runs);
    float* values = scratch.partial.data() + task * floats_of_unit;
    Rows rows = rows_of(unit, values);
    attend(unit, rows, task % runs);
    for (size_t r = 0; r < unit.count; r++) {
      values[values_of_unit + 2 * r] = rows.row[r].max;
      values[values_of_unit + 2 * r + 1] = rows.row[r].sum;
    }
  });
  for (size_t index = 0; index < units; index++) {
    const Unit unit = unit_at(index);
    Rows all;
    for (size_t run = 0; run < runs; run++) {
      float* values = scratch.partial.data() + (index * runs + run) * floats_of_unit;
      Rows rows = rows_of(unit, values);
      for (size_t r = 0; r < unit.count; r++) {
        rows.row[r].max = values[values_of_unit + 2 * r];
        rows.row[r].sum = values[values_of_unit + 2 * r + 1];
        if (run > 0) MergeRuns(all.row[r], rows.row[r], dim);
      }
      if (run == 0) all = rows;
    }
    finish(unit, all);
  }
}

}  // namespace bothy
