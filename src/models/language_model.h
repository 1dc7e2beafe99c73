// What every family of language models offers: one forward function over a batch of sequences.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/attention_layer.h"
#include "nn/kv_cache.h"
#include "tensor/matmul.h"
#include "tensor/thread_pool.h"

namespace bothy {

struct ModelInfo {
  std::string family;         // "llama"
  size_t vocabulary = 0;      // width of the logits
  size_t context_length = 0;  // positions that the model was made for
  size_t layers = 0;
  size_t hidden = 0;
  KvShape kv;
  uint64_t parameters = 0;
  uint64_t weight_bytes = 0;      // of the packed weights
  bool length_dependent = false;  // a token's result depends on its BatchSlice::call_length (dynamic RoPE, longrope)
  std::vector<std::string> unused_arrays;  // of the checkpoint, that the model has no use for: worth a word to the user
};

// Tokens of one or more sequences. Each slice's sequence has been extended by its count; its tokens lie in rows
// [row, row + count). Slices cover all rows, in order.
struct Batch {
  std::span<const int32_t> tokens;
  std::span<const BatchSlice> slices;
  // Rows whose logits are wanted, and where they go: [logit_rows.size()][vocabulary].
  std::span<const uint32_t> logit_rows;
  float* logits = nullptr;
  // Sees named activations of all rows: "embeddings", "layer.I" (the output of block I), "last_hidden_state" (after the
  // last norm, of logit_rows). For tests and for embeddings; may be empty.
  std::function<void(std::string_view name, const float* values, size_t rows, size_t width)> observe;
  // Looked at before every layer; may be null.
  const std::atomic<bool>* cancel = nullptr;

  bool Cancelled() const { return cancel != nullptr && cancel->load(std::memory_order_relaxed); }
};

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  const ModelInfo& info() const { return info_; }

  // The most rows of one call; callers cut longer prompts, which changes no bit of the result where each part says its
  // BatchSlice::call_length.
  size_t max_rows() const { return max_rows_; }

  // Every token is in [0, vocabulary). Allocates nothing. Not for two threads at once. False where batch.cancel became
  // true on the way: then no logits are written, and what the cache has of these tokens is worth nothing.
  [[nodiscard]] virtual bool Forward(ThreadPool& pool, KvCache& cache, const Batch& batch) = 0;

 protected:
  ModelInfo info_;
  size_t max_rows_ = 0;
};

struct LoadOptions {
  Precision precision = Precision::kFast;
  size_t max_rows = 512;
  // Called from time to time while weights are read, with bytes done and in all.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

}  // namespace bothy
