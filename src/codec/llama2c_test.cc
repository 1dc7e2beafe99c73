#include "codec/llama2c.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/testing.h"
#include "codec/model_files.h"

namespace bothy {
namespace {

using testing::HasSubstr;

template <class T>
void Append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// A model of 2 layers, width 8, feed-forward 12, 4 heads, 2 key heads, 6 tokens, context 4. Element i of an array that
// begins after n elements of others is (n + i) % 100 - 50, in the order of export.py.
class Builder {
 public:
  explicit Builder(int version, bool tied) : version_(version), tied_(tied) {
    if (version > 0) {
      Append(bytes_, uint32_t{0x616b3432});
      Append(bytes_, version);
    }
    for (const int32_t field : {8, 12, 2, 4, 2, version == 0 && !tied ? -6 : 6, 4}) Append(bytes_, field);
    if (version > 0) {
      Append(bytes_, static_cast<uint8_t>(tied));
      if (version == 2) Append(bytes_, int32_t{4});
      bytes_.resize(256);
    }
  }

  std::string Build() {
    if (version_ == 0) {
      Array(6 * 8), Layers(8);
      Attention(), Layers(8), FeedForward();
      Array(8);
      bytes_.append(2 * 4 * 1 * 4, '\x7f');  // rotary tables
    } else {
      Layers(8), Layers(8), Array(8);
      quantized_ = version_ == 2;
      Array(6 * 8), Attention(), FeedForward();
    }
    if (!tied_) Array(6 * 8);
    return bytes_;
  }

 private:
  void Attention() { Layers(64), Layers(32), Layers(32), Layers(64); }
  void FeedForward() { Layers(96), Layers(96), Layers(96); }
  void Layers(int size) { Array(size), Array(size); }
  void Array(int size) {
    for (int i = 0; i < size; i++, made_++) {
      const int value = made_ % 100 - 50;
      quantized_ ? Append(bytes_, static_cast<int8_t>(value)) : Append(bytes_, static_cast<float>(value));
    }
    for (int i = 0; quantized_ && i < size / 4; i++) Append(bytes_, 0.5f * static_cast<float>(i + 1));
  }

  int version_;
  bool tied_;
  bool quantized_ = false;
  int made_ = 0;
  std::string bytes_;
};

std::vector<float> Values(const Llama2c& model, std::string_view name, const std::vector<uint64_t>& shape) {
  const ArrayInfo* array = model.checkpoint.Find(name);
  if (array == nullptr) {
    ADD_FAILURE() << name;
    return {};
  }
  EXPECT_EQ(array->shape, shape) << name;
  std::vector<float> values(ElementCount(*array));
  EXPECT_OK(model.checkpoint.Read(*array, 0, std::as_writable_bytes(std::span(values))));
  return values;
}

std::vector<float> Counted(int first, int count, bool scaled = false) {
  std::vector<float> values;
  for (int i = 0; i < count; i++) {
    const auto value = static_cast<float>((first + i) % 100 - 50);
    values.push_back(scaled ? value * 0.5f * static_cast<float>(i / 4 + 1) : value);
  }
  return values;
}

Result<Llama2c> ReadBytes(std::string_view bytes) { return ReadLlama2c(MemorySource("m.bin", bytes)); }

TEST(Llama2c, Version0HasItsArraysByKindThenLayer) {
  for (const bool tied : {true, false}) {
    const auto model = ReadBytes(Builder(0, tied).Build());
    ASSERT_OK(model);
    EXPECT_EQ(Values(*model, "model.embed_tokens.weight", {6, 8}), Counted(0, 48));
    EXPECT_EQ(Values(*model, "model.layers.1.input_layernorm.weight", {8}), Counted(56, 8));
    EXPECT_EQ(Values(*model, "model.layers.0.self_attn.q_proj.weight", {8, 8}), Counted(64, 64));
    EXPECT_EQ(Values(*model, "model.layers.1.self_attn.k_proj.weight", {4, 8}), Counted(64 + 128 + 32, 32));
    const int norms = 64 + 2 * (64 + 32 + 32 + 64);
    EXPECT_EQ(Values(*model, "model.layers.0.post_attention_layernorm.weight", {8}), Counted(norms, 8));
    EXPECT_EQ(Values(*model, "model.layers.0.mlp.gate_proj.weight", {12, 8}), Counted(norms + 16, 96));
    EXPECT_EQ(Values(*model, "model.layers.0.mlp.down_proj.weight", {8, 12}), Counted(norms + 16 + 192, 96));
    EXPECT_EQ(Values(*model, "model.layers.1.mlp.up_proj.weight", {12, 8}), Counted(norms + 16 + 384 + 96, 96));
    EXPECT_EQ(Values(*model, "model.norm.weight", {8}), Counted(norms + 16 + 576, 8));
    EXPECT_EQ(*json::GetBool(model->config, "tie_word_embeddings"), tied);
    EXPECT_EQ(model->checkpoint.Find("lm_head.weight") == nullptr, tied);
    if (!tied) {
      EXPECT_EQ(Values(*model, "lm_head.weight", {6, 8}), Counted(norms + 16 + 584, 48));
    }
    EXPECT_EQ(*json::GetInt(model->config, "num_key_value_heads"), 2);
    EXPECT_EQ(*json::GetInt(model->config, "head_dim"), 2);
  }
}

TEST(Llama2c, Versions1And2HaveTheNormsFirst) {
  for (const int version : {1, 2}) {
    const auto model = ReadBytes(Builder(version, false).Build());
    ASSERT_OK(model);
    EXPECT_EQ(Values(*model, "model.layers.1.post_attention_layernorm.weight", {8}), Counted(24, 8));
    EXPECT_EQ(Values(*model, "model.norm.weight", {8}), Counted(32, 8));
    EXPECT_EQ(Values(*model, "model.embed_tokens.weight", {6, 8}), Counted(40, 48, version == 2));
    EXPECT_EQ(Values(*model, "model.layers.0.self_attn.q_proj.weight", {8, 8}), Counted(88, 64, version == 2));
    EXPECT_EQ(Values(*model, "lm_head.weight", {6, 8}), Counted(88 + 384 + 576, 48, version == 2));
  }
}

TEST(Llama2c, TheSizeHasToBeWhatTheHeaderAsksFor) {
  for (const int version : {0, 1, 2}) {
    const std::string bytes = Builder(version, true).Build();
    ASSERT_OK(ReadBytes(bytes));
    for (size_t size = 0; size < bytes.size(); size++) {
      const auto model = ReadBytes(std::string_view(bytes).substr(0, size));
      ASSERT_FALSE(model) << size;
      EXPECT_EQ(model.error().code, ErrorCode::kCorrupt);
      EXPECT_THAT(model.error().message, HasSubstr("m.bin: "));
    }
    EXPECT_THAT(ReadBytes(bytes + "x").error().message,
                HasSubstr(fmt::format("m.bin: expected {} bytes", bytes.size())));
  }
}

TEST(Llama2c, AnUnknownVersionIsRefused) {
  std::string bytes = Builder(1, true).Build();
  bytes[4] = 3;
  EXPECT_THAT(ReadBytes(bytes).error().message, HasSubstr("offset 4: expected version 1 or 2"));
}

TEST(Llama2c, TheRealModelIsOpenedByItsPath) {
  BOTHY_NEEDS_TEST_DATA();
  const auto path = *TestData() / "kit" / "llama" / "stories260K.bin";
  const auto files = OpenModelFiles(path);
  ASSERT_OK(files);
  EXPECT_EQ(files->format, "llama2.c");
  EXPECT_TRUE(files->rope_interleaved);
  EXPECT_EQ(*json::GetInt(*files->config, "num_hidden_layers"), 5);
  EXPECT_EQ(files->checkpoint.arrays().size(), 5u * 9 + 2);
  const ArrayInfo* embeddings = files->checkpoint.Find("model.embed_tokens.weight");
  ASSERT_NE(embeddings, nullptr);
  EXPECT_EQ(embeddings->offset, 28u);
  EXPECT_EQ(embeddings->shape, (std::vector<uint64_t>{512, 64}));
}

}  // namespace
}  // namespace bothy
