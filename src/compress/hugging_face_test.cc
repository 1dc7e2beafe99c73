#include "compress/hugging_face.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/testing.h"
#include "codec/safetensors.h"
#include "compress/golden_values.h"
#include "compress/quantize.h"
#include "tensor/quant/quant.h"

namespace bothy {
namespace {

// A folder of tests/golden/convert (tools/golden/convert.py), with its arrays written out.
struct FolderCase {
  std::vector<ArraySpec> arrays;                            // as the folder has them
  std::vector<std::pair<std::string, std::string>> names;   // of each in the folder, and in GGUF
  std::vector<std::pair<std::string, uint64_t>> converted;  // name in GGUF, hash of the values
};

FolderCase ReadCase(const std::string& name) {
  FolderCase golden;
  std::istringstream file(ReadTestFile(Golden() / "convert" / name / "arrays.tsv"));
  std::string line;
  while (std::getline(file, line) && !line.empty()) {
    std::istringstream fields(line);
    std::string from, shape, to;
    fields >> from >> shape >> to;
    golden.names.emplace_back(from, to);
    ArraySpec& array = golden.arrays.emplace_back(ArraySpec{from, DType::kF32, {}});
    std::istringstream sizes(shape);
    for (std::string size; std::getline(sizes, size, 'x');) array.shape.push_back(std::stoull(size));
  }
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string to, hash;
    fields >> to >> hash;
    golden.converted.emplace_back(to, std::stoull(hash, nullptr, 16));
  }
  return golden;
}

// Copies the folder's files to `folder`/`name` and adds the arrays, those of `arrays` where given.
std::filesystem::path MakeFolder(const std::filesystem::path& folder, const std::string& name,
                                 const std::vector<ArraySpec>& arrays) {
  const std::filesystem::path path = folder / name;
  std::filesystem::create_directories(path);
  for (const auto& entry : std::filesystem::directory_iterator(Golden() / "convert" / name)) {
    std::filesystem::copy_file(entry, path / entry.path().filename(),
                               std::filesystem::copy_options::overwrite_existing);
  }
  EXPECT_OK(WriteSafetensors(path / "model.safetensors", {}, arrays, GoldenProducer(arrays)));
  return path;
}

void Rewrite(const std::filesystem::path& file, const std::string& from, const std::string& to) {
  std::string text = ReadTestFile(file);
  const size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  std::ofstream(file) << text.replace(at, from.size(), to);
}

// A value of expected.json beside one of ours, both as JSON text.
std::string TextOf(const GgufValue& value) {
  if (const GgufArray* array = value.array()) {
    json::array items;
    for (size_t i = 0; i < array->size(); i++) {
      if (array->type() == GgufType::kString) {
        items.push_back(json::value(array->String(i)));
      } else {
        items.push_back(json::value(array->Number(i)));
      }
    }
    return json::Serialize(items);
  }
  if (value.string() != nullptr) return json::Serialize(json::value(std::string_view(*value.string())));
  if (value.boolean() != nullptr) return json::Serialize(json::value(*value.boolean()));
  return json::Serialize(json::value(*value.number()));
}

std::string TextOf(const json::value& value) {
  if (value.is_array()) {
    json::array items;
    for (const json::value& item : value.get_array()) {
      items.push_back(item.is_number() ? json::value(item.to_number<double>()) : item);
    }
    return json::Serialize(items);
  }
  return json::Serialize(value.is_number() ? json::value(value.to_number<double>()) : value);
}

constexpr std::string_view kModels[] = {"Tiny-Llama-3-32K-Instruct", "small", "experts"};

TEST(HuggingFace, ArraysGetTheNamesAndRowsThatLlamaCppGivesThem) {
  const TemporaryFolder folder;
  for (const std::string_view name : kModels) {
    const FolderCase golden = ReadCase(std::string(name));
    const auto files = OpenModelFiles(MakeFolder(folder.path(), std::string(name), golden.arrays));
    ASSERT_OK(files);
    const auto conversion = GgufModelFromFolder(*files);
    ASSERT_OK(conversion);
    ThreadPool pool(2);
    const auto path = folder.path() / "out.gguf";
    ASSERT_OK(WriteModel(conversion->model, *files, path, pool, {.file_type = FileType::kF32}));
    const auto out = OpenModelFiles(path);
    ASSERT_OK(out);
    ASSERT_FALSE(golden.converted.empty());
    for (const auto& [array_name, hash] : golden.converted) {
      const auto array = out->checkpoint.Get(array_name);
      ASSERT_OK(array);
      std::string bytes((*array)->size, '\0');
      ASSERT_OK(out->checkpoint.Read(**array, 0, std::as_writable_bytes(std::span(bytes))));
      EXPECT_EQ(GoldenHash(bytes), hash) << name << " " << array_name;
    }
    const size_t made = out->checkpoint.Find("rope_freqs.weight") != nullptr ? 1 : 0;
    EXPECT_EQ(out->checkpoint.arrays().size(), golden.converted.size() + made);
  }
}

TEST(HuggingFace, MetadataIsThatOfTheConverter) {
  const TemporaryFolder folder;
  for (const std::string_view name : kModels) {
    const auto path = MakeFolder(folder.path(), std::string(name), ReadCase(std::string(name)).arrays);
    const auto files = OpenModelFiles(path);
    ASSERT_OK(files);
    const auto conversion = GgufModelFromFolder(*files);
    ASSERT_OK(conversion);
    EXPECT_TRUE(conversion->has_vocabulary);
    const auto expected = json::Parse(ReadTestFile(path / "expected.json"), "expected.json");
    ASSERT_OK(expected);
    for (const auto& [key, entry] : expected->get_object()) {
      // Of the file that is written, not of the model; and what is better here (hf_vocabulary.h).
      if (key == "general.file_type" || key == "general.quantization_version" || key == "tokenizer.ggml.scores")
        continue;
      const GgufValue* found = conversion->model.metadata.Find(key);
      ASSERT_NE(found, nullptr) << name << " " << std::string_view(key);
      EXPECT_EQ(TextOf(*found), TextOf(entry.get_array()[1])) << name << " " << std::string_view(key);
      const std::string_view type = entry.get_array()[0].get_array()[0].get_string();
      std::string ours(GgufTypeName(found->type()));
      EXPECT_EQ(type.substr(0, 1), std::string(1, static_cast<char>(std::toupper(ours[0])))) << std::string_view(key);
    }
  }
}

TEST(HuggingFace, ScoresPutMergesInTheirOrder) {
  const TemporaryFolder folder;
  const auto files = OpenModelFiles(MakeFolder(folder.path(), "experts", ReadCase("experts").arrays));
  ASSERT_OK(files);
  const auto conversion = GgufModelFromFolder(*files);
  ASSERT_OK(conversion);
  const GgufMetadata& metadata = conversion->model.metadata;
  const GgufArray* tokens = metadata.NeedStrings("tokenizer.ggml.tokens").value();
  const std::vector<float> scores = metadata.GetFloats("tokenizer.ggml.scores").value().value();
  ASSERT_EQ(scores.size(), tokens->size());
  std::map<std::string_view, float> by_piece;
  for (size_t i = 0; i < scores.size(); i++) by_piece[tokens->String(i)] = scores[i];
  EXPECT_EQ(by_piece["▁t"], 0.0f);
  EXPECT_EQ(by_piece["▁the"], -2.0f);
  EXPECT_EQ(by_piece["in"], -3.0f);
  EXPECT_LT(by_piece["t"], -3.0f);
}

TEST(HuggingFace, AModelInTheClientsCacheIsCalledByItsName) {
  const TemporaryFolder folder;
  const auto made = MakeFolder(folder.path(), "experts", ReadCase("experts").arrays);
  const auto snapshots = folder.path() / "models--mistralai--Mixtral-8x7B-v0.1" / "snapshots";
  std::filesystem::create_directories(snapshots);
  std::filesystem::rename(made, snapshots / "0123456789abcdef");
  const auto files = OpenModelFiles(snapshots / "0123456789abcdef");
  ASSERT_OK(files);
  const auto conversion = GgufModelFromFolder(*files);
  ASSERT_OK(conversion);
  EXPECT_EQ(conversion->model.metadata.GetString("general.name").value(), "Mixtral 8x7B v0.1");
  EXPECT_EQ(conversion->model.metadata.GetString("general.organization").value(), "Mistralai");
  EXPECT_EQ(conversion->model.metadata.GetString("general.version").value(), "v0.1");
}

TEST(HuggingFace, AFolderWithoutATokenizerBecomesAModelWithoutOne) {
  const TemporaryFolder folder;
  const auto path = MakeFolder(folder.path(), "small", ReadCase("small").arrays);
  std::filesystem::remove(path / "tokenizer.json");
  const auto files = OpenModelFiles(path);
  ASSERT_OK(files);
  const auto conversion = GgufModelFromFolder(*files);
  ASSERT_OK(conversion);
  EXPECT_FALSE(conversion->has_vocabulary);
  EXPECT_EQ(conversion->model.metadata.GetString("tokenizer.ggml.model").value(), "none");
}

TEST(HuggingFace, Gpt2sFilesGiveTheSameVocabularyAsTokenizerJson) {
  const TemporaryFolder folder;
  const auto path = MakeFolder(folder.path(), "small", ReadCase("small").arrays);
  const auto parsed = json::Parse(ReadTestFile(path / "tokenizer.json"), "tokenizer.json");
  ASSERT_OK(parsed);
  const json::object& model = parsed->get_object().at("model").get_object();
  std::ofstream(path / "vocab.json") << json::Serialize(model.at("vocab"));
  std::ofstream merges(path / "merges.txt");
  merges << "#version: 0.2\n";
  for (const json::value& merge : model.at("merges").get_array()) {
    merges << std::string(merge.get_array()[0].get_string()) << ' ' << std::string(merge.get_array()[1].get_string())
           << '\n';
  }
  merges.close();
  json::object added;
  for (const json::value& token : parsed->get_object().at("added_tokens").get_array()) {
    added[std::to_string(token.get_object().at("id").to_number<int>())] = token;
  }
  std::ofstream(path / "tokenizer_config.json")
      << json::Serialize(json::object{{"tokenizer_class", "Qwen2TokenizerFast"}, {"added_tokens_decoder", added}});
  const auto with_json = OpenModelFiles(path);
  ASSERT_OK(with_json);
  const auto expected = GgufModelFromFolder(*with_json);
  ASSERT_OK(expected);
  std::filesystem::remove(path / "tokenizer.json");
  const auto without = OpenModelFiles(path);
  ASSERT_OK(without);
  const auto conversion = GgufModelFromFolder(*without);
  ASSERT_OK(conversion);
  for (const std::string_view key : {"tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.merges"}) {
    EXPECT_EQ(TextOf(*conversion->model.metadata.Find(key)), TextOf(*expected->model.metadata.Find(key))) << key;
  }
  EXPECT_EQ(conversion->model.metadata.GetString("tokenizer.ggml.pre").value(), "qwen2");
}

TEST(HuggingFace, IdsPastTheEmbeddingsAreLeftOutAndMissingOnesFilledUp) {
  const TemporaryFolder folder;
  FolderCase golden = ReadCase("small");
  for (const uint64_t rows : {267u, 280u}) {
    for (ArraySpec& array : golden.arrays) {
      if (array.name == "model.embed_tokens.weight") array.shape[0] = rows;
    }
    const auto files = OpenModelFiles(MakeFolder(folder.path(), "small", golden.arrays));
    ASSERT_OK(files);
    const auto conversion = GgufModelFromFolder(*files);
    ASSERT_OK(conversion);
    const GgufArray* tokens = conversion->model.metadata.NeedStrings("tokenizer.ggml.tokens").value();
    ASSERT_EQ(tokens->size(), rows);
    EXPECT_EQ(tokens->String(266), "<|end|>");
    if (rows > 279) {
      EXPECT_EQ(tokens->String(279), "[PAD279]");
    }
  }
}

// As the loader reads the folder (models/weights.h), so the file says it.
TEST(HuggingFace, EmbeddingsAndOutputAreWhatTheFolderMeans) {
  const TemporaryFolder folder;
  const std::vector<ArraySpec> with_embeddings = ReadCase("small").arrays;  // tied, without lm_head
  const auto is_embeddings = [](const ArraySpec& array) { return array.name == "model.embed_tokens.weight"; };
  std::vector<ArraySpec> with_both = with_embeddings, with_head = with_embeddings;
  with_both.push_back(*std::ranges::find_if(with_embeddings, is_embeddings));
  with_both.back().name = "lm_head.weight";
  std::ranges::find_if(with_head, is_embeddings)->name = "lm_head.weight";
  const auto names = [&](const std::vector<ArraySpec>& arrays, bool tied) -> std::string {
    const auto path = MakeFolder(folder.path(), "small", arrays);
    if (!tied) Rewrite(path / "config.json", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
    const auto files = OpenModelFiles(path);
    if (!files) return files.error().message;
    const auto conversion = GgufModelFromFolder(*files);
    if (!conversion) return conversion.error().message;
    std::string found;
    for (const ModelArray& array : conversion->model.arrays) {
      if (array.info.name.find("blk.") == std::string::npos && array.info.name != "output_norm.weight" &&
          array.info.name != "rope_freqs.weight") {
        found += array.info.name + " ";
      }
    }
    return found;
  };
  EXPECT_EQ(names(with_embeddings, true), "token_embd.weight ");
  EXPECT_EQ(names(with_head, true), "token_embd.weight ");
  EXPECT_EQ(names(with_both, true), "output.weight token_embd.weight ");
  EXPECT_EQ(names(with_both, false), "output.weight token_embd.weight ");
  EXPECT_THAT(names(with_embeddings, false), testing::HasSubstr("\"lm_head.weight\" is missing"));
  EXPECT_THAT(names(with_head, false), testing::HasSubstr("\"model.embed_tokens.weight\""));
}

TEST(HuggingFace, WhatGgufCannotHoldIsRefusedWithItsName) {
  const TemporaryFolder folder;
  const FolderCase golden = ReadCase("small");
  const auto refused = [&](const std::string& file, const std::string& from, const std::string& to) {
    const auto path = MakeFolder(folder.path(), "small", golden.arrays);
    Rewrite(path / file, from, to);
    const auto files = OpenModelFiles(path);
    if (!files) return files.error().message;
    const auto conversion = GgufModelFromFolder(*files);
    return conversion ? std::string("it was converted") : conversion.error().message;
  };
  const auto names = [](const std::string& part) { return testing::HasSubstr(part); };
  EXPECT_THAT(refused("config.json", "\"llama\"", "\"bert\""), names("\"model_type\""));
  EXPECT_THAT(refused("config.json", "\"linear\"", "\"dynamic\""), names("\"dynamic\""));
  EXPECT_THAT(refused("config.json", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3"),
              names("4 query heads cannot share 3"));
  EXPECT_THAT(refused("config.json", "\"num_attention_heads\": 4", "\"num_attention_heads\": 2"),
              names("expected 32 rows for 2 heads of 16, found 16"));
  EXPECT_THAT(refused("config.json", "\"hidden_size\": 32", "\"hidden_size\": -1"), names("\"hidden_size\""));
  EXPECT_THAT(refused("tokenizer.json", "\"Digits\"", "\"Metaspace\""), names("\"pre_tokenizer\""));
  EXPECT_THAT(refused("tokenizer.json", "\"BPE\"", "\"Unigram\""), names("found \"Unigram\""));
  EXPECT_THAT(refused("tokenizer.json", "\"vocab\": {\"Ā\": 0", "\"vocab\": {\"Ā\": -1"), names("id of \"Ā\""));
}

TEST(HuggingFace, AnArrayWithoutANameInGgufIsNamed) {
  const TemporaryFolder folder;
  FolderCase golden = ReadCase("small");
  golden.arrays.push_back({"model.layers.0.self_attn.sinks", DType::kF32, {4}});
  const auto files = OpenModelFiles(MakeFolder(folder.path(), "small", golden.arrays));
  ASSERT_OK(files);
  const auto conversion = GgufModelFromFolder(*files);
  ASSERT_FALSE(conversion);
  EXPECT_THAT(conversion.error().message, testing::HasSubstr("array \"model.layers.0.self_attn.sinks\""));
}

TEST(HuggingFace, AMissingExpertIsFound) {
  const TemporaryFolder folder;
  FolderCase golden = ReadCase("experts");
  std::erase_if(golden.arrays,
                [](const ArraySpec& a) { return a.name == "model.layers.1.block_sparse_moe.experts.2.w2.weight"; });
  const auto files = OpenModelFiles(MakeFolder(folder.path(), "experts", golden.arrays));
  ASSERT_OK(files);
  const auto conversion = GgufModelFromFolder(*files);
  ASSERT_FALSE(conversion);
  EXPECT_THAT(conversion.error().message, testing::HasSubstr("\"blk.1.ffn_down_exps.weight\" lacks some of its 3"));
}

}  // namespace
}  // namespace bothy
