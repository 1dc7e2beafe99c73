// A small model in the Hugging Face layout: config.json, generation_config.json and model.safetensors, with zero bytes
// between. What loads also runs for a few tokens.
#include <vector>

#include "base/error.h"
#include "codec/json.h"
#include "codec/safetensors.h"
#include "input.h"
#include "models/families.h"
#include "runtime/engine.h"
#include "runtime/sampling/sampling_params.h"

using namespace bothy;

namespace {

std::optional<json::object> ReadObject(std::string_view text) {
  auto value = json::Parse(text, "input");
  if (!value || !value->is_object()) return std::nullopt;
  return std::move(value->get_object());
}

void ReadSettings(const json::object& settings) {
  for (const SettingsFrom from : {SettingsFrom::kFile, SettingsFrom::kRequest}) {
    SamplingParams params;
    if (ReadSampling(settings, from, params)) CHECK(CheckSampling(params));
  }
}

void RunModel(std::unique_ptr<LanguageModel> model, ThreadPool& pool) {
  const auto engine = Engine::Create(std::move(model), pool, {.cache_tokens = 32});
  if (!engine) return;
  constexpr size_t kTokens = 3;
  KvSequence sequence = (*engine)->NewSequence();
  const std::vector<int32_t> tokens(kTokens, 0);
  std::vector<float> logits((*engine)->info().vocabulary * kTokens);
  const EngineInput input = {&sequence, tokens, EngineInput::Want::kAll};
  (void)(*engine)->Run({&input, 1}, logits.data());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  ModelFiles files;
  files.name = "input";
  files.config = ReadObject(TakePart(input));
  files.generation_config = ReadObject(TakePart(input));
  if (files.generation_config) ReadSettings(*files.generation_config);
  if (!files.config) return 0;
  ReadSettings(*files.config);
  if (auto weights = ReadSafetensors(MemorySource("input", input))) files.checkpoint = std::move(weights->checkpoint);
  static ThreadPool pool(1);
  // Few rows: what a call works in is allocated for them.
  if (auto model = LoadLanguageModel(files, pool, {.max_rows = 4})) RunModel(*std::move(model), pool);
  return 0;
}
