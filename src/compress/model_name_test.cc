#include "compress/model_name.h"

#include <gtest/gtest.h>

namespace bothy {
namespace {

// What Metadata.get_model_id_components and id_to_title of gguf (llama-cpp-python 0.3.36) give.
TEST(ModelName, SaysWhatTheReferenceReadsInIt) {
  struct Case {
    std::string_view id;
    uint64_t parameters;
    std::string_view title, organization, basename, finetune, version, size_label;
  };
  constexpr Case kCases[] = {
      {"meta-llama/Llama-3.2-1B-Instruct", 1235814400, "Llama 3.2 1B Instruct", "Meta Llama", "Llama-3.2", "Instruct",
       "", "1B"},
      {"SmolLM2-135M-Instruct", 134515008, "SmolLM2 135M Instruct", "", "SmolLM2", "Instruct", "", "135M"},
      {"TinyLlama-1.1B-Chat-v1.0", 1100048384, "TinyLlama 1.1B Chat v1.0", "", "TinyLlama", "Chat", "v1.0", "1.1B"},
      {"mistralai/Mistral-7B-v0.1", 7241732096, "Mistral 7B v0.1", "Mistralai", "Mistral", "", "v0.1", "7B"},
      {"Mixtral-8x7B-Instruct-v0.1", 46702792704, "Mixtral 8x7B Instruct v0.1", "", "Mixtral", "Instruct", "v0.1",
       "8x7B"},
      {"bigscience/bloom-7b1-petals", 7069016064, "Bloom 7b1 Petals", "Bigscience", "bloom", "petals", "", "7.1B"},
      {"Phi-3-mini-128k-instruct", 3821079552, "Phi 3 Mini 128k Instruct", "", "Phi-3", "128k-instruct", "", "mini"},
      {"Qwen2.5-0.5B", 494032768, "Qwen2.5 0.5B", "", "Qwen2.5", "", "", "0.5B"},
      {"Qwen/Qwen3-30B-A3B", 30532122624, "Qwen3 30B A3B", "Qwen", "Qwen3", "", "", "30B-A3B"},
      {"golden model of mine", 1000, "Golden Model Of Mine", "", "", "", "", ""},
      {"llama", 5000, "Llama", "", "", "", "", ""},
      {"./x-7b", 7000000000, "X 7b", "", "x", "", "", "7B"},
      {"Meta-Llama-3.1-8B-Instruct-Q4_K_M", 8030261248, "Meta Llama 3.1 8B Instruct Q4_K_M", "", "Meta-Llama-3.1",
       "Instruct", "", "8B"},
      {"DeepSeek-R1-Distill-Qwen-1.5B", 1777088000, "DeepSeek R1 Distill Qwen 1.5B", "", "DeepSeek-R1-Distill-Qwen", "",
       "", "1.5B"},
      {"my-tiny-model", 70000, "My Tiny Model", "", "", "", "", ""},
      {"opt-small-2-3", 70000000, "Opt Small 2 3", "", "opt", "", "2-3", "small"},
      {"a--b-", 10, "A B", "", "", "", "", ""},
      {"Llama-2-7b-hf", 6738415616, "Llama 2 7b Hf", "", "Llama-2", "hf", "", "7B"},
      {"NousResearch/Hermes-2-Pro-Llama-3-8B", 8030261248, "Hermes 2 Pro Llama 3 8B", "NousResearch",
       "Hermes-2-Pro-Llama-3", "", "", "8B"},
      {"Yarn-Llama-2-7b-128k", 6738415616, "Yarn Llama 2 7b 128k", "", "Yarn-Llama-2", "128k", "", "7B"},
      {"Foo-v2-large-7B-BF16", 7000000000, "Foo v2 Large 7B BF16", "", "Foo-v2-large", "", "", "7B"},
      {"gpt2-xl", 1557611200, "Gpt2 Xl", "", "gpt2", "", "", "xl"},
      {"stories260K", 260000, "stories260K", "", "", "", "", ""},
      {"x-1_1b-chat", 1100000000, "X 1_1b Chat", "", "x", "chat", "", "1.1B"},
      {"zephyr-7b-beta", 7241732096, "Zephyr 7b Beta", "", "zephyr", "beta", "", "7B"},
      {"v2-model", 1000000, "v2 Model", "", "", "", "", ""},
      {"Foo-Iter3", 100, "Foo Iter3", "", "Foo", "", "Iter3", ""},
      {"vicuna-13b-v1.5-16k", 13015864320, "Vicuna 13b v1.5 16k", "", "vicuna", "16k", "v1.5", "13B"},
  };
  for (const Case& expected : kCases) {
    const ModelName name = ParseModelName(expected.id, expected.parameters);
    EXPECT_EQ(name.title, expected.title) << expected.id;
    EXPECT_EQ(name.organization, expected.organization) << expected.id;
    EXPECT_EQ(name.basename, expected.basename) << expected.id;
    EXPECT_EQ(name.finetune, expected.finetune) << expected.id;
    EXPECT_EQ(name.version, expected.version) << expected.id;
    EXPECT_EQ(name.size_label, expected.size_label) << expected.id;
  }
}

TEST(ModelName, ASizeIsTakenAtItsWordWhereTheParametersAreNotKnown) {
  EXPECT_EQ(ParseModelName("Phi-3-mini-128k", 0).size_label, "128K");
  EXPECT_EQ(ParseModelName("Phi-3-mini-128k", 3821079552).size_label, "mini");
}

TEST(ModelName, NothingInANameBreaksIt) {
  for (const std::string_view id :
       {"", "-", "/", "a/", "/a", "x-_b", "x-7", "x-b1", "x-1.", "x-1.b", "\xff-\xc3", "v", "-q"}) {
    ParseModelName(id, 1000000000);
  }
}

TEST(ModelName, SizesAreSpokenOfInTwoDigits) {
  EXPECT_EQ(SizeLabel(0u, 0), "0.00K");
  EXPECT_EQ(SizeLabel(5u, 0), "0.01K");
  EXPECT_EQ(SizeLabel(999u, 0), "1.0K");
  EXPECT_EQ(SizeLabel(1000u, 0), "1.0K");
  EXPECT_EQ(SizeLabel(1500u, 0), "1.5K");
  EXPECT_EQ(SizeLabel(9999u, 0), "10K");
  EXPECT_EQ(SizeLabel(10000u, 0), "10K");
  EXPECT_EQ(SizeLabel(99999u, 0), "100K");
  EXPECT_EQ(SizeLabel(999999u, 0), "1000K");
  EXPECT_EQ(SizeLabel(1000000u, 0), "1000K");
  EXPECT_EQ(SizeLabel(1000001u, 0), "1.0M");
  EXPECT_EQ(SizeLabel(134515008u, 0), "135M");
  EXPECT_EQ(SizeLabel(1235814400u, 0), "1.2B");
  EXPECT_EQ(SizeLabel(9500000000u, 0), "10B");
  EXPECT_EQ(SizeLabel(9999999999u, 0), "10B");
  EXPECT_EQ(SizeLabel(70000000000u, 0), "70B");
  EXPECT_EQ(SizeLabel(1200000000000u, 0), "1.2T");
  EXPECT_EQ(SizeLabel(134515008u, 8), "8x135M");
}

}  // namespace
}  // namespace bothy
