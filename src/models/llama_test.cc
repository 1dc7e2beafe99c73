// The LLaMA family against transformers (tests/golden/llama*).
#include <gtest/gtest.h>

#include <functional>

#include "models/golden_testing.h"

namespace bothy {
namespace {

class LlamaGolden : public testing::TestWithParam<const char*> {
 protected:
  GoldenFolder Folder() const { return GoldenFolder(Golden() / GetParam()); }
};

TEST_P(LlamaGolden, GivesTheReferencesLogitsAndText) { ExpectReferenceResults(Folder()); }

TEST_P(LlamaGolden, StepByStepIsTheSameBitsAsAllAtOnce) { ExpectSameBitsHoweverCut(Folder()); }

TEST_P(LlamaGolden, EveryBlocksOutputIsTheReferences) { ExpectReferenceBlocks(Folder()); }

TEST(Llama, CancellingEndsACallBetweenTwoLayers) { ExpectCancellingBetweenLayers(GoldenFolder(Golden() / "llama")); }

INSTANTIATE_TEST_SUITE_P(Llama, LlamaGolden,
                         testing::Values("llama", "llama-bias", "llama3", "llama-bf16", "llama-f16", "llama-linear",
                                         "llama-dynamic", "llama-yarn", "llama-yarn-mscale", "mistral"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// A golden folder's model with other arrays: what `change` makes of them.
ModelFiles Changed(const std::string& folder, const std::function<void(std::vector<ArrayInfo>&)>& change) {
  ModelFiles files = GoldenFolder(Golden() / folder).Model("config.json");
  const auto arrays = files.checkpoint.arrays();
  std::vector<ArrayInfo> changed(arrays.begin(), arrays.end());
  change(changed);
  std::shared_ptr<const ByteSource> source = *OpenFile(Golden() / folder / "model.safetensors");
  files.checkpoint = *Checkpoint::Create({std::move(source)}, std::move(changed));
  return files;
}

ArrayInfo& Named(std::vector<ArrayInfo>& arrays, std::string_view name) {
  const auto found = std::ranges::find(arrays, name, &ArrayInfo::name);
  CHECK(found != arrays.end());
  return *found;
}

constexpr auto kEmbeddings = "model.embed_tokens.weight", kHead = "lm_head.weight";

void ExpectGolden(const std::string& folder, const ModelFiles& files) {
  ThreadPool pool(2);
  GoldenModel model(files, pool, 64);
  ASSERT_TRUE(model.ok());
  GoldenFolder(Golden() / folder).Check(model);
}

std::vector<float> FirstLogits(const ModelFiles& files) {
  ThreadPool pool(1);
  GoldenModel model(files, pool, 64);
  if (!model.ok()) return {};
  KvSequence sequence = model.NewSequence();
  const std::vector<int32_t> tokens = {5, 9, 2};
  return model.Run({{&sequence, tokens}});
}

TEST(LlamaOutput, IsTheEmbeddingsOnlyWhereTheConfigurationTiesThem) {
  ThreadPool pool(1);
  for (const bool says_so : {true, false}) {
    ModelFiles files = GoldenFolder(Golden() / "llama3").Model("config.json");  // tied, and without lm_head
    if (says_so) {
      (*files.config)["tie_word_embeddings"] = false;
    } else {
      files.config->erase("tie_word_embeddings");  // false in transformers' LlamaConfig
    }
    const auto model = LoadLanguageModel(files, pool, {});
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code, ErrorCode::kNotFound);
    for (const char* part : {"model.safetensors", "\"lm_head.weight\"", "\"tie_word_embeddings\""}) {
      EXPECT_NE(model.error().message.find(part), std::string::npos) << model.error().message;
    }
  }
}

// transformers 5.23, PreTrainedModel.tie_weights: two that differ are not tied, and the one stands in for the other.
TEST(LlamaOutput, OfATiedModelThatHasOneCounts) {
  ModelFiles tied = GoldenFolder(Golden() / "llama").Model("config.json");  // not tied, and with lm_head
  (*tied.config)["tie_word_embeddings"] = true;
  ExpectGolden("llama", tied);
}

TEST(LlamaOutput, StandsInForMissingEmbeddingsOfATiedModel) {
  ExpectGolden("llama3", Changed("llama3", [](auto& arrays) { Named(arrays, kEmbeddings).name = kHead; }));
}

TEST(LlamaOutput, OfTheSameBytesAsTheEmbeddingsTakesNoMemory) {
  ThreadPool pool(1);
  const auto bytes = [&](const ModelFiles& files) {
    return (*LoadLanguageModel(files, pool, {}))->info().weight_bytes;
  };
  const ModelFiles twice = Changed("llama3", [](auto& arrays) {
    ArrayInfo head = Named(arrays, kEmbeddings);
    head.name = kHead;
    arrays.push_back(head);
  });
  const ModelFiles once = Changed("llama3", [](auto&) {});
  EXPECT_EQ(bytes(twice), bytes(once));
  EXPECT_EQ(FirstLogits(twice), FirstLogits(once));
}

TEST(Llama, ArraysThatNothingReadsAreTold) {
  ThreadPool pool(1);
  const auto with = [](std::initializer_list<const char*> names) {
    return Changed("llama", [&](auto& arrays) {
      const ArrayInfo norm = Named(arrays, "model.norm.weight");
      for (const char* name : names) arrays.push_back(norm), arrays.back().name = name;
    });
  };
  const auto unused = [&](std::initializer_list<const char*> names) {
    const auto model = LoadLanguageModel(with(names), pool, {});
    return model ? (*model)->info().unused_arrays : std::vector<std::string>{model.error().message};
  };
  EXPECT_TRUE(unused({}).empty());
  EXPECT_TRUE(unused({"model.layers.0.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq"}).empty());
  // Layers beyond those that the configuration counts are left out by the reference too.
  EXPECT_EQ(unused({"value_head.weight", "model.layers.2.mlp.gate_proj.weight"}),
            (std::vector<std::string>{"model.layers.2.mlp.gate_proj.weight", "value_head.weight"}));
  const auto other = LoadLanguageModel(with({"model.layers.1.self_attn.q_norm.weight", "value_head.weight"}), pool, {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kUnimplemented);
  EXPECT_NE(other.error().message.find("array \"model.layers.1.self_attn.q_norm.weight\" (one of 2"), std::string::npos)
      << other.error().message;
}

// What the reference says of every golden folder: all its parameters have an effect.
TEST(Llama, GoldenModelsAreReadToTheLastArray) {
  ThreadPool pool(1);
  for (const char* folder : {"llama", "llama-bias", "llama3", "mistral", "gpt2", "gpt2-scaled"}) {
    const auto model = LoadLanguageModel(GoldenFolder(Golden() / folder).Model("config.json"), pool, {});
    ASSERT_OK(model);
    EXPECT_TRUE((*model)->info().unused_arrays.empty()) << folder;
  }
}

void MakeBare(std::vector<ArrayInfo>& arrays) {
  std::erase_if(arrays, [](const ArrayInfo& array) { return array.name == kHead; });
  for (ArrayInfo& array : arrays) array.name = array.name.substr(std::string_view("model.").size());
}

TEST(Llama, TheBareModelsNamesAreKnown) { ExpectGolden("llama3", Changed("llama3", MakeBare)); }

TEST(Llama, ABareModelThatIsNotTiedHasNoOutput) {
  ThreadPool pool(1);
  const auto model = LoadLanguageModel(Changed("llama", MakeBare), pool, {});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kNotFound);
  EXPECT_NE(model.error().message.find("\"lm_head.weight\""), std::string::npos) << model.error().message;
}

}  // namespace
}  // namespace bothy
