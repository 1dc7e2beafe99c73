// GPT-2 against transformers (tests/golden/gpt2, gpt2-scaled).
#include <gtest/gtest.h>

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
