// GPT-2 (Radford et al. 2019): layer norms before attention and MLP, learned positions, one matrix for q, k and v.
// Numbers are those of transformers 5.23, models/gpt2/modeling_gpt2.py.
#include <cmath>
#include <limits>

#include "models/families.h"
#include "models/weights.h"
#include "nn/linear.h"
#include "nn/rows.h"
#include "tensor/ops.h"

namespace bothy {
namespace {

constexpr std::string_view kModelTypes[] = {"gpt2"};
constexpr std::string_view kArchitectures[] = {"gpt2"};

// Sizes above this are no model's; they would only overflow what is computed from them.
constexpr int64_t kMaxSize = int64_t{1} << 24;

struct Gpt2Config {
  size_t vocabulary = 0;
  size_t hidden = 0;
  size_t intermediate = 0;
  size_t layers = 0;
  size_t heads = 0;
  size_t context_length = 0;
  float norm_epsilon = 1e-5f;
  bool exact_gelu = false;      // else with the tanh approximation
  bool scale_scores = true;     // by 1 / sqrt(head size)
  bool scale_by_layer = false;  // by 1 / (layer + 1) too
  bool tied = true;             // the embeddings are the output too where the checkpoint has none
  bool gguf = false;            // GGUF's names, and matrices as every other family stores them
};

struct Norm {
  std::vector<float> weight, bias;
};

struct Gpt2Layer {
  Norm attention_norm;
  Linear qkv, attention_out;
  Norm mlp_norm;
  Linear up, down;
};

Result<Gpt2Config> FromJson(const json::object& json) {
  Gpt2Config config;
  // A missing key has the default of transformers' GPT2Config.
  const auto size = [&](std::string_view key, int64_t fallback) -> Result<size_t> {
    const int64_t value = TRY(json::GetInt(json, key)).value_or(fallback);
    if (value >= 1 && value <= kMaxSize) return static_cast<size_t>(value);
    return Fail(ErrorCode::kCorrupt, "key \"{}\": expected 1 to {}, found {}", key, kMaxSize, value);
  };
  config.vocabulary = TRY(size("vocab_size", 50257));
  config.hidden = TRY(size("n_embd", 768));
  config.intermediate = TRY(size("n_inner", static_cast<int64_t>(4 * config.hidden)));
  config.layers = TRY(size("n_layer", 12));
  config.heads = TRY(size("n_head", 12));
  config.context_length = TRY(size("n_positions", 1024));
  config.norm_epsilon = static_cast<float>(TRY(json::GetNumber(json, "layer_norm_epsilon")).value_or(1e-5));
  config.scale_scores = TRY(json::GetBool(json, "scale_attn_weights")).value_or(true);
  config.scale_by_layer = TRY(json::GetBool(json, "scale_attn_by_inverse_layer_idx")).value_or(false);
  const std::string activation = TRY(json::GetString(json, "activation_function")).value_or("gelu_new");
  config.exact_gelu = activation == "gelu" || activation == "gelu_python";
  if (!config.exact_gelu && activation != "gelu_new" && activation != "gelu_fast" &&
      activation != "gelu_pytorch_tanh") {
    return Fail(ErrorCode::kUnimplemented,
                "key \"activation_function\": expected \"gelu_new\" or \"gelu\", found \"{}\"", activation);
  }
  config.tied = TRY(json::GetBool(json, "tie_word_embeddings")).value_or(true);
  if (TRY(json::GetBool(json, "add_cross_attention")).value_or(false)) {
    return Fail(ErrorCode::kUnimplemented, "key \"add_cross_attention\": cross attention is not supported");
  }
  return config;
}

Result<Gpt2Config> FromGguf(const GgufMetadata& metadata, const Checkpoint& checkpoint) {
  Gpt2Config config;
  const auto size = [&](std::string_view name) -> Result<size_t> {
    const std::string key = fmt::format("gpt2.{}", name);
    const int64_t value = TRY(metadata.NeedInt(key));
    if (value >= 1 && value <= kMaxSize) return static_cast<size_t>(value);
    return Fail(ErrorCode::kCorrupt, "key \"{}\": expected 1 to {}, found {}", key, kMaxSize, value);
  };
  const ArrayInfo* embeddings = TRY(checkpoint.Get("token_embd.weight"));
  if (embeddings->shape.size() != 2) return Fail(ErrorCode::kCorrupt, "array \"{}\" is no matrix", embeddings->name);
  config.vocabulary = embeddings->shape[0];
  config.hidden = TRY(size("embedding_length"));
  config.intermediate = TRY(size("feed_forward_length"));
  config.layers = TRY(size("block_count"));
  config.heads = TRY(size("attention.head_count"));
  config.context_length = TRY(size("context_length"));
  config.norm_epsilon = static_cast<float>(TRY(metadata.NeedFloat("gpt2.attention.layer_norm_epsilon")));
  config.gguf = true;
  return config;
}

class Gpt2Model final : public LanguageModel {
 public:
  static Result<std::unique_ptr<LanguageModel>> Load(const ModelFiles& files, ThreadPool& pool,
                                                     const LoadOptions& options);

  bool Forward(ThreadPool& pool, KvCache& cache, const Batch& batch) override;

 private:
  Gpt2Model(const Gpt2Config& config, const LoadOptions& options);
  void RunLayer(ThreadPool& pool, KvCache& cache, const Batch& batch, size_t index);
  // x_[i] = norm(hidden row of i), ready for `matrix`.
  template <class RowOf>
  void NormRows(ThreadPool& pool, size_t rows, const Norm& norm, const PackedMatrix& matrix, RowOf row_of);
  void AddProducts(ThreadPool& pool, const Linear& layer);  // hidden += layer(x_)

  Gpt2Config config_;
  Precision precision_;
  TokenMatrices tokens_;
  PackedMatrix positions_;
  std::vector<Gpt2Layer> layers_;
  Norm norm_;

  // What a call works in, for max_rows() rows.
  std::vector<float> hidden_, queries_, products_;
  std::vector<size_t> position_of_row_;
  std::vector<const BatchSlice*> slice_of_row_;
  ActivationRows x_;
  AttentionScratch scratch_;
};

Gpt2Model::Gpt2Model(const Gpt2Config& config, const LoadOptions& options)
    : config_(config), precision_(options.precision) {
  const size_t rows = max_rows_ = options.max_rows;
  hidden_.resize(rows * config.hidden);
  queries_.resize(rows * config.hidden);
  products_.resize(rows * std::max(3 * config.hidden, config.intermediate));
  position_of_row_.resize(rows);
  slice_of_row_.resize(rows);
  x_ = ActivationRows(rows, std::max(config.hidden, config.intermediate));
}

Result<std::unique_ptr<LanguageModel>> Gpt2Model::Load(const ModelFiles& files, ThreadPool& pool,
                                                       const LoadOptions& options) {
  const Gpt2Config config = files.gguf ? TRY_CONTEXT(files.name, FromGguf(*files.gguf, files.checkpoint))
                                       : TRY_CONTEXT(files.name, FromJson(*files.config));
  if (config.hidden % config.heads != 0) {
    return Fail(ErrorCode::kCorrupt, "{}: {} heads cannot share {} dimensions", files.name, config.heads,
                config.hidden);
  }
  WeightReader reader(files.checkpoint, pool, options);
  const size_t hidden = config.hidden, inner = config.intermediate;
  const std::string prefix = reader.Prefix("transformer.", "wte.weight");  // none in GPT-2's own repository
  const auto name = [&](std::string_view own, std::string_view gguf) {
    return config.gguf ? std::string(gguf) : prefix + std::string(own);
  };
  const auto layer_name = [&](size_t i, std::string_view own, std::string_view gguf) {
    return config.gguf ? fmt::format("blk.{}.{}", i, gguf) : fmt::format("{}h.{}.{}", prefix, i, own);
  };
  const auto read_norm = [&](const std::string& at) -> Result<Norm> {
    Norm norm;
    norm.weight = TRY(reader.Vector(at + ".weight", hidden));
    norm.bias = TRY(reader.Vector(at + ".bias", hidden));
    return norm;
  };
  // Conv1D, which the checkpoint's own format has its matrices from, stores [in][out].
  const auto read = [&](const std::string& at, size_t out, size_t in) {
    return config.gguf ? reader.ReadLinear(at, out, in) : reader.ReadTransposedLinear(at, out, in);
  };

  // The embeddings, and with them that the sizes are the file's, before memory is taken for them.
  TokenMatrices tokens =
      TRY(reader.ReadTokenMatrices(name("wte.weight", "token_embd.weight"), config.gguf ? "output" : "lm_head",
                                   config.vocabulary, hidden, config.tied));
  PackedMatrix positions =
      TRY(reader.Matrix(name("wpe.weight", "position_embd.weight"), config.context_length, hidden));
  TRY(reader.CheckShape(layer_name(0, "mlp.c_fc.bias", "ffn_up.bias"), {inner}));
  auto model = std::unique_ptr<Gpt2Model>(new Gpt2Model(config, options));
  model->tokens_ = std::move(tokens);
  model->positions_ = std::move(positions);
  for (size_t i = 0; i < config.layers; i++) {
    Gpt2Layer layer;
    layer.attention_norm = TRY(read_norm(layer_name(i, "ln_1", "attn_norm")));
    layer.qkv = TRY(read(layer_name(i, "attn.c_attn", "attn_qkv"), 3 * hidden, hidden));
    layer.attention_out = TRY(read(layer_name(i, "attn.c_proj", "attn_output"), hidden, hidden));
    layer.mlp_norm = TRY(read_norm(layer_name(i, "ln_2", "ffn_norm")));
    layer.up = TRY(read(layer_name(i, "mlp.c_fc", "ffn_up"), inner, hidden));
    layer.down = TRY(read(layer_name(i, "mlp.c_proj", "ffn_down"), hidden, inner));
    model->layers_.push_back(std::move(layer));
  }
  model->norm_ = TRY(read_norm(name("ln_f", "output_norm")));

  model->info_ = {.family = "gpt2",
                  .vocabulary = config.vocabulary,
                  .context_length = config.context_length,
                  .layers = config.layers,
                  .hidden = hidden,
                  .kv = {config.layers, config.heads, hidden / config.heads},
                  .parameters = reader.parameters(),
                  .weight_bytes = reader.packed_bytes(),
                  .length_dependent = false,
                  .unused_arrays = TRY(reader.Unread("GPT-2", config.gguf ? "blk." : prefix + "h.", config.layers,
                                                     {".attn.bias", ".attn.masked_bias"}))};  // causal masks
  return model;
}

template <class RowOf>
void Gpt2Model::NormRows(ThreadPool& pool, size_t rows, const Norm& norm, const PackedMatrix& matrix, RowOf row_of) {
  const size_t hidden = config_.hidden;
  x_.Set(rows, hidden, FormsFor({&matrix}, precision_));
  ForRows(pool, rows, [&](size_t i) {
    LayerNorm(hidden_.data() + row_of(i) * hidden, norm.weight.data(), norm.bias.data(), config_.norm_epsilon,
              x_.row(i), hidden);
    x_.Finish(i);
  });
}

void Gpt2Model::AddProducts(ThreadPool& pool, const Linear& layer) {
  const size_t hidden = config_.hidden;
  const Activations x = x_.View();
  const Product product = {&layer.weight, products_.data(), hidden};
  MatMul(pool, x, {&product, 1}, precision_);
  ForRows(pool, x.columns, [&](size_t r) {
    layer.AddBias(products_.data() + r * hidden);
    Add(hidden_.data() + r * hidden, products_.data() + r * hidden, hidden);
  });
}

void Gpt2Model::RunLayer(ThreadPool& pool, KvCache& cache, const Batch& batch, size_t index) {
  const Gpt2Layer& layer = layers_[index];
  const size_t rows = batch.tokens.size(), hidden = config_.hidden, heads = config_.heads, dim = hidden / heads;
  const auto same_row = [](size_t r) { return r; };

  NormRows(pool, rows, layer.attention_norm, layer.qkv.weight, same_row);
  const Product qkv = {&layer.qkv.weight, products_.data(), 3 * hidden};
  MatMul(pool, x_.View(), {&qkv, 1}, precision_);
  ForRows(pool, rows, [&](size_t r) {
    float* row = products_.data() + r * 3 * hidden;
    layer.qkv.AddBias(row);
    std::copy_n(row, hidden, queries_.data() + r * hidden);
    const int32_t page = slice_of_row_[r]->sequence->pages()[position_of_row_[r] / kPageTokens];
    for (size_t h = 0; h < heads; h++) {
      const float* key = row + hidden + h * dim;
      cache.Write(index, h, page, position_of_row_[r] % kPageTokens, key, key + hidden);
    }
  });
  AttentionShape shape = {.heads = heads, .kv_heads = heads, .head_dim = dim};
  if (config_.scale_scores) shape.scale /= std::sqrt(static_cast<float>(dim));
  if (config_.scale_by_layer) shape.scale /= static_cast<float>(index + 1);
  x_.Set(rows, hidden, FormsFor({&layer.attention_out.weight}, precision_));
  Attend(pool, cache, index, shape, batch.slices, queries_.data(), x_.row(0), scratch_);
  ForRows(pool, rows, [&](size_t r) { x_.Finish(r); });
  AddProducts(pool, layer.attention_out);

  NormRows(pool, rows, layer.mlp_norm, layer.up.weight, same_row);
  const size_t inner = config_.intermediate;
  const Product up = {&layer.up.weight, products_.data(), inner};
  MatMul(pool, x_.View(), {&up, 1}, precision_);
  x_.Set(rows, inner, FormsFor({&layer.down.weight}, precision_));
  ForRows(pool, rows, [&](size_t r) {
    float* row = x_.row(r);
    std::copy_n(products_.data() + r * inner, inner, row);
    layer.up.AddBias(row);
    config_.exact_gelu ? Gelu(row, inner) : GeluTanh(row, inner);
    x_.Finish(r);
  });
  AddProducts(pool, layer.down);
}

bool Gpt2Model::Forward(ThreadPool& pool, KvCache& cache, const Batch& batch) {
  const size_t rows = batch.tokens.size(), hidden = config_.hidden;
  DCHECK(rows <= max_rows_);
  for (const BatchSlice& slice : batch.slices) {
    for (size_t i = 0; i < slice.count; i++) {
      position_of_row_[slice.row + i] = static_cast<size_t>(slice.Position(i));
      slice_of_row_[slice.row + i] = &slice;
    }
  }
  ForRows(pool, rows, [&](size_t r) {
    float *row = hidden_.data() + r * hidden, *position = queries_.data() + r * hidden;
    tokens_.embeddings.UnpackRow(static_cast<size_t>(batch.tokens[r]), row);
    positions_.UnpackRow(position_of_row_[r], position);
    Add(row, position, hidden);
  });
  if (batch.observe) batch.observe("embeddings", hidden_.data(), rows, hidden);
  for (size_t i = 0; i < layers_.size(); i++) {
    if (batch.Cancelled()) return false;
    RunLayer(pool, cache, batch, i);
    if (batch.observe) batch.observe(fmt::format("layer.{}", i), hidden_.data(), rows, hidden);
  }

  const size_t wanted = batch.logit_rows.size();
  if (wanted == 0) return true;
  const PackedMatrix& head = tokens_.head();
  NormRows(pool, wanted, norm_, head, [&](size_t i) { return batch.logit_rows[i]; });
  if (batch.observe) batch.observe("last_hidden_state", x_.row(0), wanted, hidden);
  const Product product = {&head, batch.logits, config_.vocabulary};
  MatMul(pool, x_.View(), {&product, 1}, precision_);
  if (!tokens_.own_head.bias.empty()) {
    ForRows(pool, wanted, [&](size_t r) { tokens_.own_head.AddBias(batch.logits + r * config_.vocabulary); });
  }
  return true;
}

}  // namespace
}  // namespace bothy

BOTHY_MODEL_FAMILY(gpt2) = {"gpt2", bothy::kModelTypes, bothy::kArchitectures, bothy::Gpt2Model::Load};
