#include "compress/hugging_face.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <numbers>
#include <ranges>

#include "compress/hf_special_tokens.h"
#include "compress/hf_vocabulary.h"
#include "compress/model_name.h"
#include "models/rope_config.h"
#include "models/weights.h"

namespace bothy {
namespace {

struct Family {
  std::string_view model_type;    // of config.json
  std::string_view architecture;  // of GGUF
  bool interleaves;               // q and k have the two halves of a head interleaved
};
constexpr std::array kFamilies = {Family{"llama", "llama", true}, Family{"mistral", "llama", true},
                                  Family{"mixtral", "llama", true}, Family{"qwen2", "qwen2", false},
                                  Family{"qwen3", "qwen3", false}};

// Sizes above this are no model's.
constexpr int64_t kMaxSize = int64_t{1} << 24;

// The numbers of config.json that become metadata; where one is missing, transformers' default.
struct Shape {
  uint32_t layers, hidden, intermediate, heads, key_value_heads, head_dim, context;
  uint32_t experts, experts_used;  // 0: a dense model
};

Result<uint32_t> Size(const json::object& config, std::string_view key, uint32_t fallback) {
  const int64_t value = TRY(json::GetInt(config, key)).value_or(fallback);
  if (value >= 0 && value <= kMaxSize) return static_cast<uint32_t>(value);
  return Fail(ErrorCode::kCorrupt, "key \"{}\": expected 0 to {}, found {}", key, kMaxSize, value);
}

Result<Shape> ReadShape(const json::object& config, std::string_view model_type) {
  Shape shape{};
  shape.layers = TRY(Size(config, "num_hidden_layers", 32));
  shape.hidden = TRY(Size(config, "hidden_size", 4096));
  shape.intermediate = TRY(Size(config, "intermediate_size", model_type == "llama" ? 11008 : 14336));
  shape.heads = TRY(Size(config, "num_attention_heads", 32));
  const uint32_t grouped = model_type == "mistral" || model_type == "mixtral" ? 8 : shape.heads;
  shape.key_value_heads = TRY(Size(config, "num_key_value_heads", grouped));
  if (shape.heads == 0 || shape.key_value_heads == 0 || shape.heads % shape.key_value_heads != 0) {
    return Fail(ErrorCode::kCorrupt, "{} query heads cannot share {} key heads", shape.heads, shape.key_value_heads);
  }
  shape.head_dim = TRY(Size(config, "head_dim", model_type == "qwen3" ? 128 : shape.hidden / shape.heads));
  if (shape.head_dim == 0 || shape.head_dim % 2 != 0) {
    return Fail(ErrorCode::kCorrupt, "heads have {} dimensions: expected an even number", shape.head_dim);
  }
  shape.context = TRY(Size(config, "max_position_embeddings", 2048));
  if (model_type == "mixtral") {
    shape.experts = TRY(Size(config, "num_local_experts", 8));
    shape.experts_used = TRY(Size(config, "num_experts_per_tok", 2));
  }
  return shape;
}

// ---- Names ----

struct Name {
  std::string gguf;
  std::optional<uint32_t> expert;  // of those that are stacked under one name
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kLayerNames = {
    {{"input_layernorm", "attn_norm"},
     {"self_attn.q_proj", "attn_q"},
     {"self_attn.k_proj", "attn_k"},
     {"self_attn.v_proj", "attn_v"},
     {"self_attn.o_proj", "attn_output"},
     {"self_attn.q_norm", "attn_q_norm"},
     {"self_attn.k_norm", "attn_k_norm"},
     {"post_attention_layernorm", "ffn_norm"},
     {"mlp.gate_proj", "ffn_gate"},
     {"mlp.up_proj", "ffn_up"},
     {"mlp.down_proj", "ffn_down"},
     {"block_sparse_moe.gate", "ffn_gate_inp"}}};

// Takes "17." off the front.
std::optional<uint32_t> TakeNumber(std::string_view& text) {
  uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest == end || *rest != '.') return std::nullopt;
  text.remove_prefix(static_cast<size_t>(rest - text.data()) + 1);
  return number;
}

// Mixtral's "block_sparse_moe.experts.3.w1".
std::optional<Name> NameOfExpert(std::string_view name, uint32_t layer, std::string_view suffix) {
  constexpr std::string_view kPrefix = "block_sparse_moe.experts.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const auto expert = TakeNumber(name);
  const std::string_view matrix = name == "w1" ? "gate" : name == "w2" ? "down" : name == "w3" ? "up" : "";
  if (!expert || matrix.empty() || suffix != ".weight") return std::nullopt;
  return Name{fmt::format("blk.{}.ffn_{}_exps.weight", layer, matrix), expert};
}

const std::string kEmbeddings = "model.embed_tokens.weight", kHead = "lm_head.weight";

// Nothing for a name that the families do not have.
std::optional<Name> NameInGguf(std::string_view name) {
  if (name == kEmbeddings) return Name{"token_embd.weight", {}};
  if (name == "model.norm.weight") return Name{"output_norm.weight", {}};
  if (name == kHead) return Name{"output.weight", {}};
  constexpr std::string_view kLayers = "model.layers.";
  if (!name.starts_with(kLayers)) return std::nullopt;
  name.remove_prefix(kLayers.size());
  const auto layer = TakeNumber(name);
  if (!layer) return std::nullopt;
  for (const std::string_view suffix : {".weight", ".bias"}) {
    if (!name.ends_with(suffix)) continue;
    name.remove_suffix(suffix.size());
    if (auto expert = NameOfExpert(name, *layer, suffix)) return expert;
    for (const auto& [from, to] : kLayerNames) {
      if (name == from) return Name{fmt::format("blk.{}.{}{}", *layer, to, suffix), {}};
    }
  }
  return std::nullopt;
}

// Tables that follow from the configuration, which older checkpoints store all the same.
bool IsDerived(std::string_view name) {
  return name.ends_with(".rotary_emb.inv_freq") || name.ends_with(".attention.masked_bias");
}

// ---- Arrays ----

class ArrayReader {
 public:
  ArrayReader(const ModelFiles& files, const Family& family, const Shape& shape, bool tied)
      : files_(files), interleaves_(family.interleaves && !files.rope_interleaved), shape_(shape), tied_(tied) {}

  Result<std::vector<ModelArray>> Read() {
    const TokenArrays tokens = TRY(FindTokenArrays(files_.checkpoint, kEmbeddings, kHead, tied_));
    for (const ArrayInfo& array : files_.checkpoint.arrays()) {
      const bool of_tokens = array.name == kEmbeddings || array.name == kHead;
      if (of_tokens && &array != tokens.embeddings && &array != tokens.own_head) continue;  // the same once more
      if (IsDerived(array.name)) continue;
      const auto name = NameInGguf(&array == tokens.embeddings ? kEmbeddings : array.name);
      if (!name) {
        return Fail(ErrorCode::kUnimplemented, "{}: array \"{}\" has no name in GGUF", files_.name, array.name);
      }
      TRY(name->expert ? AddExpert(*name, array) : Add(name->gguf, array));
    }
    for (ModelArray& stack : stacks_ | std::views::values) {
      if (std::ranges::find(stack.parts, nullptr) != stack.parts.end()) {
        return Fail(ErrorCode::kCorrupt, "{}: array \"{}\" lacks some of its {} experts", files_.name, stack.info.name,
                    shape_.experts);
      }
      arrays_.push_back(std::move(stack));
    }
    return std::move(arrays_);
  }

 private:
  Result<void> Add(const std::string& name, const ArrayInfo& array) {
    ModelArray& added = arrays_.emplace_back();
    // What must not be quantized is f32.
    added.info = {.name = name, .dtype = DType::kF32, .shape = array.shape};
    added.parts = {&array};
    const bool query = name.ends_with(".attn_q.weight") || name.ends_with(".attn_q.bias");
    const bool key = name.ends_with(".attn_k.weight") || name.ends_with(".attn_k.bias");
    if (!interleaves_ || (!query && !key)) return {};
    added.interleaved_heads = query ? shape_.heads : shape_.key_value_heads;
    // A bias is a column here: its rows are elements.
    const uint64_t rows = array.shape.empty() ? 0 : array.shape[0];
    if (rows != added.interleaved_heads * shape_.head_dim) {
      return Fail(ErrorCode::kCorrupt, "{}: array \"{}\": expected {} rows for {} heads of {}, found {}", files_.name,
                  array.name, added.interleaved_heads * shape_.head_dim, added.interleaved_heads, shape_.head_dim,
                  rows);
    }
    return {};
  }

  Result<void> AddExpert(const Name& name, const ArrayInfo& array) {
    if (*name.expert >= shape_.experts) {
      return Fail(ErrorCode::kCorrupt, "{}: array \"{}\": config.json says that there are {} experts", files_.name,
                  array.name, shape_.experts);
    }
    ModelArray& stack = stacks_[name.gguf];
    if (stack.parts.empty()) {
      stack.info = {.name = name.gguf, .dtype = DType::kF32, .shape = array.shape};
      stack.info.shape.insert(stack.info.shape.begin(), shape_.experts);
      stack.parts.resize(shape_.experts);
    } else if (!std::ranges::equal(array.shape, std::span(stack.info.shape).subspan(1)) ||
               array.dtype != (*std::ranges::find_if(stack.parts, [](auto* p) { return p != nullptr; }))->dtype) {
      return Fail(ErrorCode::kCorrupt, "{}: array \"{}\" is not like those of the other experts", files_.name,
                  array.name);
    }
    stack.parts[*name.expert] = &array;
    return {};
  }

  const ModelFiles& files_;
  bool interleaves_;
  const Shape& shape_;
  bool tied_;
  std::vector<ModelArray> arrays_;
  std::map<std::string, ModelArray> stacks_;
};

// ---- Rotary embedding ----

// How much longer the waves of LLaMA 3.1's scaling become, one number a pair: GGUF has them as an array. In f32, step
// by step, as the converter computes them.
std::vector<float> Llama3Divisors(const RopeConfig& rope) {
  std::vector<float> divisors;
  const auto original = static_cast<float>(rope.original_max_position_embeddings);
  const auto low = static_cast<float>(rope.low_freq_factor);
  const auto high = static_cast<float>(rope.high_freq_factor);
  const auto factor = static_cast<float>(rope.factor);
  for (size_t i = 0; i < rope.dim; i += 2) {
    const float power = std::pow(static_cast<float>(rope.theta), static_cast<float>(i) / static_cast<float>(rope.dim));
    const float wavelength = 2.0f * std::numbers::pi_v<float> / (1.0f / power);
    if (wavelength < original / high) {
      divisors.push_back(1.0f);
    } else if (wavelength > original / low) {
      divisors.push_back(factor);
    } else {
      const float smooth = (original / wavelength - low) / (high - low);
      divisors.push_back(1.0f / ((1.0f - smooth) / factor + smooth));
    }
  }
  return divisors;
}

// yarn's attention factor as a multiple of what llama.cpp computes itself, 0.1 ln(factor) + 1.
double YarnExtra(const RopeConfig& rope) {
  const auto scale = [&](double mscale) { return rope.factor > 1 ? 0.1 * mscale * std::log(rope.factor) + 1 : 1.0; };
  if (rope.attention_factor) return *rope.attention_factor / scale(1);
  if (rope.mscale.value_or(0) != 0 && rope.mscale_all_dim.value_or(0) != 0) {
    return scale(*rope.mscale) / scale(*rope.mscale_all_dim) / scale(1);
  }
  return 1;
}

// Adds a model's keys under its architecture's name.
class Keys {
 public:
  Keys(std::string_view architecture, GgufMetadata& metadata) : architecture_(architecture), metadata_(metadata) {}

  void U32(std::string_view name, uint32_t value) { metadata_.Set(Key(name), GgufValue::U32(value)); }
  void F32(std::string_view name, double value) { metadata_.Set(Key(name), GgufValue::F32(static_cast<float>(value))); }
  void String(std::string_view name, std::string value) {
    metadata_.Set(Key(name), GgufValue::String(std::move(value)));
  }

 private:
  std::string Key(std::string_view name) const { return fmt::format("{}.{}", architecture_, name); }

  std::string_view architecture_;
  GgufMetadata& metadata_;
};

Result<void> AddRope(const RopeConfig& rope, Keys& keys, std::vector<ModelArray>& arrays) {
  using Type = RopeConfig::Type;
  keys.U32("rope.dimension_count", static_cast<uint32_t>(rope.dim));
  keys.F32("rope.freq_base", rope.theta);
  switch (rope.type) {
    case Type::kDefault: return {};
    case Type::kLinear:
      keys.String("rope.scaling.type", "linear");
      keys.F32("rope.scaling.factor", rope.factor);
      return {};
    case Type::kYarn:
      if (!rope.truncate) {
        return Fail(ErrorCode::kUnimplemented, "rope type \"yarn\": GGUF cannot say \"truncate\": false");
      }
      keys.String("rope.scaling.type", "yarn");
      keys.F32("rope.scaling.factor", rope.factor);
      keys.U32("rope.scaling.original_context_length", static_cast<uint32_t>(rope.original_max_position_embeddings));
      keys.F32("rope.scaling.yarn_beta_fast", rope.beta_fast);
      keys.F32("rope.scaling.yarn_beta_slow", rope.beta_slow);
      if (const double extra = YarnExtra(rope); extra != 1) keys.F32("rope.scaling.attn_factor", extra);
      return {};
    case Type::kLlama3: {
      ModelArray& array = arrays.emplace_back();
      array.values = Llama3Divisors(rope);
      array.info = {.name = "rope_freqs.weight", .dtype = DType::kF32, .shape = {array.values.size()}};
      return {};
    }
    case Type::kDynamic:
    case Type::kLongRope: break;
  }
  return Fail(ErrorCode::kUnimplemented, "rope types \"dynamic\" and \"longrope\" cannot be written to GGUF");
}

// ---- Metadata ----

// What a folder is called: its name, but in the cache of Hugging Face's clients, models--ns--name/snapshots/revision,
// where that is a hash, "ns/name".
std::string NameOfFolder(const std::filesystem::path& folder) {
  constexpr std::string_view kModels = "models--";
  std::error_code ignored;
  const std::filesystem::path path = std::filesystem::canonical(folder, ignored);
  const std::string repository = path.parent_path().parent_path().filename().string();
  if (path.parent_path().filename() != "snapshots" || !repository.starts_with(kModels)) return path.filename().string();
  std::string name = repository.substr(kModels.size());
  if (const size_t dashes = name.find("--"); dashes != std::string::npos) name.replace(dashes, 2, "/");
  return name;
}

// general.*: what the folder's name, or the name that the configuration was made under, says.
Result<void> AddNames(const ModelFiles& files, uint64_t parameters, uint64_t experts, GgufMetadata& metadata) {
  std::string stored = TRY(json::GetString(*files.config, "_name_or_path")).value_or("");
  if (std::ranges::count(stored, '/') > 1 || stored == ".") stored.clear();  // a place on some disk, no name
  const ModelName by_config = ParseModelName(stored, parameters);
  const ModelName by_folder = ParseModelName(NameOfFolder(files.folder->name()), parameters);
  const auto set = [&](std::string_view key, std::string ModelName::* part, const std::string& fallback) {
    const std::string& first = by_config.*part;
    const std::string& value = !first.empty() ? first : !(by_folder.*part).empty() ? by_folder.*part : fallback;
    if (!value.empty()) metadata.Set(key, GgufValue::String(value));
  };
  set("general.name", &ModelName::title, "model");
  set("general.version", &ModelName::version, "");
  set("general.organization", &ModelName::organization, "");
  set("general.finetune", &ModelName::finetune, "");
  set("general.basename", &ModelName::basename, "");
  set("general.size_label", &ModelName::size_label, SizeLabel(parameters, experts));
  return {};
}

// general.sampling.*: what generation_config.json recommends.
Result<void> AddSampling(const json::object& config, GgufMetadata& metadata) {
  for (const auto& [from, to] : {std::pair("top_k", "top_k"), std::pair("penalty_last_n", "penalty_last_n"),
                                 std::pair("mirostat", "mirostat")}) {
    const auto value = TRY(json::GetInt(config, from));
    if (value && *value >= INT32_MIN && *value <= INT32_MAX) {
      metadata.Set(fmt::format("general.sampling.{}", to), GgufValue::I32(static_cast<int32_t>(*value)));
    }
  }
  for (const auto& [from, to] :
       {std::pair("top_p", "top_p"), std::pair("min_p", "min_p"), std::pair("temperature", "temp"),
        std::pair("xtc_probability", "xtc_probability"), std::pair("xtc_threshold", "xtc_threshold"),
        std::pair("repetition_penalty", "penalty_repeat"), std::pair("penalty_repeat", "penalty_repeat"),
        std::pair("mirostat_tau", "mirostat_tau"), std::pair("mirostat_eta", "mirostat_eta")}) {
    if (const auto value = TRY(json::GetNumber(config, from))) {
      metadata.Set(fmt::format("general.sampling.{}", to), GgufValue::F32(static_cast<float>(*value)));
    }
  }
  return {};
}

Result<const Family*> FamilyOf(const json::object& config) {
  const std::string model_type = TRY(json::GetString(config, "model_type")).value_or("");
  const auto found = std::ranges::find(kFamilies, model_type, &Family::model_type);
  if (found != kFamilies.end()) return &*found;
  return Fail(ErrorCode::kUnimplemented,
              "key \"model_type\": expected one of llama, mistral, mixtral, qwen2, qwen3, found \"{}\"", model_type);
}

Result<GgufConversion> Convert(const ModelFiles& files) {
  const json::object& config = *files.config;
  const Family& family = *TRY(FamilyOf(config));
  const Shape shape = TRY(ReadShape(config, family.model_type));
  const bool tied = TRY(json::GetBool(config, "tie_word_embeddings")).value_or(false);

  GgufConversion out;
  GgufModel& model = out.model;
  model.traits = {.architecture = std::string(family.architecture),
                  .layers = shape.layers,
                  .heads = shape.heads,
                  .key_value_heads = shape.key_value_heads,
                  .experts = shape.experts};
  model.arrays = TRY(ArrayReader(files, family, shape, tied).Read());

  GgufMetadata& metadata = model.metadata;
  metadata.Set("general.architecture", GgufValue::String(std::string(family.architecture)));
  metadata.Set("general.type", GgufValue::String("model"));
  Keys keys(family.architecture, metadata);
  keys.U32("block_count", shape.layers);
  keys.U32("context_length", shape.context);
  keys.U32("embedding_length", shape.hidden);
  keys.U32("feed_forward_length", shape.intermediate);
  keys.U32("attention.head_count", shape.heads);
  keys.U32("attention.head_count_kv", shape.key_value_heads);
  keys.U32("attention.key_length", shape.head_dim);
  keys.U32("attention.value_length", shape.head_dim);
  keys.F32("attention.layer_norm_rms_epsilon", TRY(json::GetNumber(config, "rms_norm_eps")).value_or(1e-6));
  if (shape.experts > 0) {
    keys.U32("expert_count", shape.experts);
    keys.U32("expert_used_count", shape.experts_used);
  }
  if (family.model_type == "mistral") {
    const auto window = TRY(json::GetInt(config, "sliding_window"));
    if (window && *window > 0 && *window <= kMaxSize) {
      keys.U32("attention.sliding_window", static_cast<uint32_t>(*window));
    }
  }
  TRY(AddRope(TRY(RopeConfigFromJson(config, shape.head_dim)), keys, model.arrays));

  const auto embeddings = std::ranges::find(model.arrays, "token_embd.weight", [](auto& a) { return a.info.name; });
  if (embeddings == model.arrays.end()) {
    return Fail(ErrorCode::kNotFound, "there is no array \"model.embed_tokens.weight\"");
  }
  const uint64_t rows = embeddings->info.shape.empty() ? 0 : embeddings->info.shape[0];
  if (rows > uint64_t{kMaxSize}) {
    return Fail(ErrorCode::kCorrupt, "array \"model.embed_tokens.weight\": expected up to {} rows, found {}", kMaxSize,
                rows);
  }
  keys.U32("vocab_size", static_cast<uint32_t>(rows));

  uint64_t parameters = 0;
  for (const ModelArray& array : model.arrays) {
    const uint64_t count = ElementCount(array.info);
    // The size of a mixture is spoken of as that of one expert with what all share.
    parameters += array.info.name.find("_exps.") != std::string::npos ? count / shape.experts : count;
  }
  TRY(AddNames(files, parameters, shape.experts, metadata));
  if (files.generation_config) TRY_CONTEXT("generation_config.json", AddSampling(*files.generation_config, metadata));

  const TokenizerFiles tokenizer = TRY(ReadTokenizerFiles(*files.folder));
  out.has_vocabulary = TRY(AddVocabulary(tokenizer, rows, metadata));
  TRY(AddSpecialTokens(tokenizer, config, rows, metadata));
  std::ranges::sort(model.arrays, ComesBefore, [](const ModelArray& a) -> std::string_view { return a.info.name; });
  return out;
}

}  // namespace

Result<GgufConversion> GgufModelFromFolder(const ModelFiles& files) {
  if (!files.config || files.folder == nullptr) {
    return Fail(ErrorCode::kNotFound, "{}: there is no config.json with it that says what model this is", files.name);
  }
  return TRY_CONTEXT(files.name, Convert(files));
}

}  // namespace bothy
