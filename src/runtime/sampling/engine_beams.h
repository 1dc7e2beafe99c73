// Beams of an engine: forks of one sequence, so that what they have in common lies in the cache once.
#pragma once

#include <atomic>
#include <vector>

#include "runtime/engine.h"
#include "runtime/sampling/beam_search.h"

namespace bothy {

class EngineBeams final : public BeamModel {
 public:
  // Errors are those of Engine::Run, of `cancel` too.
  explicit EngineBeams(Engine& engine, const std::atomic<bool>* cancel = nullptr) : engine_(engine), cancel_(cancel) {}

  // Goes on from a prompt that has been run already: `prompt` holds it, `logits` came after its last token.
  EngineBeams(Engine& engine, const KvSequence& prompt, std::span<const float> logits,
              const std::atomic<bool>* cancel = nullptr);

  Result<std::span<const float>> Prefill(std::span<const int32_t> prompt) override;
  Result<std::span<const float>> Step(std::span<const uint32_t> parents, std::span<const int32_t> tokens) override;

 private:
  Engine& engine_;
  const std::atomic<bool>* cancel_;
  std::vector<KvSequence> beams_;
  std::vector<float> logits_;
};

}  // namespace bothy
