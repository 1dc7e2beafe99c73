#include "codec/llama2c.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "codec/byte_reader.h"
#include "codec/derived_source.h"

namespace bothy {
namespace {

constexpr uint32_t kMagic = 0x616b3432;  // "ak42"
constexpr uint64_t kHeaderSize = 256;    // of versions 1 and 2
constexpr int64_t kMaxSize = 1 << 24;    // of anything: products of four stay below 2^63 with the layers' limit
constexpr int64_t kMaxLayers = 1 << 12;

struct Header {
  int32_t version = 0;
  uint64_t hidden = 0, intermediate = 0, layers = 0, heads = 0, kv_heads = 0, vocabulary = 0, context = 0;
  bool tied = true;
  uint64_t group = 0;  // elements that share a scale; 0: f32
};

class Reader {
 public:
  explicit Reader(std::shared_ptr<const ByteSource> source) : source_(std::move(source)), reader_(*source_) {}

  Result<Llama2c> Read() {
    TRY(ReadHeader());
    const uint64_t hidden = h_.hidden, kv = h_.hidden / h_.heads * h_.kv_heads;
    if (h_.version == 0) {
      TRY(Add("model.embed_tokens.weight", {h_.vocabulary, hidden}));
      TRY(Layers("input_layernorm", {hidden}));
      TRY(Attention(hidden, kv));
      TRY(Layers("post_attention_layernorm", {hidden}));
      TRY(FeedForward());
      TRY(Add("model.norm.weight", {hidden}));
      offset_ += 2 * h_.context * (hidden / h_.heads / 2) * sizeof(float);  // cosines and sines
    } else {
      TRY(Layers("input_layernorm", {hidden}));
      TRY(Layers("post_attention_layernorm", {hidden}));
      TRY(Add("model.norm.weight", {hidden}));
      TRY(Add("model.embed_tokens.weight", {h_.vocabulary, hidden}));
      TRY(Attention(hidden, kv));
      TRY(FeedForward());
    }
    if (!h_.tied) TRY(Add("lm_head.weight", {h_.vocabulary, hidden}));
    if (offset_ != source_->size()) {
      return Fail(ErrorCode::kCorrupt, "{}: expected {} bytes for {}, found {}", source_->name(), offset_, Describe(),
                  source_->size());
    }
    Llama2c file;
    file.config = Config();
    file.checkpoint = TRY(Checkpoint::Create(std::move(sources_), std::move(arrays_)));
    return file;
  }

 private:
  std::string Describe() const {
    return fmt::format("a llama2.c file of version {} ({} layers of {} and {}, {} and {} heads, {} tokens, context {})",
                       h_.version, h_.layers, h_.hidden, h_.intermediate, h_.heads, h_.kv_heads, h_.vocabulary,
                       h_.context);
  }

  Result<int64_t> Field(std::string_view name, int64_t greatest) {
    const auto value = TRY(reader_.Number<int32_t>(name));
    if (value < 1 || value > greatest) {
      return Fail(ErrorCode::kCorrupt, "{}: offset {}: {}: expected 1 to {} in a llama2.c file, found {}",
                  source_->name(), reader_.offset() - 4, name, greatest, value);
    }
    return value;
  }

  Result<void> ReadHeader() {
    const auto first = TRY(reader_.Number<uint32_t>("llama2.c header"));
    if (first == kMagic) {
      h_.version = TRY(reader_.Number<int32_t>("version"));
      if (h_.version != 1 && h_.version != 2) {
        return Fail(ErrorCode::kUnimplemented, "{}: offset 4: expected version 1 or 2 of llama2.c's files, found {}",
                    source_->name(), h_.version);
      }
    } else {
      reader_.Restart();
    }
    h_.hidden = static_cast<uint64_t>(TRY(Field("dim", kMaxSize)));
    h_.intermediate = static_cast<uint64_t>(TRY(Field("hidden_dim", kMaxSize)));
    h_.layers = static_cast<uint64_t>(TRY(Field("n_layers", kMaxLayers)));
    h_.heads = static_cast<uint64_t>(TRY(Field("n_heads", kMaxSize)));
    h_.kv_heads = static_cast<uint64_t>(TRY(Field("n_kv_heads", kMaxSize)));
    const auto vocabulary = TRY(reader_.Number<int32_t>("vocab_size"));
    // Version 0 says by the sign whether the output has a matrix of its own.
    h_.tied = vocabulary > 0;
    h_.vocabulary = static_cast<uint64_t>(vocabulary > 0 ? vocabulary : -int64_t{vocabulary});
    if (h_.vocabulary < 1 || h_.vocabulary > kMaxSize || (h_.version > 0 && vocabulary < 0)) {
      return Fail(ErrorCode::kCorrupt, "{}: offset {}: vocab_size: expected 1 to {} in a llama2.c file, found {}",
                  source_->name(), reader_.offset() - 4, kMaxSize, vocabulary);
    }
    h_.context = static_cast<uint64_t>(TRY(Field("max_seq_len", kMaxSize)));
    if (h_.hidden % h_.heads != 0 || h_.heads % h_.kv_heads != 0 || h_.hidden / h_.heads % 2 != 0) {
      return Fail(
          ErrorCode::kCorrupt,
          "{}: expected a width that heads of an even size share, and heads that key heads share, found {}, {}, {}",
          source_->name(), h_.hidden, h_.heads, h_.kv_heads);
    }
    offset_ = reader_.offset();
    if (h_.version == 0) return {};
    h_.tied = TRY(reader_.Number<uint8_t>("shared_classifier")) != 0;
    if (h_.version == 2) {
      h_.group = static_cast<uint64_t>(TRY(Field("group_size", kMaxSize)));
      if (h_.hidden % h_.group != 0 || h_.intermediate * h_.hidden % h_.group != 0) {
        return Fail(ErrorCode::kCorrupt, "{}: group_size: expected a divisor of {}, found {}", source_->name(),
                    h_.hidden, h_.group);
      }
    }
    offset_ = kHeaderSize;
    return {};
  }

  Result<void> Attention(uint64_t hidden, uint64_t kv) {
    TRY(Layers("self_attn.q_proj", {hidden, hidden}));
    TRY(Layers("self_attn.k_proj", {kv, hidden}));
    TRY(Layers("self_attn.v_proj", {kv, hidden}));
    return Layers("self_attn.o_proj", {hidden, hidden});
  }

  Result<void> FeedForward() {
    TRY(Layers("mlp.gate_proj", {h_.intermediate, h_.hidden}));
    TRY(Layers("mlp.down_proj", {h_.hidden, h_.intermediate}));
    return Layers("mlp.up_proj", {h_.intermediate, h_.hidden});
  }

  // One array for each layer, behind each other.
  Result<void> Layers(std::string_view name, const std::vector<uint64_t>& shape) {
    for (uint64_t layer = 0; layer < h_.layers; layer++) {
      TRY(Add(fmt::format("model.layers.{}.{}.weight", layer, name), shape));
    }
    return {};
  }

  Result<void> Add(std::string name, std::vector<uint64_t> shape) {
    ArrayInfo array = {.name = std::move(name), .shape = std::move(shape)};
    const uint64_t elements = ElementCount(array);
    const bool quantized = h_.group > 0 && array.shape.size() == 2;
    const uint64_t scales = quantized ? elements / h_.group * sizeof(float) : 0;
    const uint64_t stored = quantized ? elements + scales : elements * sizeof(float);
    if (offset_ > source_->size() || stored > source_->size() - offset_) {
      return Fail(ErrorCode::kCorrupt, "{}: offset {}: array \"{}\": expected {} bytes of {}, the file ends at {}",
                  source_->name(), offset_, array.name, stored, Describe(), source_->size());
    }
    array.size = elements * sizeof(float);
    if (quantized) {
      MakeBytes make = [source = source_, offset = offset_, elements, group = h_.group] {
        return Dequantize(*source, offset, elements, group);
      };
      array.source = static_cast<uint32_t>(sources_.size());
      sources_.push_back(MadeSource(source_->name(), array.size, std::move(make), last_));
    } else {
      array.offset = offset_;
    }
    offset_ += stored;
    arrays_.push_back(std::move(array));
    return {};
  }

  // int8 values, then the f32 scales of their groups.
  static Result<std::vector<std::byte>> Dequantize(const ByteSource& source, uint64_t offset, uint64_t elements,
                                                   uint64_t group) {
    std::vector<std::byte> bytes(static_cast<size_t>(elements) * sizeof(float));
    std::vector<int8_t> values(static_cast<size_t>(elements));
    std::vector<float> scales(static_cast<size_t>(elements / group));
    TRY(source.Read(offset, std::as_writable_bytes(std::span(values))));
    TRY(source.Read(offset + elements, std::as_writable_bytes(std::span(scales))));
    for (size_t i = 0; i < values.size(); i++) {
      const float value = static_cast<float>(values[i]) * scales[i / group];
      std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(float));
    }
    return bytes;
  }

  json::object Config() const {
    return {{"architectures", json::array{"LlamaForCausalLM"}},
            {"model_type", "llama"},
            {"hidden_act", "silu"},
            {"hidden_size", h_.hidden},
            {"intermediate_size", h_.intermediate},
            {"num_hidden_layers", h_.layers},
            {"num_attention_heads", h_.heads},
            {"num_key_value_heads", h_.kv_heads},
            {"head_dim", h_.hidden / h_.heads},
            {"vocab_size", h_.vocabulary},
            {"max_position_embeddings", h_.context},
            {"rms_norm_eps", 1e-5},  // run.c has these two as constants
            {"rope_theta", 10000.0},
            {"tie_word_embeddings", h_.tied},
            {"bos_token_id", 1},
            {"eos_token_id", 2},
            {"torch_dtype", "float32"}};
  }

  std::shared_ptr<const ByteSource> source_;
  ByteReader reader_;
  Header h_;
  uint64_t offset_ = 0;  // of the next array
  std::vector<std::shared_ptr<const ByteSource>> sources_ = {source_};
  std::vector<ArrayInfo> arrays_;
  std::shared_ptr<LastMade> last_ = NewLastMade();
};

}  // namespace

Result<Llama2c> ReadLlama2c(std::shared_ptr<const ByteSource> source) { return Reader(std::move(source)).Read(); }

}  // namespace bothy
