// Properties of encoding and decoding, over arbitrary texts and arbitrary ids.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <map>

#include "base/testing.h"
#include "text/golden_cases.h"
#include "text/open_tokenizer.h"
#include "text/random_text.h"
#include "text/sentencepiece.h"
#include "text/tokenizer_config.h"

namespace bothy {
namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581

// A tokenizer whose files are committed with its golden values.
std::unique_ptr<Tokenizer> OpenCommitted(const std::string& name, const std::vector<std::string>& files) {
  const TemporaryFolder folder;
  for (const std::string& file : files) {
    std::ofstream(folder.path() / file) << ReadGzip(Golden() / "tokenizers" / name / (file + ".gz"));
  }
  auto tokenizer = OpenTokenizer(folder.path());
  EXPECT_OK(tokenizer);
  return tokenizer ? *std::move(tokenizer) : nullptr;
}

// A Unigram model of a few pieces and all bytes, which changes nothing in a text.
std::unique_ptr<Tokenizer> MakeUnigram() {
  using Type = SentencePieceSpec::Type;
  SentencePieceSpec spec;
  spec.is_unigram = spec.byte_fallback = true;
  spec.remove_extra_whitespaces = false;
  spec.pieces = {{"<unk>", 0, Type::kUnknown}, {"<s>", 0, Type::kControl}};
  spec.unk = 0;
  for (int byte = 0; byte < 256; byte++) spec.pieces.push_back({fmt::format("<0x{:02X}>", byte), 0, Type::kByte});
  for (const char* text : {"\xE2\x96\x81", "a", "b", "ab", "\xE2\x96\x81\xE2\x96\x81", "\xC3\xA9", "\xE4\xB8\xAD"}) {
    spec.pieces.push_back({text, -static_cast<float>(spec.pieces.size()), Type::kNormal});
  }
  auto parts = MakeSentencePiece(std::move(spec));
  EXPECT_OK(parts);
  if (!parts) return nullptr;
  auto tokenizer = Tokenizer::Create(*std::move(parts));
  EXPECT_OK(tokenizer);
  return tokenizer ? *std::move(tokenizer) : nullptr;
}

std::unique_ptr<Tokenizer> FromJson(std::string_view json) {
  auto tokenizer = TokenizerFromFile(*MemorySource("tokenizer.json", json));
  EXPECT_OK(tokenizer);
  return tokenizer ? *std::move(tokenizer) : nullptr;
}

// Pieces that are parts of characters, and LLaMA 2's decoder.
constexpr std::string_view kByteFallback = R"({
  "model": {"type": "BPE", "byte_fallback": true, "merges": [],
            "vocab": {"<0xE4>": 0, "<0xB8>": 1, "<0xAD>": 2, "<0x0A>": 3, "▁": 4, "中": 5, "▁a": 6, " ": 7}},
  "decoder": {"type": "Sequence", "decoders": [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
    {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}})";

// Every other kind of step that holds something back.
constexpr std::string_view kManySteps = R"({
  "model": {"type": "BPE", "merges": [], "vocab": {"ä": 0, "¸": 1, "Ń": 2, "a</w>": 3, "<pad>": 4, "|": 5, "Ġ": 6, "中": 7}},
  "decoder": {"type": "Sequence", "decoders": [
    {"type": "BPEDecoder", "suffix": "</w>"}, {"type": "CTC", "pad_token": "<pad>"}, {"type": "ByteLevel"},
    {"type": "Replace", "pattern": {"Regex": "a+"}, "content": "é"}, {"type": "Strip", "content": "中", "start": 1, "stop": 2},
    {"type": "Metaspace"}, {"type": "WordPiece"}]}})";

void ExpectRoundTrip(const Tokenizer& tokenizer, bool spaces_are_symbols) {
  rc::check([&] {
    const std::string text = *RandomText();
    const auto ids = tokenizer.Encode(text);
    RC_ASSERT(ids.has_value());
    std::string expected = text;
    // SentencePiece writes spaces as U+2581 and cannot tell such a space from a U+2581 of the text.
    for (size_t at = 0; spaces_are_symbols && (at = expected.find(kSpaceSymbol, at)) != std::string::npos;) {
      expected.replace(at, kSpaceSymbol.size(), " ");
    }
    RC_ASSERT(tokenizer.Decode(*ids) == expected);
  });
}

TEST(RoundTrip, ByteLevelPairsGiveBackAnyText) {
  const auto tokenizer = OpenCommitted("gpt2", {"vocab.json", "merges.txt"});
  ASSERT_NE(tokenizer, nullptr);
  ExpectRoundTrip(*tokenizer, false);
}

TEST(RoundTrip, SentencePiecePairsWithBytesGiveBackAnyText) {
  const auto tokenizer = OpenCommitted("mistral-v3-sp", {"tokenizer.model"});
  ASSERT_NE(tokenizer, nullptr);
  ExpectRoundTrip(*tokenizer, true);
}

TEST(RoundTrip, UnigramWithBytesGivesBackAnyText) {
  const auto tokenizer = MakeUnigram();
  ASSERT_NE(tokenizer, nullptr);
  ExpectRoundTrip(*tokenizer, true);
}

// Ids of the tokenizer, and some that do not exist.
void ExpectStreaming(const Tokenizer& tokenizer) {
  const auto end = static_cast<TokenId>(tokenizer.vocabulary_size() + 2);
  rc::check([&] {
    const auto ids = *rc::gen::container<std::vector<TokenId>>(rc::gen::inRange<TokenId>(-2, end));
    const bool skip = *rc::gen::arbitrary<bool>();
    StreamingDecoder decoder(tokenizer, skip);
    std::string streamed;
    for (const TokenId id : ids) {
      const std::string piece = decoder.Push(id);
      RC_ASSERT(FindInvalidUtf8(piece) == std::string::npos);
      streamed += piece;
    }
    const std::string rest = decoder.Finish();
    RC_ASSERT(FindInvalidUtf8(rest) == std::string::npos);
    RC_ASSERT(streamed + rest == tokenizer.Decode(ids, skip));
  });
}

TEST(StreamingDecoder, EmitsWholeCharactersForAnyIdsOfByteLevelPairs) {
  const auto tokenizer = OpenCommitted("gpt2", {"vocab.json", "merges.txt"});
  ASSERT_NE(tokenizer, nullptr);
  ExpectStreaming(*tokenizer);
}

TEST(StreamingDecoder, EmitsWholeCharactersForAnyIdsOfSentencePiece) {
  const auto tokenizer = OpenCommitted("mistral-v3-sp", {"tokenizer.model"});
  ASSERT_NE(tokenizer, nullptr);
  ExpectStreaming(*tokenizer);
  const auto unigram = MakeUnigram();  // of which most tokens are bytes
  ASSERT_NE(unigram, nullptr);
  ExpectStreaming(*unigram);
}

TEST(StreamingDecoder, EmitsWholeCharactersForAnyIdsOfTokenizerJson) {
  for (const std::string_view json : {kByteFallback, kManySteps}) {
    const auto tokenizer = FromJson(json);
    ASSERT_NE(tokenizer, nullptr);
    ExpectStreaming(*tokenizer);
  }
}

}  // namespace
}  // namespace bothy
