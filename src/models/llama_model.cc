// The forward pass of models/llama.h.
#include <cmath>
#include <cstring>

#include "models/llama_model.h"
#include "models/weights.h"
#include "nn/linear.h"
#include "nn/rows.h"
#include "tensor/ops.h"

namespace bothy {
namespace {

struct LlamaLayer {
  std::vector<float> attention_norm;
  Linear q, k, v, o;
  std::vector<float> mlp_norm;
  Linear gate, up, down;
};

// The two ways to name the same arrays.
struct LlamaNames {
  bool gguf;
  std::string prefix;
  std::string Layer(size_t i, const char* hf, const char* short_name) const {
    return fmt::format("{}{}.{}", layers(), i, gguf ? short_name : hf);
  }
  std::string layers() const { return gguf ? "blk." : prefix + "layers."; }
  std::string embeddings() const { return gguf ? "token_embd.weight" : prefix + "embed_tokens.weight"; }
  std::string norm() const { return gguf ? "output_norm.weight" : prefix + "norm.weight"; }
  std::string head() const { return gguf ? "output" : "lm_head"; }
};

class LlamaModel final : public LanguageModel {
 public:
  static Result<std::unique_ptr<LanguageModel>> Load(const LlamaConfig& config, const Checkpoint& checkpoint,
                                                     ThreadPool& pool, const LoadOptions& options);

  bool Forward(ThreadPool& pool, KvCache& cache, const Batch& batch) override;

 private:
  LlamaModel(const LlamaConfig& config, Rope rope, const LoadOptions& options);
  void RunLayer(ThreadPool& pool, KvCache& cache, const Batch& batch, size_t index);
  // x_[r] = norm(hidden row r), ready for `matrices`.
  void NormRows(ThreadPool& pool, size_t rows, const std::vector<float>& weight,
                std::initializer_list<const PackedMatrix*> matrices);
  void AddProducts(ThreadPool& pool, const Linear& layer);  // hidden += layer(x_)

  LlamaConfig config_;
  Rope rope_;
  Precision precision_;
  AttentionShape attention_;
  TokenMatrices tokens_;
  std::vector<LlamaLayer> layers_;
  std::vector<float> norm_;

  // What a call works in, for max_rows() rows.
  std::vector<float> hidden_, q_, k_, v_, gate_, up_, cosines_, sines_;
  std::vector<int64_t> positions_;
  std::vector<const BatchSlice*> slice_of_row_;
  ActivationRows x_;
  AttentionScratch scratch_;
};

LlamaModel::LlamaModel(const LlamaConfig& config, Rope rope, const LoadOptions& options)
    : config_(config), rope_(std::move(rope)), precision_(options.precision) {
  const size_t rows = max_rows_ = options.max_rows;
  attention_ = {.heads = config.heads,
                .kv_heads = config.kv_heads,
                .head_dim = config.head_dim,
                .scale = 1.0f / std::sqrt(static_cast<float>(config.head_dim)),
                .window = config.window};
  const size_t width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
  hidden_.resize(rows * config.hidden);
  q_.resize(rows * std::max(width, config.hidden));
  k_.resize(rows * kv_width);
  v_.resize(rows * kv_width);
  gate_.resize(rows * config.intermediate);
  up_.resize(rows * config.intermediate);
  cosines_.resize(rows * rope_.half());
  sines_.resize(rows * rope_.half());
  positions_.resize(rows);
  slice_of_row_.resize(rows);
  x_ = ActivationRows(rows, std::max({config.hidden, width, config.intermediate}));
}

Result<std::unique_ptr<LanguageModel>> LlamaModel::Load(const LlamaConfig& config, const Checkpoint& checkpoint,
                                                        ThreadPool& pool, const LoadOptions& options) {
  WeightReader reader(checkpoint, pool, options);
  const LlamaNames names = {config.gguf_names, reader.Prefix("model.", "norm.weight")};
  const size_t hidden = config.hidden, width = config.heads * config.head_dim,
               kv_width = config.kv_heads * config.head_dim;

  // The embeddings, and with them that the sizes are the file's, before memory is taken for them.
  TokenMatrices tokens =
      TRY(reader.ReadTokenMatrices(names.embeddings(), names.head(), config.vocabulary, hidden, config.tied));
  TRY(reader.CheckShape(names.Layer(0, "mlp.gate_proj.weight", "ffn_gate.weight"), {config.intermediate, hidden}));
  TRY(reader.CheckShape(names.Layer(0, "self_attn.q_proj.weight", "attn_q.weight"), {width, hidden}));

  RopeConfig rope_config = config.rope;
  if (config.gguf_names && reader.Has("rope_freqs.weight")) {
    const std::vector<float> divisors = TRY(reader.Vector("rope_freqs.weight", rope_config.dim / 2));
    rope_config.frequency_divisors.assign(divisors.begin(), divisors.end());
  }
  Rope rope = TRY(Rope::Create(rope_config));
  auto model = std::unique_ptr<LlamaModel>(new LlamaModel(config, std::move(rope), options));
  model->tokens_ = std::move(tokens);

  // Row r of a head in half-rotated order is row 2r of the pairs, or 2 (r - half) + 1; what is not rotated stays.
  const RowOrder pairs = [dim = config.head_dim, rotated = config.rope.dim](uint64_t row) {
    const uint64_t head = row / dim, r = row % dim, half = rotated / 2;
    if (r >= rotated) return row;
    return head * dim + (r < half ? 2 * r : 2 * (r - half) + 1);
  };
  const RowOrder order = config.interleaved ? pairs : RowOrder();

  for (size_t i = 0; i < config.layers; i++) {
    LlamaLayer layer;
    layer.attention_norm = TRY(reader.Vector(names.Layer(i, "input_layernorm.weight", "attn_norm.weight"), hidden));
    layer.q = TRY(reader.ReadLinear(names.Layer(i, "self_attn.q_proj", "attn_q"), width, hidden, order));
    layer.k = TRY(reader.ReadLinear(names.Layer(i, "self_attn.k_proj", "attn_k"), kv_width, hidden, order));
    layer.v = TRY(reader.ReadLinear(names.Layer(i, "self_attn.v_proj", "attn_v"), kv_width, hidden));
    layer.o = TRY(reader.ReadLinear(names.Layer(i, "self_attn.o_proj", "attn_output"), hidden, width));
    layer.mlp_norm = TRY(reader.Vector(names.Layer(i, "post_attention_layernorm.weight", "ffn_norm.weight"), hidden));
    layer.gate = TRY(reader.ReadLinear(names.Layer(i, "mlp.gate_proj", "ffn_gate"), config.intermediate, hidden));
    layer.up = TRY(reader.ReadLinear(names.Layer(i, "mlp.up_proj", "ffn_up"), config.intermediate, hidden));
    layer.down = TRY(reader.ReadLinear(names.Layer(i, "mlp.down_proj", "ffn_down"), hidden, config.intermediate));
    model->layers_.push_back(std::move(layer));
  }
  model->norm_ = TRY(reader.Vector(names.norm(), hidden));

  model->info_ = {.family = "llama",
                  .vocabulary = config.vocabulary,
                  .context_length = config.context_length,
                  .layers = config.layers,
                  .hidden = hidden,
                  .kv = {config.layers, config.kv_heads, config.head_dim},
                  .parameters = reader.parameters(),
                  .weight_bytes = reader.packed_bytes(),
                  .length_dependent = model->rope_.DependsOnLength(),
                  .unused_arrays = TRY(reader.Unread("LLaMA", names.layers(), config.layers))};
  return model;
}

void LlamaModel::NormRows(ThreadPool& pool, size_t rows, const std::vector<float>& weight,
                          std::initializer_list<const PackedMatrix*> matrices) {
  const size_t hidden = config_.hidden;
  x_.Set(rows, hidden, FormsFor(matrices, precision_));
  ForRows(pool, rows, [&](size_t r) {
    RmsNorm(hidden_.data() + r * hidden, weight.data(), config_.norm_epsilon, x_.row(r), hidden);
    x_.Finish(r);
  });
}

void LlamaModel::AddProducts(ThreadPool& pool, const Linear& layer) {
  const Activations x = x_.View();
  const Product product = {&layer.weight, q_.data(), config_.hidden};
  MatMul(pool, x, {&product, 1}, precision_);
  ForRows(pool, x.columns, [&](size_t r) {
    float* row = q_.data() + r * config_.hidden;
    layer.AddBias(row);
    Add(hidden_.data() + r * config_.hidden, row, config_.hidden);
  });
}

void LlamaModel::RunLayer(ThreadPool& pool, KvCache& cache, const Batch& batch, size_t index) {
  const LlamaLayer& layer = layers_[index];
  const size_t rows = batch.tokens.size(), dim = config_.head_dim, half = rope_.half();
  const size_t width = config_.heads * dim, kv_width = config_.kv_heads * dim;

  NormRows(pool, rows, layer.attention_norm, {&layer.q.weight, &layer.k.weight, &layer.v.weight});
  const Product qkv[] = {{&layer.q.weight, q_.data(), width},
                         {&layer.k.weight, k_.data(), kv_width},
                         {&layer.v.weight, v_.data(), kv_width}};
  MatMul(pool, x_.View(), qkv, precision_);
  ForRows(pool, rows, [&](size_t r) {
    float *q = q_.data() + r * width, *k = k_.data() + r * kv_width, *v = v_.data() + r * kv_width;
    layer.q.AddBias(q);
    layer.k.AddBias(k);
    layer.v.AddBias(v);
    const float *cosines = cosines_.data() + r * half, *sines = sines_.data() + r * half;
    for (size_t h = 0; h < config_.heads; h++) RotateHalf(q + h * dim, cosines, sines, half);
    const auto position = static_cast<size_t>(positions_[r]);
    const int32_t page = slice_of_row_[r]->sequence->pages()[position / kPageTokens];
    for (size_t h = 0; h < config_.kv_heads; h++) {
      RotateHalf(k + h * dim, cosines, sines, half);
      cache.Write(index, h, page, position % kPageTokens, k + h * dim, v + h * dim);
    }
  });

  x_.Set(rows, width, FormsFor({&layer.o.weight}, precision_));
  Attend(pool, cache, index, attention_, batch.slices, q_.data(), x_.row(0), scratch_);
  ForRows(pool, rows, [&](size_t r) { x_.Finish(r); });
  AddProducts(pool, layer.o);

  NormRows(pool, rows, layer.mlp_norm, {&layer.gate.weight, &layer.up.weight});
  const size_t inner = config_.intermediate;
  const Product gate_up[] = {{&layer.gate.weight, gate_.data(), inner}, {&layer.up.weight, up_.data(), inner}};
  MatMul(pool, x_.View(), gate_up, precision_);
  x_.Set(rows, inner, FormsFor({&layer.down.weight}, precision_));
  ForRows(pool, rows, [&](size_t r) {
    float *gate = gate_.data() + r * inner, *up = up_.data() + r * inner;
    layer.gate.AddBias(gate);
    layer.up.AddBias(up);
    SwiGlu(gate, up, x_.row(r), inner);
    x_.Finish(r);
  });
  AddProducts(pool, layer.down);
}

bool LlamaModel::Forward(ThreadPool& pool, KvCache& cache, const Batch& batch) {
  const size_t rows = batch.tokens.size(), hidden = config_.hidden;
  DCHECK(rows <= max_rows_);
  for (const BatchSlice& slice : batch.slices) {
    for (size_t i = 0; i < slice.count; i++) {
      positions_[slice.row + i] = slice.Position(i);
      slice_of_row_[slice.row + i] = &slice;
    }
    // By its own length, not by the longest of the batch, as the reference would pad it: no answer depends on company.
    const size_t at = slice.row * rope_.half();
    rope_.Angles({positions_.data() + slice.row, slice.count}, slice.CallLength(), cosines_.data() + at,
                 sines_.data() + at);
  }
  ForRows(pool, rows, [&](size_t r) {
    tokens_.embeddings.UnpackRow(static_cast<size_t>(batch.tokens[r]), hidden_.data() + r * hidden);
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
  x_.Set(wanted, hidden, FormsFor({&head}, precision_));
  ForRows(pool, wanted, [&](size_t r) {
    RmsNorm(hidden_.data() + batch.logit_rows[r] * hidden, norm_.data(), config_.norm_epsilon, x_.row(r), hidden);
    x_.Finish(r);
  });
  if (batch.observe) batch.observe("last_hidden_state", x_.row(0), wanted, hidden);
  const Product product = {&head, batch.logits, config_.vocabulary};
  MatMul(pool, x_.View(), {&product, 1}, precision_);
  if (!tokens_.own_head.bias.empty())
    ForRows(pool, wanted, [&](size_t r) { tokens_.own_head.AddBias(batch.logits + r * config_.vocabulary); });
  return true;
}

}  // namespace

Result<std::unique_ptr<LanguageModel>> LoadLlamaModel(const LlamaConfig& config, const Checkpoint& checkpoint,
                                                      ThreadPool& pool, const LoadOptions& options) {
  return LlamaModel::Load(config, checkpoint, pool, options);
}

}  // namespace bothy
