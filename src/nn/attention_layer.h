// Attention of a batch over the paged cache: causal, with a window if given, query heads of one key head together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/kv_cache.h"
#include "tensor/thread_pool.h"

namespace bothy {

// Consecutive tokens of one sequence in a batch: the last `count` tokens of `sequence`, which lie in rows
// [row, row + count) of the batch's activations.
struct BatchSlice {
  const KvSequence* sequence = nullptr;
  size_t row = 0;
  size_t count = 0;
  // How long the sequence will be after the call that these tokens are a part of: what a rotary embedding goes by whose
  // angles depend on the length. 0: as long as it is now.
  size_t call_length = 0;

  int64_t CallLength() const { return static_cast<int64_t>(call_length > 0 ? call_length : sequence->length()); }
  int64_t Position(size_t index) const { return static_cast<int64_t>(sequence->length() - count + index); }
};

struct AttentionShape {
  size_t heads = 0;
  size_t kv_heads = 0;
  size_t head_dim = 0;
  float scale = 1;     // of scores
  int64_t window = 0;  // a token sees itself and the window - 1 before it; 0: all before it
};

// Room that attention works in, made once; it grows with the longest context that is asked for.
class AttentionScratch {
 public:
  std::vector<float> partial;
};

// out[row][heads * head_dim] for every row of `slices`, from queries [row][heads * head_dim] and the keys and values
// that are already in `cache`. Bits do not depend on threads, on the other slices, or on how a prompt was cut.
void Attend(ThreadPool& pool, const KvCache& cache, size_t layer, const AttentionShape& shape,
            std::span<const BatchSlice> slices, const float* queries, float* out, AttentionScratch& scratch);

}  // namespace bothy
