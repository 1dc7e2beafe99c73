#include "runtime/sampling/engine_beams.h"

namespace bothy {

EngineBeams::EngineBeams(Engine& engine, const KvSequence& prompt, std::span<const float> logits,
                         const std::atomic<bool>* cancel)
    : engine_(engine), cancel_(cancel), logits_(logits.begin(), logits.end()) {
  beams_.push_back(prompt.Fork());
}

Result<std::span<const float>> EngineBeams::Prefill(std::span<const int32_t> prompt) {
  if (!beams_.empty()) {
    CHECK(beams_.front().length() == prompt.size());
    return logits_;
  }
  beams_.push_back(engine_.NewSequence());
  logits_.resize(engine_.info().vocabulary);
  const EngineInput input = {&beams_.front(), prompt};
  TRY(engine_.Run({&input, 1}, logits_.data(), cancel_));
  return logits_;
}

Result<std::span<const float>> EngineBeams::Step(std::span<const uint32_t> parents, std::span<const int32_t> tokens) {
  std::vector<KvSequence> next;
  for (const uint32_t parent : parents) next.push_back(beams_[parent].Fork());
  beams_ = std::move(next);
  logits_.resize(beams_.size() * engine_.info().vocabulary);
  std::vector<EngineInput> inputs;
  for (size_t i = 0; i < beams_.size(); i++) inputs.push_back({&beams_[i], tokens.subspan(i, 1)});
  TRY(engine_.Run(inputs, logits_.data(), cancel_));
  return logits_;
}

}  // namespace bothy
