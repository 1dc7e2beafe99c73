// GPT-2 against transformers (tests/golden/gpt2, gpt2-scaled).
#include <gtest/gtest.h>

#include "codec/torch_checkpoint.h"
#include "models/golden_testing.h"

namespace bothy {
namespace {

class Gpt2Golden : public testing::TestWithParam<const char*> {
 protected:
  GoldenFolder Folder() const { return GoldenFolder(Golden() / GetParam()); }
};

TEST_P(Gpt2Golden, GivesTheReferencesLogitsAndText) { ExpectReferenceResults(Folder()); }
TEST_P(Gpt2Golden, StepByStepIsTheSameBitsAsAllAtOnce) { ExpectSameBitsHoweverCut(Folder()); }
TEST_P(Gpt2Golden, EveryBlocksOutputIsTheReferences) { ExpectReferenceBlocks(Folder()); }
TEST(Gpt2, CancellingEndsACallBetweenTwoLayers) { ExpectCancellingBetweenLayers(GoldenFolder(Golden() / "gpt2")); }

INSTANTIATE_TEST_SUITE_P(Gpt2, Gpt2Golden, testing::Values("gpt2", "gpt2-scaled"),
                         [](const auto& info) { return std::string(info.param) == "gpt2" ? "plain" : "scaled"; });

// The golden's model with other arrays: what the first argument names is changed before it is loaded.
ModelFiles Changed(const std::function<void(std::vector<ArrayInfo>&)>& change) {
  ModelFiles files = GoldenFolder(Golden() / "gpt2").Model("config.json");
  const auto arrays = files.checkpoint.arrays();
  std::vector<ArrayInfo> changed(arrays.begin(), arrays.end());
  change(changed);
  std::shared_ptr<const ByteSource> source = *OpenFile(Golden() / "gpt2" / "model.safetensors");
  files.checkpoint = *Checkpoint::Create({std::move(source)}, std::move(changed));
  return files;
}

TEST(Gpt2, NamesOfTheBareModelAreKnownAndCausalMasksPassedOver) {
  const GoldenFolder golden(Golden() / "gpt2");
  const ModelFiles files = Changed([](std::vector<ArrayInfo>& arrays) {
    for (ArrayInfo& array : arrays) {
      constexpr std::string_view kPrefix = "transformer.";
      if (array.name.starts_with(kPrefix)) array.name.erase(0, kPrefix.size());
    }
    ArrayInfo mask = arrays.front();
    mask.name = "h.0.attn.bias";
    arrays.push_back(mask);
  });
  ASSERT_NE(files.checkpoint.Find("wte.weight"), nullptr);
  ThreadPool pool(2);
  GoldenModel model(files, pool, 64);
  ASSERT_TRUE(model.ok());
  golden.Check(model);
}

TEST(Gpt2, APyTorchCheckpointAsItsMakersPublishItIsTheSameModel) {
  const GoldenFolder golden(Golden() / "gpt2");
  auto source = OpenFile(Golden() / "gpt2" / "torch" / "pytorch_model.bin");
  ASSERT_OK(source);
  auto checkpoint = ReadTorchCheckpoint(*std::move(source));
  ASSERT_OK(checkpoint);
  ASSERT_NE(checkpoint->Find("h.0.attn.bias"), nullptr);
  ModelFiles files = golden.Model("config.json");
  files.checkpoint = *std::move(checkpoint);
  ThreadPool pool(2);
  GoldenModel model(files, pool, 64);
  ASSERT_TRUE(model.ok());
  EXPECT_TRUE(model.info().unused_arrays.empty());  // causal masks are not worth a word
  golden.Check(model);
}

// The golden's model as llama.cpp's converter would write it: other names, plain matrices for Conv1D's transposed ones.
TEST(Gpt2, GgufNamesAndMatricesAreTheSameModel) {
  const GoldenFolder golden(Golden() / "gpt2");
  ModelFiles files = golden.Model("config.json");
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {{"transformer.", ""},
                                                                      {"wte", "token_embd"},
                                                                      {"wpe", "position_embd"},
                                                                      {"ln_f", "output_norm"},
                                                                      {"h.", "blk."},
                                                                      {"ln_1", "attn_norm"},
                                                                      {"ln_2", "ffn_norm"},
                                                                      {"attn.c_attn", "attn_qkv"},
                                                                      {"attn.c_proj", "attn_output"},
                                                                      {"mlp.c_fc", "ffn_up"},
                                                                      {"mlp.c_proj", "ffn_down"}};
  std::vector<std::byte> bytes;
  std::vector<ArrayInfo> arrays;
  for (const ArrayInfo& stored : files.checkpoint.arrays()) {
    ArrayInfo array = stored;
    for (const auto& [own, gguf] : kNames) {
      if (const size_t at = array.name.find(own); at != std::string::npos) array.name.replace(at, own.size(), gguf);
    }
    std::vector<float> values(array.size / sizeof(float));
    ASSERT_OK(files.checkpoint.Read(stored, 0, std::as_writable_bytes(std::span(values))));
    if (array.shape.size() == 2 && array.name.starts_with("blk.")) {
      const size_t in = array.shape[0], out = array.shape[1];
      const std::vector<float> transposed = values;
      for (size_t i = 0; i < in * out; i++) values[i] = transposed[i % in * out + i / in];
      std::swap(array.shape[0], array.shape[1]);
    }
    array.offset = bytes.size();
    array.source = 0;
    const auto raw = std::as_bytes(std::span(values));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
    arrays.push_back(std::move(array));
  }
  files.checkpoint = *Checkpoint::Create({MemorySource("m.gguf", std::move(bytes))}, std::move(arrays));
  files.gguf = *GgufMetadata::Create("m.gguf", {{"general.architecture", GgufValue::String("gpt2")},
                                                {"gpt2.context_length", GgufValue::U32(80)},
                                                {"gpt2.embedding_length", GgufValue::U32(48)},
                                                {"gpt2.feed_forward_length", GgufValue::U32(192)},
                                                {"gpt2.block_count", GgufValue::U32(2)},
                                                {"gpt2.attention.head_count", GgufValue::U32(4)},
                                                {"gpt2.attention.layer_norm_epsilon", GgufValue::F32(1e-5f)}});
  files.config.reset();
  ThreadPool pool(2);
  GoldenModel model(files, pool, 64);
  ASSERT_TRUE(model.ok());
  golden.Check(model);
}

TEST(Gpt2, AMatrixOfAnotherShapeIsNamed) {
  ThreadPool pool(1);
  const ModelFiles files = Changed([](std::vector<ArrayInfo>& arrays) {
    for (ArrayInfo& array : arrays) {
      if (array.name == "transformer.h.1.mlp.c_fc.weight") std::swap(array.shape[0], array.shape[1]);
    }
  });
  const auto model = LoadLanguageModel(files, pool, {});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(model.error().message.find("array \"transformer.h.1.mlp.c_fc.weight\": expected a shape of 48 x 192, found "
                                       "192 x 48"),
            std::string::npos)
      << model.error().message;
}

TEST(Gpt2, SettingsThatMakeNoSenseOrAreNotSupportedAreNamed) {
  ThreadPool pool(1);
  const auto refusal = [&](std::string_view key, json::value value) {
    ModelFiles files = GoldenFolder(Golden() / "gpt2").Model("config.json");
    (*files.config)[key] = std::move(value);
    const auto model = LoadLanguageModel(files, pool, {});
    return model ? "" : model.error().message.substr(files.name.size());
  };
  EXPECT_EQ(refusal("n_head", 0), ": key \"n_head\": expected 1 to 16777216, found 0");
  EXPECT_EQ(refusal("n_head", 5), ": 5 heads cannot share 48 dimensions");
  EXPECT_EQ(refusal("activation_function", "relu"),
            ": key \"activation_function\": expected \"gelu_new\" or \"gelu\", found \"relu\"");
  EXPECT_EQ(refusal("add_cross_attention", true), ": key \"add_cross_attention\": cross attention is not supported");
}

}  // namespace
}  // namespace bothy
