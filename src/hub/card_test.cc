#include "hub/card.h"

#include <gmock/gmock.h>

#include "base/testing.h"
#include "hub/card_tags.h"

namespace bothy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Strings = std::vector<std::string>;

// What huggingface_hub's own pattern (repocard.py, REGEX_YAML_BLOCK of 2.4.0) finds in the same texts.
TEST(Card, MetadataIsWhatIsBetweenTwoLinesOfDashes) {
  EXPECT_EQ(SplitReadme("---\na: b\n---\ntext").metadata, "\na: b\n");
  EXPECT_EQ(SplitReadme("---\na: b\n---\ntext").text, "text");
  EXPECT_EQ(SplitReadme("\n  ---\r\na: b\r\n---\r\ntext").text, "text");
  EXPECT_EQ(SplitReadme("\xef\xbb\xbf---\na: b\n---").metadata, "\na: b\n");
  EXPECT_EQ(SplitReadme("---\na: b\n--- \t\ntext").text, "text");
  EXPECT_EQ(SplitReadme("---\na: --- b\n---- c\n---\n").metadata, "\na: --- b\n---- c\n");
  for (const char* none : {"", "text", "---", "---\n", "---\na: b\n", "--- \nb: c\n---\n", "--- a\nb: c\n---\n",
                           "# title\n---\na: b\n---\n", "----\na: b\n---\n"}) {
    EXPECT_EQ(SplitReadme(none).metadata, std::nullopt) << none;
    EXPECT_EQ(SplitReadme(none).text, none);
  }
}

TEST(Card, WhatCannotBeReadIsSaidAndLeavesTheTextReadable) {
  const Card broken = ReadCard("---\na: [1\n---\ntext");
  ASSERT_TRUE(broken.error);
  EXPECT_TRUE(broken.error->starts_with("metadata: line ")) << *broken.error;
  EXPECT_TRUE(broken.data.empty());
  EXPECT_EQ(broken.text, "text");
  EXPECT_TRUE(ReadCard("---\n- a\n---\n").error);
  EXPECT_FALSE(ReadCard("---\n\n---\n").error);
  const std::string limit = "a: " + std::string(kMaxCardMetadataBytes - 5, 'x');
  EXPECT_FALSE(ReadCard("---\n" + limit + "\n---\n").error);
  EXPECT_TRUE(ReadCard("---\n" + limit + "x\n---\n").error);
}

Strings Errors(std::string_view metadata, RepositoryKind kind = RepositoryKind::kModel) {
  return ValidateCard(fmt::format("---\n{}\n---\n", metadata), kind).errors;
}

TEST(Card, AGoodOneHasNoErrors) {
  EXPECT_THAT(Errors("license: apache-2.0\nlanguage: en\ntags: [a]\nbase_model: [a/b, c/d]\nmodel-index:\n- name: x"),
              IsEmpty());
  EXPECT_THAT(Errors("license: [mit, llama3.3]\nlanguage: [en, de]\ntags:\npretty_name: x"), IsEmpty());
  EXPECT_THAT(Errors("sdk: gradio", RepositoryKind::kSpace), IsEmpty());
}

TEST(Card, KeysOfTheWrongShapeAreErrors) {
  EXPECT_THAT(Errors("tags: a"), ElementsAre("\"tags\" must be an array of strings"));
  EXPECT_THAT(Errors("tags: [1]"), ElementsAre("\"tags\" must be an array of strings"));
  EXPECT_THAT(Errors("language: {a: b}"), ElementsAre("\"language\" must be a string or a list of strings"));
  EXPECT_THAT(Errors("pipeline_tag: [a]"), ElementsAre("\"pipeline_tag\" must be a string"));
  EXPECT_THAT(Errors("model-index: [a]"), ElementsAre("\"model-index\" must be an array of objects"));
  EXPECT_THAT(Errors("title: x", RepositoryKind::kSpace), ElementsAre("\"sdk\" is required"));
  EXPECT_EQ(Errors("a: [1").size(), 1u);
}

TEST(Card, AnUnknownLicenseIsAnErrorInTheWordsOfTheClientsTests) {
  const auto errors = Errors("license: asdf");
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_TRUE(errors[0].starts_with("\"license\" must be one of [apache-2.0, mit, ")) << errors[0];
}

TEST(Card, AnEmptyOneIsAWarning) {
  EXPECT_THAT(ValidateCard("text", RepositoryKind::kModel).warnings,
              ElementsAre("empty or missing yaml metadata in repo card"));
  EXPECT_EQ(ValidateCard("---\nlicense: other\n---\n", RepositoryKind::kModel).warnings.size(), 1u);
}

CardFacts Facts(RepositoryKind kind, std::string_view readme, const char* config, const Strings& files) {
  const auto parsed = config == nullptr ? json::value() : *json::Parse(config, "config.json");
  return DeriveFacts(kind, ReadCard(readme), parsed.if_object(), files);
}

TEST(CardTags, AModelIsTaggedByCardConfigurationAndFiles) {
  const auto facts =
      Facts(RepositoryKind::kModel,
            "---\nlicense: mit\nlanguage: [en, de]\ntags: [mine, en]\ndatasets: squad\nbase_model: gpt2\n---\n"
            "See https://arxiv.org/abs/1706.03762v5 and arxiv:2307.0928, not arxiv.org/abs/17060.3762.",
            R"({"model_type":"llama","architectures":["LlamaForCausalLM"]})",
            {".gitattributes", "config.json", "model-00001-of-00002.safetensors", "x.gguf"});
  EXPECT_EQ(facts.library_name, "transformers");
  EXPECT_EQ(facts.pipeline_tag, "text-generation");
  EXPECT_THAT(facts.tags, ElementsAre("transformers", "safetensors", "gguf", "llama", "text-generation", "mine", "en",
                                      "de", "dataset:squad", "arxiv:1706.03762", "arxiv:2307.0928", "base_model:gpt2",
                                      "base_model:quantized:gpt2", "license:mit"));
}

TEST(CardTags, WhatTheCardSaysGoesBeforeWhatTheFilesSay) {
  const auto facts =
      Facts(RepositoryKind::kModel, "---\nlibrary_name: mine\npipeline_tag: other\nbase_model: [a, b]\n---\n",
            R"({"model_type":"bert","architectures":["BertForMaskedLM"]})", {"adapter_config.json"});
  EXPECT_EQ(facts.library_name, "mine");
  EXPECT_EQ(facts.pipeline_tag, "other");
  EXPECT_THAT(facts.tags, ElementsAre("mine", "bert", "other", "base_model:a", "base_model:b", "base_model:merge:a",
                                      "base_model:merge:b"));
}

TEST(CardTags, WithoutACardThereMayBeNothing) {
  const auto facts = Facts(RepositoryKind::kModel, "", nullptr, {"README.md"});
  EXPECT_EQ(facts.library_name, std::nullopt);
  EXPECT_EQ(facts.pipeline_tag, std::nullopt);
  EXPECT_THAT(facts.tags, IsEmpty());
}

TEST(CardTags, ADatasetIsTaggedWithPrefixes) {
  EXPECT_THAT(Facts(RepositoryKind::kDataset,
                    "---\nlicense: mit\nlanguage: en\ntask_categories: [text-generation]\nsize_categories: "
                    "1K<n<10K\ntags: [t]\n---\n",
                    nullptr, {"data/train.parquet"})
                  .tags,
              ElementsAre("task_categories:text-generation", "language:en", "license:mit", "size_categories:1K<n<10K",
                          "format:parquet", "t"));
  EXPECT_THAT(Facts(RepositoryKind::kSpace, "---\nsdk: gradio\ntags: [t]\n---\n", nullptr, {}).tags,
              ElementsAre("gradio", "t"));
}

TEST(CardTags, TagsAreLimitedInNumberAndLength) {
  std::string tags;
  for (size_t i = 0; i < 2000; i++) tags += fmt::format("- t{}\n", i);
  const auto many =
      Facts(RepositoryKind::kSpace, fmt::format("---\ntags:\n{}language:\n{}---\n", tags, tags), nullptr, {});
  EXPECT_EQ(many.tags.size(), kMaxTags);
  const std::string limit(kMaxTagBytes, 'x');
  EXPECT_THAT(Facts(RepositoryKind::kSpace, fmt::format("---\ntags: [{}, {}y]\n---\n", limit, limit), nullptr, {}).tags,
              ElementsAre(limit));
}

}  // namespace
}  // namespace bothy
