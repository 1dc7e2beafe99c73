// LLaMA and Mistral: from the keys of config.json or of GGUF to the configuration of models/llama_model.h.
#include <fmt/core.h>

#include <algorithm>

#include "models/families.h"
#include "models/llama_model.h"
#include "models/rope_config.h"

namespace bothy {
namespace {

constexpr std::string_view kModelTypes[] = {"llama", "mistral"};
constexpr std::string_view kArchitectures[] = {"llama"};

// Sizes above this are no model's; they would only overflow what is computed from them.
constexpr int64_t kMaxSize = int64_t{1} << 24;

Result<size_t> Size(std::string_view key, std::optional<int64_t> value, std::optional<int64_t> fallback = {}) {
  if (!value) value = fallback;
  if (!value) return Fail(ErrorCode::kNotFound, "key \"{}\" is missing", key);
  if (*value < 1 || *value > kMaxSize) {
    return Fail(ErrorCode::kCorrupt, "key \"{}\": expected 1 to {}, found {}", key, kMaxSize, *value);
  }
  return static_cast<size_t>(*value);
}

Result<void> CheckHeads(const LlamaConfig& config) {
  if (config.heads % config.kv_heads == 0) return {};
  return Fail(ErrorCode::kCorrupt, "{} query heads cannot share {} key heads", config.heads, config.kv_heads);
}

Result<LlamaConfig> FromJson(const json::object& json) {
  LlamaConfig config;
  // A missing key has the default of transformers' LlamaConfig.
  const auto size = [&](std::string_view key, std::optional<int64_t> fallback) -> Result<size_t> {
    return Size(key, TRY(json::GetInt(json, key)), fallback);
  };
  config.vocabulary = TRY(size("vocab_size", 32000));
  config.hidden = TRY(size("hidden_size", 4096));
  config.intermediate = TRY(size("intermediate_size", 11008));
  config.layers = TRY(size("num_hidden_layers", 32));
  config.heads = TRY(size("num_attention_heads", 32));
  config.kv_heads = TRY(size("num_key_value_heads", static_cast<int64_t>(config.heads)));
  config.head_dim = TRY(size("head_dim", static_cast<int64_t>(config.hidden / config.heads)));
  config.context_length = TRY(size("max_position_embeddings", 2048));
  config.norm_epsilon = static_cast<float>(TRY(json::GetNumber(json, "rms_norm_eps")).value_or(1e-6));
  const std::string activation = TRY(json::GetString(json, "hidden_act")).value_or("silu");
  if (activation != "silu" && activation != "swish") {
    return Fail(ErrorCode::kUnimplemented, "key \"hidden_act\": expected \"silu\", found \"{}\"", activation);
  }
  if (TRY(json::GetString(json, "model_type")) == "mistral") {
    config.window = TRY(json::GetInt(json, "sliding_window")).value_or(0);
  }
  config.tied = TRY(json::GetBool(json, "tie_word_embeddings")).value_or(false);
  TRY(CheckHeads(config));
  config.rope = TRY(RopeConfigFromJson(json, config.head_dim));
  if (config.rope.type == RopeConfig::Type::kDynamic && config.rope.factor > 1) {
    // What the scaling is for: max_position_embeddings is where it begins, not where the context ends.
    const double reach = static_cast<double>(config.context_length) * std::min(config.rope.factor, 1024.0);
    config.context_length = static_cast<size_t>(reach);
  }
  return config;
}

Result<LlamaConfig> FromGguf(const GgufMetadata& metadata, const Checkpoint& checkpoint) {
  const std::string architecture = TRY(metadata.NeedString("general.architecture"));
  LlamaConfig config;
  const auto size = [&](std::string_view name, std::optional<int64_t> fallback) -> Result<size_t> {
    const std::string key = fmt::format("{}.{}", architecture, name);
    return Size(key, TRY(metadata.GetInt(key)), fallback);
  };
  // The embeddings know the size of the vocabulary best: the key came later than the format.
  const ArrayInfo* embeddings = TRY(checkpoint.Get("token_embd.weight"));
  if (embeddings->shape.size() != 2) return Fail(ErrorCode::kCorrupt, "array \"{}\" is no matrix", embeddings->name);
  config.vocabulary = TRY(Size("token_embd.weight", static_cast<int64_t>(embeddings->shape[0])));
  config.hidden = TRY(size("embedding_length", {}));
  config.intermediate = TRY(size("feed_forward_length", {}));
  config.layers = TRY(size("block_count", {}));
  config.heads = TRY(size("attention.head_count", {}));
  config.kv_heads = TRY(size("attention.head_count_kv", static_cast<int64_t>(config.heads)));
  config.head_dim = TRY(size("attention.key_length", static_cast<int64_t>(config.hidden / config.heads)));
  config.context_length = TRY(size("context_length", {}));
  config.norm_epsilon = static_cast<float>(TRY(metadata.NeedFloat(architecture + ".attention.layer_norm_rms_epsilon")));
  config.window = TRY(metadata.GetInt(architecture + ".attention.sliding_window")).value_or(0);
  if (TRY(metadata.GetInt(architecture + ".expert_count")).value_or(0) > 0) {
    return Fail(ErrorCode::kUnimplemented, "key \"{}.expert_count\": mixtures of experts are not supported",
                architecture);
  }
  TRY(CheckHeads(config));
  config.rope = TRY(RopeConfigFromGguf(metadata, architecture, config.head_dim, config.context_length));
  config.tied = true;
  config.interleaved = true;
  config.gguf_names = true;
  return config;
}

Result<std::unique_ptr<LanguageModel>> Load(const ModelFiles& files, ThreadPool& pool, const LoadOptions& options) {
  LlamaConfig config;
  if (files.gguf) {
    config = TRY_CONTEXT(files.name, FromGguf(*files.gguf, files.checkpoint));
  } else {
    config = TRY_CONTEXT(files.name, FromJson(*files.config));
    config.interleaved = files.rope_interleaved;
  }
  return LoadLlamaModel(config, files.checkpoint, pool, options);
}

}  // namespace
}  // namespace bothy

BOTHY_MODEL_FAMILY(llama) = {"llama", bothy::kModelTypes, bothy::kArchitectures, bothy::Load};
