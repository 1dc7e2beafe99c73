// The inner loop of attention over a paged cache of keys and values: several query rows against one run of tokens.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bothy {

// Keys and values of 16 consecutive tokens of one layer and one head. Keys are stored dimension by dimension,
// k[head_dim][16], so that a query's product with 16 keys is a row of broadcast multiply-adds without a horizontal sum;
// values token by token, v[16][PaddedHeadDim(head_dim)].
inline constexpr size_t kPageTokens = 16;

constexpr size_t PaddedHeadDim(size_t head_dim) { return (head_dim + 15) / 16 * 16; }

// Rows (query heads of one key head, or several tokens') that share the pages they read.
inline constexpr size_t kAttentionRows = 8;

// What attention over some tokens leaves of a row: output = values / sum, where values and sum carry exp(score - max).
struct AttentionRow {
  const float* query;  // [head_dim]
  int64_t first;       // the tokens this row may see: positions first to last
  int64_t last;
  float max;
  float sum;
  float* values;  // [PaddedHeadDim(head_dim)]
};

struct AttentionRun {
  const std::byte* base;  // positions [16 i, 16 i + 16) lie at base + pages[i] * page_bytes: keys, then values
  const int32_t* pages;
  size_t page_bytes;
  bool f16;  // cache of f16, else f32
  size_t head_dim;
  float scale;    // of scores, usually 1 / sqrt(head_dim)
  int64_t begin;  // the run of positions [begin, end); begin is a multiple of 16
  int64_t end;
};

// Attends rows (at most kAttentionRows) to a run, from nothing: max, sum and values are written. A row's result is the
// same bits whichever rows come with it.
void AttendRun(const AttentionRun& run, AttentionRow* rows, size_t count);

// Adds what `more` found to `into`. Runs are merged in the order of their positions.
void MergeRuns(AttentionRow& into, const AttentionRow& more, size_t head_dim);

// out[head_dim] = values / sum.
void FinishRow(const AttentionRow& row, size_t head_dim, float* out);

}  // namespace bothy
