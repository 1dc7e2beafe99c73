// A model that answers: its files, tokenizer and template, and the scheduler that runs it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "codec/model_files.h"
#include "runtime/grammar/grammar_state.h"
#include "runtime/grammar/vocabulary.h"
#include "runtime/scheduler/scheduler.h"
#include "serve/constraint.h"
#include "serve/prompt.h"
#include "tensor/thread_pool.h"
#include "text/token_bytes.h"
#include "text/tokenizer.h"

namespace bothy::serve {

struct ServingOptions {
  int threads = 0;  // 0: one for each core
  KvType kv = KvType::kF16;
  size_t context = 0;  // tokens that one text may have; 0: what the model was made for
  // Of the cache of keys and values, over all texts. A model whose context needs more gets a shorter one.
  uint64_t cache_bytes = uint64_t{4} << 30;
  SchedulerOptions scheduler;
};

class ServedModel {  // Safe to use from several threads.
 public:
  // `progress` is called from time to time with bytes of weights done and in all.
  static Result<std::shared_ptr<ServedModel>> Load(ModelFiles files, const ServingOptions& options,
                                                   std::function<void(uint64_t done, uint64_t total)> progress = {});

  const std::string& name() const { return files_.name; }
  const ModelFiles& files() const { return files_; }
  const ModelInfo& info() const { return engine_->info(); }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const ChatPrompt* chat() const { return chat_ ? &*chat_ : nullptr; }  // null: it continues text, and no more
  const SamplingParams& defaults() const { return defaults_; }          // of its own files, with its end tokens
  size_t context() const { return context_; }
  uint64_t bytes() const { return bytes_; }  // of memory: weights, and the cache when it is full
  Scheduler& scheduler() { return *scheduler_; }

  // The bytes that a token adds to a text; of a special one its name.
  std::string BytesOf(TokenId token) const;

  // What tokens may come where a text has to be so; null where it may be anything. One for each constraint that was
  // asked for lately. kInvalidArgument names what of it cannot be.
  Result<std::shared_ptr<const CompiledGrammar>> GrammarFor(const ConstraintSpec& constraint);

 private:
  ServedModel() = default;
  Result<void> ReadDefaults();

  ModelFiles files_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<Tokenizer> tokenizer_;
  TokenBytes token_bytes_;
  std::optional<ChatPrompt> chat_;
  SamplingParams defaults_;
  size_t context_ = 0;
  uint64_t bytes_ = 0;
  std::unique_ptr<Engine> engine_;
  std::mutex mutex_;  // of what follows
  std::shared_ptr<const GrammarVocabulary> vocabulary_;
  std::vector<std::pair<std::string, std::shared_ptr<const CompiledGrammar>>> grammars_;  // the last one used first
  std::unique_ptr<Scheduler> scheduler_;  // the last, for it uses the others
};

// Bytes of memory that a model will take, by its files.
uint64_t ExpectedBytes(const ModelFiles& files, const ServingOptions& options);

}  // namespace bothy::serve
