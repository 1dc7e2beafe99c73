// A loaded model with what it runs on: threads and a cache. Feeds sequences through it.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "models/language_model.h"

namespace bothy {

struct EngineOptions {
  KvType kv = KvType::kF16;
  // Tokens that the cache has room for, over all sequences; 0: the model's context length.
  size_t cache_tokens = 0;
};

// New tokens of one sequence, and whether the logits after the last of them, after each of them, or none are wanted.
struct EngineInput {
  KvSequence* sequence = nullptr;
  std::span<const int32_t> tokens;
  enum class Want { kNone, kLast, kAll } want = Want::kLast;
  // Where a caller gives one call's tokens bit by bit (to see the logits in turns, say): how long the sequence will be
  // after the last of them. 0: after these. Only for models whose info().length_dependent says so it changes a bit.
  size_t call_length = 0;
};

class Engine {
 public:
  // The pool must outlive the engine.
  static Result<std::unique_ptr<Engine>> Create(std::unique_ptr<LanguageModel> model, ThreadPool& pool,
                                                const EngineOptions& options);

  const ModelInfo& info() const { return model_->info(); }
  KvCache& cache() { return *cache_; }
  KvSequence NewSequence() { return KvSequence(*cache_); }

  // Appends every input's tokens to its sequence and writes the wanted logits, [vocabulary] each, in the order of the
  // inputs. All inputs together go through the model as one batch where they fit, else cut into several, which changes
  // no bit; neither do the other inputs.
  // kOutOfRange for a token that the vocabulary lacks, or where a sequence would be longer than the context;
  // kResourceExhausted where the cache is full; kCancelled where `cancel` became true, which is looked at before every
  // layer of the model. After an error the sequences are as long as they were.
  Result<void> Run(std::span<const EngineInput> inputs, float* logits, const std::atomic<bool>* cancel = nullptr);

 private:
  Engine(std::unique_ptr<LanguageModel> model, ThreadPool& pool, std::unique_ptr<KvCache> cache)
      : model_(std::move(model)), pool_(pool), cache_(std::move(cache)) {}
  Result<void> Check(std::span<const EngineInput> inputs) const;
  Result<void> RunParts(std::span<const EngineInput> inputs, float* logits, const std::atomic<bool>* cancel);

  std::unique_ptr<LanguageModel> model_;
  ThreadPool& pool_;
  std::unique_ptr<KvCache> cache_;
  // Of the part that is running.
  std::vector<int32_t> tokens_;
  std::vector<BatchSlice> slices_;
  std::vector<uint32_t> logit_rows_;
};

}  // namespace bothy
