// The LLaMA family against transformers (tests/golden/llama*).
#include <gtest/gtest.h>

#include <cstring>

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

INSTANTIATE_TEST_SUITE_P(Llama, LlamaGolden,
                         testing::Values("llama", "llama-bias", "llama3", "llama-bf16", "llama-f16", "llama-linear",
                                         "llama-dynamic", "llama-yarn", "llama-yarn-mscale", "mistral"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace bothy
