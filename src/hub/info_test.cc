#include "hub/info.h"

#include <gmock/gmock.h>

#include "codec/gguf_writer.h"
#include "hub/commits.h"
#include "hub/repositories_testing.h"

namespace bothy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class InfoTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    if (!IsSkipped()) repository_ = Make(ada_, "demo");
  }

  // A pointer to content that is there.
  std::string Large(char digit, std::string bytes) {
    const std::string sha256(64, digit);
    const auto size = bytes.size();
    content_.Add(ada_.user_id, sha256, std::move(bytes));
    return git::FormatPointer({.sha256 = sha256, .size = size});
  }

  static std::string Safetensors(std::string_view header, size_t data) {
    std::string file(8, '\0');
    file[0] = static_cast<char>(header.size());
    return file + std::string(header) + std::string(data, '\0');
  }

  std::string Gguf(int64_t rows) {
    const std::vector<float> weights(static_cast<size_t>(rows) * 4);
    const auto path = folder() / "x.gguf";
    GgufMetadata metadata;
    metadata.Set("general.architecture", GgufValue::String("llama"));
    metadata.Set("llama.context_length", GgufValue::U32(2048));
    metadata.Set("tokenizer.chat_template", GgufValue::String("{{ messages }}"));
    const std::vector<std::string> tokens = {"<s>", "</s>"};
    metadata.Set("tokenizer.ggml.tokens", GgufValue::Strings(tokens));
    metadata.Set("tokenizer.ggml.bos_token_id", GgufValue::U32(0));
    metadata.Set("tokenizer.ggml.eos_token_id", GgufValue::U32(7));
    const std::vector<ArraySpec> arrays = {
        {.name = "w", .dtype = DType::kF32, .shape = {static_cast<uint64_t>(rows), 4}}};
    EXPECT_OK(WriteGguf(path, metadata, arrays,
                        [&](size_t, ArraySink& sink) { return sink.Write(std::as_bytes(std::span(weights))); }));
    return ReadTestFile(path);
  }

  RevisionFacts Facts(RepositoryKind kind = RepositoryKind::kModel) {
    const auto files = RepositoryFiles::Open(*repositories_, repository_, content_);
    EXPECT_OK(files);
    auto facts = ReadRevisionFacts(*database_, *files, kind, Head(repository_));
    EXPECT_OK(facts);
    return facts ? *std::move(facts) : RevisionFacts{};
  }

  Repository repository_;
};

BOTHY_ON_BOTH_DATABASES(InfoTest);

TEST_P(InfoTest, ANewRepositoryHasNoFacts) {
  const auto facts = Facts();
  EXPECT_THAT(facts.tags, IsEmpty());
  EXPECT_TRUE(facts.config.empty());
  EXPECT_TRUE(facts.card_data.empty());
  EXPECT_FALSE(facts.safetensors || facts.gguf || facts.card_error || facts.library_name);
}

TEST_P(InfoTest, CardAndConfigurationAreToldInShort) {
  CommitFiles(
      repository_,
      {{"README.md", "---\nlicense: mit\nmodel-index:\n- name: x\n---\n# Title"},
       {"config.json", R"({"model_type":"bert","architectures":["BertForMaskedLM"],"hidden_size":4,"auto_map":null})"},
       {"tokenizer_config.json", R"({"mask_token":{"content":"[MASK]","lstrip":true},"pad_token":"[PAD]","x":1})"}});
  const auto facts = Facts();
  EXPECT_EQ(json::Serialize(facts.config), R"({"architectures":["BertForMaskedLM"],"model_type":"bert",)"
                                           R"("tokenizer_config":{"pad_token":"[PAD]","mask_token":"[MASK]"}})");
  EXPECT_EQ(facts.mask_token, "[MASK]");
  EXPECT_EQ(json::Serialize(facts.transformers_info),
            R"({"auto_model":"AutoModelForMaskedLM","pipeline_tag":"fill-mask","processor":"AutoTokenizer"})");
  EXPECT_THAT(facts.tags, ElementsAre("transformers", "bert", "fill-mask", "license:mit"));
  EXPECT_EQ(facts.card_text, "# Title");
  EXPECT_TRUE(facts.card_data.contains("model-index"));
}

TEST_P(InfoTest, WhatIsBrokenIsLeftOut) {
  CommitFiles(repository_, {{"README.md", "---\na: [1\n---\n"},
                            {"config.json", "{"},
                            {"tokenizer_config.json", "[]"},
                            {"model.safetensors", "no"},
                            {"x.gguf", "no"}});
  const auto facts = Facts();
  EXPECT_TRUE(facts.card_error);
  EXPECT_TRUE(facts.config.empty());
  EXPECT_FALSE(facts.safetensors || facts.gguf);
  EXPECT_THAT(facts.tags, ElementsAre("safetensors", "gguf"));
}

TEST_P(InfoTest, ParametersOfSafetensorsAreCountedByType) {
  CommitFiles(repository_, {{"model.safetensors",
                             Large('a', Safetensors(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                                    R"("b":{"dtype":"BF16","shape":[5],"data_offsets":[24,34]}})",
                                                    34))}});
  const auto facts = Facts();
  ASSERT_TRUE(facts.safetensors);
  EXPECT_EQ(facts.safetensors->parameters, (std::map<std::string, int64_t>{{"F32", 6}, {"BF16", 5}}));
  EXPECT_EQ(facts.safetensors->total, 11);
}

TEST_P(InfoTest, ShardsCountTogetherAndAreReadOnce) {
  const auto shard = [&](char digit) {
    return Large(digit, Safetensors(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 16));
  };
  CommitFiles(repository_, {{"model.safetensors.index.json",
                             R"({"weight_map":{"w":"m-1.safetensors","v":"m-2.safetensors","u":"m-1.safetensors"}})"},
                            {"m-1.safetensors", shard('a')},
                            {"m-2.safetensors", shard('b')}});
  EXPECT_EQ(Facts().safetensors->total, 8);
  content_.Add(ada_.user_id, std::string(64, 'a'), std::string(96, 'x'));  // would be refused if it were read again
  EXPECT_EQ(Facts().safetensors->total, 8);
}

TEST_P(InfoTest, WeightsWhoseContentIsGoneAreNotCounted) {
  CommitFiles(repository_, {{"model.safetensors", git::FormatPointer({.sha256 = std::string(64, 'a'), .size = 100})}});
  EXPECT_FALSE(Facts().safetensors);
}

TEST_P(InfoTest, AGgufFileIsToldInShort) {
  CommitFiles(repository_,
              {{"a-mmproj.gguf", "no"}, {"model.gguf", Large('a', Gguf(3))}, {"z.gguf", Large('b', Gguf(5))}});
  const auto facts = Facts();
  ASSERT_TRUE(facts.gguf);
  EXPECT_EQ(
      json::Serialize(*facts.gguf),
      R"({"total":12,"architecture":"llama","context_length":2048,"chat_template":"{{ messages }}","bos_token":"<s>"})");
}

TEST_P(InfoTest, PartsOfAGgufFileCountTogether) {
  CommitFiles(repository_, {{"m-00001-of-00002.gguf", Large('a', Gguf(3))},
                            {"m-00002-of-00002.gguf", Large('b', Gguf(5))},
                            {"n-00001-of-00001.gguf", Large('c', Gguf(7))}});
  EXPECT_EQ(*json::GetInt(*Facts().gguf, "total"), 32);
}

TEST_P(InfoTest, FilesAreListedWithoutFolders) {
  CommitFiles(repository_, {{"d/a", "1"}, {"b", "2"}});
  const auto files = RepositoryFiles::Open(*repositories_, repository_, content_);
  ASSERT_OK(files);
  const auto listed = ListFiles(*files, Head(repository_));
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 3u);
  EXPECT_EQ((*listed)[2].path, "d/a");
  EXPECT_EQ(ListFiles(*files, Head(repository_), 2)->size(), 2u);
}

TEST(InfoFields, AreParsedByKind) {
  const std::vector<std::string> names = {"model-index", "library_name", "sha"};
  const auto fields = InfoFields::Parse(RepositoryKind::kModel, names);
  ASSERT_OK(fields);
  EXPECT_TRUE(fields->Has(InfoField::kModelIndex) && fields->Has(InfoField::kLibraryName) && fields->NeedFacts());
  EXPECT_FALSE(fields->Has(InfoField::kTags));
  const std::vector<std::string> cheap = {"sha", "likes", "private"};
  EXPECT_FALSE(InfoFields::Parse(RepositoryKind::kModel, cheap)->NeedFacts());
}

TEST(InfoFields, AnUnknownOneIsRefusedInTheWordsOfTheClients) {
  const std::vector<std::string> names = {"sha", "nope"};
  const auto model = InfoFields::Parse(RepositoryKind::kModel, names);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message,
            "\"expand\" must be one of [author, baseModels, cardData, childrenModelCount, config, createdAt, disabled, "
            "downloads, downloadsAllTime, evalResults, gated, gguf, inference, inferenceProviderMapping, lastModified, "
            "library_name, likes, mask_token, model-index, pipeline_tag, private, resourceGroup, safetensors, sha, "
            "siblings, spaces, tags, transformersInfo, trendingScore, usedStorage, widgetData]");
  const std::vector<std::string> of_models = {"safetensors"};
  EXPECT_FALSE(InfoFields::Parse(RepositoryKind::kDataset, of_models));
  const std::vector<std::string> of_spaces = {"sdk", "runtime", "subdomain"};
  EXPECT_OK(InfoFields::Parse(RepositoryKind::kSpace, of_spaces));
}

}  // namespace
}  // namespace bothy
