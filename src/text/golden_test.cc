#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/testing.h"
#include "codec/gguf.h"
#include "codec/json.h"
#include "text/golden_cases.h"
#include "text/open_tokenizer.h"

namespace bothy {

std::string ReadGzip(const std::filesystem::path& path) {
  std::string text;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    ADD_FAILURE() << path << " cannot be opened";
    return text;
  }
  char buffer[1 << 16];
  int count = 0;
  while ((count = gzread(file, buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<size_t>(count));
  if (gzclose(file) != Z_OK || count < 0) ADD_FAILURE() << path << " is damaged";
  return text;
}

namespace {

std::vector<json::value> ReadLines(const std::filesystem::path& path) {
  std::vector<json::value> values;
  const std::string text = ReadGzip(path);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    auto value = json::Parse(std::string_view(text).substr(begin, end - begin), path.string());
    if (!value) {
      ADD_FAILURE() << value.error().message;
      break;
    }
    values.push_back(*std::move(value));
    begin = end + 1;
  }
  return values;
}

}  // namespace

std::vector<GoldenCase> ReadGoldenCases(const std::filesystem::path& folder, const std::string& name) {
  std::vector<GoldenCase> cases;
  const auto strings = ReadLines(folder / "strings.jsonl.gz");
  for (const json::value& line : ReadLines(folder / name / "golden.jsonl.gz")) {
    const json::object& row = line.as_object();
    GoldenCase c;
    c.number = row.at("i").to_number<size_t>();
    c.text = strings.at(c.number).as_string();
    for (const json::value& id : row.at("ids").as_array()) c.ids.push_back(id.to_number<TokenId>());
    if (const json::array* flat = json::FindArray(row, "offsets")) {
      int64_t last = 0;
      for (size_t i = 0; i + 1 < flat->size(); i += 2) {
        const int64_t begin = last + flat->at(i).to_number<int64_t>();
        last = begin + flat->at(i + 1).to_number<int64_t>();
        c.offsets.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(last)});
      }
    }
    if (const json::array* pieces = json::FindArray(row, "pieces")) {
      for (const json::value& piece : *pieces) c.pieces.emplace_back(piece.as_string());
    }
    c.decoded = row.contains("decoded") ? std::string(row.at("decoded").as_string()) : c.text;
    cases.push_back(std::move(c));
  }
  EXPECT_GT(cases.size(), 100u) << name;
  return cases;
}

void ExpectGolden(const Tokenizer& tokenizer, const std::vector<GoldenCase>& cases) {
  int wrong = 0;
  for (const GoldenCase& c : cases) {
    const auto ids = tokenizer.Encode(c.text);
    const auto encoding = tokenizer.EncodeWithOffsets(c.text);
    ASSERT_OK(ids);
    ASSERT_OK(encoding);
    EXPECT_EQ(*ids, encoding->ids);
    const auto context = [&] { return "case " + std::to_string(c.number) + ": " + testing::PrintToString(c.text); };
    EXPECT_EQ(*ids, c.ids) << context();
    if (!c.offsets.empty() && *ids == c.ids) {
      for (size_t i = 0; i < c.offsets.size(); i++) {
        EXPECT_EQ(encoding->offsets[i].begin, c.offsets[i].begin) << "token " << i << ", " << context();
        EXPECT_EQ(encoding->offsets[i].end, c.offsets[i].end) << "token " << i << ", " << context();
      }
    }
    EXPECT_EQ(tokenizer.Decode(c.ids), c.decoded) << context();
    if (testing::Test::HasFailure() && ++wrong == 5) GTEST_FAIL() << "and perhaps more";
  }
}

namespace {

std::vector<int32_t> Integers(const json::value& array) {
  std::vector<int32_t> values;
  for (const json::value& value : array.as_array()) values.push_back(value.to_number<int32_t>());
  return values;
}

}  // namespace

void ExpectGoldenSpecial(const Tokenizer& tokenizer, const std::filesystem::path& folder, const std::string& name) {
  const auto strings = ReadLines(folder / "strings.jsonl.gz");
  const auto golden = json::Parse(ReadTestFile(folder / name / "golden.json"), name);
  ASSERT_OK(golden);
  const json::array& cases = golden->as_object().at("with_special_tokens").as_array();
  EXPECT_GT(cases.size(), 10u);
  const EncodeOptions options{.add_special_tokens = true};
  for (const json::value& value : cases) {
    const json::object& row = value.as_object();
    const std::string_view first = strings.at(row.at("i").to_number<size_t>()).as_string();
    const std::string_view second = strings.at(row.at("pair_with").to_number<size_t>()).as_string();
    const auto ids = tokenizer.Encode(first, options);
    const auto one = tokenizer.EncodeWithOffsets(first, options);
    const auto two = tokenizer.EncodePair(first, second, options);
    ASSERT_OK(ids);
    ASSERT_OK(one);
    ASSERT_OK(two);
    ASSERT_EQ(*ids, Integers(row.at("ids"))) << first;
    ASSERT_EQ(one->ids, *ids) << first;
    ASSERT_EQ(one->type_ids, Integers(row.at("type_ids"))) << first;
    ASSERT_EQ(two->ids, Integers(row.at("pair_ids"))) << first << "\n" << second;
    ASSERT_EQ(two->type_ids, Integers(row.at("pair_type_ids"))) << first << "\n" << second;
  }
}

namespace {

TEST(Golden, Smollm2) {
  BOTHY_NEEDS_TEST_MODEL("SmolLM2-135M-Instruct.Q4_1.gguf");
  auto file = OpenFile(TestModel("SmolLM2-135M-Instruct.Q4_1.gguf"));
  ASSERT_OK(file);
  const auto gguf = ReadGguf(*std::move(file));
  ASSERT_OK(gguf);
  const auto tokenizer = TokenizerFromGguf(gguf->metadata);
  ASSERT_OK(tokenizer);
  ExpectGolden(**tokenizer, ReadGoldenCases(Golden() / "tokenizers", "smollm2"));
}

// A golden with its tokenizer's files.
struct CommittedCase {
  const char* name;
  std::vector<std::string> files;
};

class GoldenCommitted : public testing::TestWithParam<CommittedCase> {};

TEST_P(GoldenCommitted, EqualsTheReference) {
  const std::filesystem::path golden = Golden() / "tokenizers";
  const TemporaryFolder folder;
  for (const std::string& file : GetParam().files) {
    std::ofstream(folder.path() / file) << ReadGzip(golden / GetParam().name / (file + ".gz"));
  }
  const auto tokenizer = OpenTokenizer(folder.path());
  ASSERT_OK(tokenizer);
  ExpectGolden(**tokenizer, ReadGoldenCases(golden, GetParam().name));
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenCommitted,
                         testing::Values(CommittedCase{"gpt2", {"vocab.json", "merges.txt"}},
                                         CommittedCase{"mistral-v3-sp", {"tokenizer.model"}},
                                         CommittedCase{"bytefallback-sp", {"tokenizer.model"}},
                                         CommittedCase{"test-sp", {"tokenizer.model"}}),
                         [](const auto& param) {
                           std::string name = param.param.name;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// A golden whose tokenizer is a file or folder of the test data.
struct KitCase {
  const char* name;
  const char* path;
  bool special = false;  // has with_special_tokens
};

class GoldenKit : public testing::TestWithParam<KitCase> {};

TEST_P(GoldenKit, EqualsTheReference) {
  BOTHY_NEEDS_TEST_DATA();
  const auto tokenizer = OpenTokenizer(*TestData() / "kit" / GetParam().path);
  ASSERT_OK(tokenizer);
  const std::filesystem::path golden = *TestData() / "golden" / "tokenizers";
  ExpectGolden(**tokenizer, ReadGoldenCases(golden, GetParam().name));
  if (GetParam().special) ExpectGoldenSpecial(**tokenizer, golden, GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenKit,
                         testing::Values(KitCase{"llama2-sp", "tokenizers/llama2/tokenizer.model"},
                                         KitCase{"llama3-tiktoken", "tokenizers/llama3/encoder.json"},
                                         KitCase{"mistral-v1-sp", "tokenizers/mistral/tokenizer.model.v1"},
                                         KitCase{"qwen2.5", "tokenizers/qwen2.5", true},
                                         KitCase{"clip", "tokenizers/clip", true},
                                         KitCase{"t5", "tokenizers/t5/tokenizer.json", true},
                                         KitCase{"bert", "tokenizers/bert", true},
                                         KitCase{"xlnet-sp", "tokenizers/sentencepiece/spiece.model"},
                                         KitCase{"whisper-gpt2", "whisper/gpt2.tiktoken"},
                                         KitCase{"whisper-multilingual", "whisper/multilingual.tiktoken"}),
                         [](const auto& param) {
                           std::string name = param.param.name;
                           std::ranges::replace(name, '-', '_');
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

// Texts and ids by which llama.cpp tests its own tokenizers.
void ExpectGgmlVocab(const Tokenizer& tokenizer, const std::string& name) {
  const std::filesystem::path folder = *TestData() / "kit" / "tokenizers" / "gguf-vocab";
  const std::string texts = ReadTestFile(folder / ("ggml-vocab-" + name + ".gguf.inp"));
  const std::string ids = ReadTestFile(folder / ("ggml-vocab-" + name + ".gguf.out"));
  constexpr std::string_view kSeparator = "\n__ggml_vocab_test__\n";
  std::istringstream lines(ids);
  std::string line;
  size_t begin = 0, count = 0;
  while (std::getline(lines, line)) {
    const size_t end = std::min(texts.find(kSeparator, begin), texts.size());
    const std::string text = texts.substr(begin, end - begin);
    begin = end + kSeparator.size();
    std::vector<TokenId> expected;
    std::istringstream numbers(line);
    for (TokenId id = 0; numbers >> id;) expected.push_back(id);
    const auto found = tokenizer.Encode(text, {.special = EncodeOptions::Special::kText});
    ASSERT_OK(found);
    EXPECT_EQ(*found, expected) << name << ": " << testing::PrintToString(text);
    count++;
  }
  EXPECT_GT(count, 40u) << name;
}

class GgmlVocab : public testing::TestWithParam<const char*> {};

TEST_P(GgmlVocab, EqualsLlamaCpp) {
  BOTHY_NEEDS_TEST_DATA();
  const std::string name = GetParam();
  const auto tokenizer =
      OpenTokenizer(*TestData() / "kit" / "tokenizers" / "gguf-vocab" / ("ggml-vocab-" + name + ".gguf"));
  ASSERT_OK(tokenizer);
  ExpectGgmlVocab(**tokenizer, name);
}

INSTANTIATE_TEST_SUITE_P(Models, GgmlVocab, testing::Values("llama-spm", "phi-3", "gpt-2", "falcon", "starcoder"));

TEST(GgmlVocab, Llama3AndQwen2AreTheSameFromHuggingFace) {
  BOTHY_NEEDS_TEST_DATA();
  BOTHY_NEEDS_TEST_MODEL("tokenizers/llama3/tokenizer.json");
  const auto llama3 = OpenTokenizer(TestModel("tokenizers/llama3/tokenizer.json"));
  ASSERT_OK(llama3);
  ExpectGgmlVocab(**llama3, "llama-bpe");
  const auto qwen2 = OpenTokenizer(*TestData() / "kit" / "tokenizers" / "qwen2.5");
  ASSERT_OK(qwen2);
  ExpectGgmlVocab(**qwen2, "qwen2");
}

// Cases of swift-transformers: what Hugging Face's tokenizers make of 18 texts, with special tokens.
struct SwiftCase {
  const char* key;
  const char* path;  // in the test data
};

TEST(Golden, SwiftTransformersTests) {
  BOTHY_NEEDS_TEST_DATA();
  const std::filesystem::path tokenizers = *TestData() / "kit" / "tokenizers";
  const auto file = json::Parse(ReadTestFile(tokenizers / "bert" / "golden" / "tokenizer_tests.json"), "tests");
  ASSERT_OK(file);
  for (const SwiftCase& c :
       {SwiftCase{"coreml-projects/Llama-2-7b-chat-coreml", "llama2/tokenizer.model"},
        SwiftCase{"pcuenq/Llama-3.2-1B-Instruct-tokenizer", "llama3/encoder.json"}, SwiftCase{"distilgpt2", "gpt2"},
        SwiftCase{"google-bert/bert-base-uncased", "bert"}, SwiftCase{"t5-base", "t5/tokenizer.json"}}) {
    const auto tokenizer = OpenTokenizer(tokenizers / c.path);
    ASSERT_OK(tokenizer);
    const json::array& cases = file->as_object().at(c.key).as_array();
    EXPECT_EQ(cases.size(), 18u);
    for (const json::value& value : cases) {
      const std::string_view text = value.at("input").as_string();
      const auto ids = (*tokenizer)->Encode(text, {.add_special_tokens = true});
      ASSERT_OK(ids);
      EXPECT_EQ(*ids, Integers(value.at("encoded").at("input_ids"))) << c.key << ": " << text;
    }
  }
}

struct JsonCase {
  const char* name;
  const char* file;
};

class GoldenJson : public testing::TestWithParam<JsonCase> {};

TEST_P(GoldenJson, EqualsTheReference) {
  const std::filesystem::path file = std::filesystem::path("tokenizers") / GetParam().file / "tokenizer.json";
  BOTHY_NEEDS_TEST_MODEL(file);
  auto source = OpenFile(TestModel(file));
  ASSERT_OK(source);
  const auto tokenizer = TokenizerFromFile(**source);
  ASSERT_OK(tokenizer);
  ExpectGolden(**tokenizer, ReadGoldenCases(Golden() / "tokenizers", GetParam().name));
  ExpectGoldenSpecial(**tokenizer, Golden() / "tokenizers", GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenJson,
                         testing::Values(JsonCase{"llama3", "llama3"}, JsonCase{"mistral-v1-hf", "mistral-v1"},
                                         JsonCase{"qwen3", "qwen3"}, JsonCase{"gemma3", "gemma3"},
                                         JsonCase{"deepseek-v3", "deepseek-v3"}));

}  // namespace
}  // namespace bothy
