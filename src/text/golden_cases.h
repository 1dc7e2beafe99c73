// For tests: the cases of tests/golden/tokenizers and of golden/tokenizers in the test data (formats: README-text.md
// there).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace bothy {

std::string ReadGzip(const std::filesystem::path& path);

struct GoldenCase {
  std::string text;
  std::vector<TokenId> ids;
  std::vector<TextSpan> offsets;    // empty: none given
  std::vector<std::string> pieces;  // empty: none given
  std::string decoded;
  size_t number = 0;
};

// The cases of one tokenizer; the test fails where they cannot be read.
std::vector<GoldenCase> ReadGoldenCases(const std::filesystem::path& folder, const std::string& name);

// Encodes and decodes each; reports the first few that differ.
void ExpectGolden(const Tokenizer& tokenizer, const std::vector<GoldenCase>& cases);

// The same for golden.json's with_special_tokens: single texts and pairs, ids and type ids.
void ExpectGoldenSpecial(const Tokenizer& tokenizer, const std::filesystem::path& folder, const std::string& name);

}  // namespace bothy
