#include "runtime/engine.h"

#include <algorithm>

namespace bothy {

Result<std::unique_ptr<Engine>> Engine::Create(std::unique_ptr<LanguageModel> model, ThreadPool& pool,
                                               const EngineOptions& options) {
  const ModelInfo& info = model->info();
  const size_t tokens = options.cache_tokens > 0 ? options.cache_tokens : info.context_length;
  std::unique_ptr<KvCache> cache = TRY(KvCache::Create(info.kv, options.kv, tokens));
  return std::unique_ptr<Engine>(new Engine(std::move(model), pool, std::move(cache)));
}

Result<void> Engine::Check(std::span<const EngineInput> inputs) const {
  for (const EngineInput& input : inputs) {
    const size_t length = input.sequence->length() + input.tokens.size();
    if (length > info().context_length) {
      return Fail(ErrorCode::kOutOfRange, "{} tokens do not fit into the model's context of {}: give fewer", length,
                  info().context_length);
    }
    for (const int32_t token : input.tokens) {
      if (token < 0 || static_cast<size_t>(token) >= info().vocabulary) {
        return Fail(ErrorCode::kOutOfRange, "token {} is not in the model's vocabulary of {}", token,
                    info().vocabulary);
      }
    }
  }
  return {};
}

Result<void> Engine::Run(std::span<const EngineInput> inputs, float* logits, const std::atomic<bool>* cancel) {
  TRY(Check(inputs));
  std::vector<size_t> lengths;
  for (const EngineInput& input : inputs) lengths.push_back(input.sequence->length());
  Result<void> result = RunParts(inputs, logits, cancel);
  if (!result) {
    for (size_t i = 0; i < inputs.size(); i++) inputs[i].sequence->Truncate(lengths[i]);
  }
  return result;
}

Result<void> Engine::RunParts(std::span<const EngineInput> inputs, float* logits, const std::atomic<bool>* cancel) {
  size_t index = 0, offset = 0;  // the next token to run
  while (index < inputs.size()) {
    tokens_.clear();
    slices_.clear();
    logit_rows_.clear();
    while (index < inputs.size() && tokens_.size() < model_->max_rows()) {
      const EngineInput& input = inputs[index];
      const size_t count = std::min(input.tokens.size() - offset, model_->max_rows() - tokens_.size());
      if (count > 0) {
        TRY(input.sequence->Extend(count));
        const size_t row = tokens_.size();
        const size_t left = input.tokens.size() - offset - count;
        slices_.push_back({input.sequence, row, count, std::max(input.call_length, input.sequence->length() + left)});
        tokens_.insert(tokens_.end(), input.tokens.begin() + static_cast<ptrdiff_t>(offset),
                       input.tokens.begin() + static_cast<ptrdiff_t>(offset + count));
        for (size_t i = 0; i < count; i++) {
          const bool last = offset + i + 1 == input.tokens.size();
          if (input.want == EngineInput::Want::kAll || (input.want == EngineInput::Want::kLast && last)) {
            logit_rows_.push_back(static_cast<uint32_t>(row + i));
          }
        }
        offset += count;
      }
      if (offset < input.tokens.size()) break;
      index++;
      offset = 0;
    }
    if (tokens_.empty()) break;
    if (!model_->Forward(pool_, *cache_, {tokens_, slices_, logit_rows_, logits, {}, cancel})) {
      return Fail(ErrorCode::kCancelled, "cancelled");
    }
    if (logits != nullptr) logits += logit_rows_.size() * info().vocabulary;
  }
  return {};
}

}  // namespace bothy
