#include "text/token_bytes.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/testing.h"
#include "text/golden_cases.h"
#include "text/open_tokenizer.h"
#include "text/utf8.h"

namespace bothy {
namespace {

// Put one after the other, tokens' bytes are the text that decoding shows.
void ExpectBytesAreTheText(const Tokenizer& tokenizer, const std::string& name, bool drops_first_space) {
  const TokenBytes tokens = BytesOfTokens(tokenizer);
  ASSERT_EQ(tokens.bytes.size(), tokenizer.vocabulary_size());
  EXPECT_EQ(tokens.drops_first_space, drops_first_space);
  for (const GoldenCase& c : ReadGoldenCases(Golden() / "tokenizers", name)) {
    std::string bytes;
    for (const TokenId id : c.ids) bytes += tokens.bytes[static_cast<size_t>(id)];
    std::string text;
    AppendRepairedUtf8(text, bytes);
    if (drops_first_space && text.starts_with(' ')) text.erase(0, 1);
    ASSERT_EQ(text, tokenizer.Decode(c.ids, true)) << name << ", case " << c.number;
  }
}

void ExpectBytesAreTheText(const std::filesystem::path& file, const std::string& name, bool drops_first_space) {
  const auto tokenizer = OpenTokenizer(file);
  ASSERT_OK(tokenizer);
  ExpectBytesAreTheText(**tokenizer, name, drops_first_space);
}

TEST(TokenBytes, AreTheTextOfByteLevelVocabularies) {
  for (const std::string name : {"llama3", "qwen3", "deepseek-v3"}) {
    BOTHY_NEEDS_TEST_MODEL("tokenizers/" + name + "/tokenizer.json");
    ExpectBytesAreTheText(TestModel("tokenizers/" + name + "/tokenizer.json"), name, false);
  }
}

TEST(TokenBytes, AreTheTextOfVocabulariesWithTokensForBytes) {
  BOTHY_NEEDS_TEST_MODEL("tokenizers/gemma3/tokenizer.json");
  ExpectBytesAreTheText(TestModel("tokenizers/gemma3/tokenizer.json"), "gemma3", false);
  BOTHY_NEEDS_TEST_MODEL("tokenizers/mistral-v1/tokenizer.json");
  ExpectBytesAreTheText(TestModel("tokenizers/mistral-v1/tokenizer.json"), "mistral-v1-hf", true);
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "tokenizer.model")
      << ReadGzip(Golden() / "tokenizers" / "bytefallback-sp" / "tokenizer.model.gz");
  ExpectBytesAreTheText(folder.path() / "tokenizer.model", "bytefallback-sp", true);
}

TEST(TokenBytes, AreNothingForSpecialTokens) {
  BOTHY_NEEDS_TEST_MODEL("tokenizers/llama3/tokenizer.json");
  const auto tokenizer = OpenTokenizer(TestModel("tokenizers/llama3/tokenizer.json"));
  ASSERT_OK(tokenizer);
  const TokenBytes tokens = BytesOfTokens(**tokenizer);
  size_t special = 0, empty = 0;
  for (TokenId id = 0; static_cast<size_t>(id) < tokens.bytes.size(); id++) {
    special += (*tokenizer)->IsSpecial(id) ? 1 : 0;
    empty += tokens.bytes[static_cast<size_t>(id)].empty() ? 1 : 0;
  }
  EXPECT_EQ(special, 256u);
  EXPECT_EQ(empty, 256u);
}

}  // namespace
}  // namespace bothy
