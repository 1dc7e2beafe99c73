// Runs grammars of JSON schemas for tests/grammar_test.py: a request on each line of the input, an answer on each of
// the output.
//
//   grammar_samples TOKENIZER
//   {"schema": ..., "samples": 5, "seed": 1, "texts": ["...", ...]}
//   {"samples": ["...", ...], "unfinished": 0, "takes": [true, ...]}      or      {"error": "..."}
//
// A sample is a random walk: any token that may come next may be chosen, with some liking for what ends things.
#include <fmt/core.h>

#include <array>
#include <iostream>
#include <random>

#include "codec/json.h"
#include "runtime/grammar/grammar_state.h"
#include "runtime/grammar/json_schema.h"
#include "text/open_tokenizer.h"

namespace bothy {
namespace {

constexpr int kTokens = 600, kPatience = 25;

class Walk {
 public:
  Walk(std::shared_ptr<const CompiledGrammar> grammar, uint32_t seed)
      : vocabulary_(grammar->vocabulary()), state_(std::move(grammar)), random_(seed) {
    while (vocabulary_.bytes(quote_) != "\"") quote_++;
  }

  // Nothing where it came to no end.
  Result<std::optional<std::string>> Run() {
    std::string text;
    for (int i = 0; i < kTokens; i++) {
      const TokenId token = Choose(TRY(state_.Mask()), i > kPatience);
      TRY(state_.Accept(token));
      if (state_.finished()) return text;
      text += vocabulary_.bytes(token);
    }
    return std::nullopt;
  }

 private:
  uint32_t Random(size_t n) { return static_cast<uint32_t>(random_() % n); }

  // Tokens of one byte after which a string may end.
  std::vector<TokenId> TokensBeforeQuote(std::span<const std::vector<TokenId>> by_byte) const {
    std::vector<TokenId> found;
    for (const auto& tokens : by_byte) {
      for (const TokenId token : tokens) {
        if (vocabulary_.bytes(token).size() > 1) continue;
        GrammarState after = state_;
        if (after.Accept(token) && after.Accept(quote_)) found.push_back(token);
        break;
      }
    }
    return found;
  }

  TokenId Choose(std::span<const uint64_t> mask, bool hurry) {
    // By first byte, so that rare ways to go on are gone as well.
    std::array<std::vector<TokenId>, 256> by_byte;
    std::vector<TokenId> ends;
    std::vector<uint8_t> bytes, closing;
    for (size_t word = 0; word < mask.size(); word++) {
      for (uint64_t rest = mask[word]; rest != 0; rest &= rest - 1) {
        const auto token = static_cast<TokenId>(word * 64 + static_cast<size_t>(std::countr_zero(rest)));
        if (vocabulary_.IsEnd(token)) {
          ends.push_back(token);
          continue;
        }
        const auto byte = static_cast<uint8_t>(vocabulary_.bytes(token)[0]);
        if (by_byte[byte].empty()) {
          bytes.push_back(byte);
          if (byte == '"') closing.assign(1, byte);  // a string before all else
          if ((byte == '}' || byte == ']') && (closing.empty() || closing[0] != '"')) closing.push_back(byte);
        }
        by_byte[byte].push_back(token);
      }
    }
    if (!ends.empty() && (bytes.empty() || Random(3) == 0)) return ends[Random(ends.size())];
    if (hurry && (closing.empty() || closing[0] != '"')) {
      const auto before_quote = TokensBeforeQuote(by_byte);
      if (!before_quote.empty()) return before_quote[Random(before_quote.size())];
    }
    const bool closes = hurry && !closing.empty() && Random(4) != 0;
    const auto& from = by_byte[closes ? closing[Random(closing.size())] : bytes[Random(bytes.size())]];
    return from[Random(from.size())];
  }

  const GrammarVocabulary& vocabulary_;
  GrammarState state_;
  std::minstd_rand random_;
  TokenId quote_ = 0;
};

Result<json::object> Answer(const json::object& request, const std::shared_ptr<const GrammarVocabulary>& vocabulary) {
  json::object answer;
  const auto grammar = JsonSchemaGrammar(request.at("schema"));
  if (!grammar) {
    answer["error"] = grammar.error().message;
    return answer;
  }
  const auto program = TRY(GrammarProgram::Compile(*grammar));
  json::array takes, samples;
  for (const json::value& text : request.at("texts").as_array()) {
    takes.emplace_back(TRY(Matches(program, std::string_view(text.as_string()))));
  }
  const auto compiled = TRY(CompiledGrammar::Create(*grammar, vocabulary));
  const auto count = request.at("samples").to_number<uint32_t>(), seed = request.at("seed").to_number<uint32_t>();
  int64_t unfinished = 0;
  for (uint32_t i = 0; i < count; i++) {
    const auto text = TRY(Walk(compiled, seed * 1000 + i + 1).Run());
    if (text) {
      samples.emplace_back(*text);
    } else {
      unfinished++;
    }
  }
  answer["samples"] = std::move(samples);
  answer["unfinished"] = unfinished;
  answer["takes"] = std::move(takes);
  return answer;
}

Result<void> Run(const char* path) {
  const auto tokenizer = TRY(OpenTokenizer(std::filesystem::path(path)));
  const auto vocabulary = GrammarVocabulary::Create(*tokenizer, tokenizer->vocabulary_size(),
                                                    tokenizer->special_tokens().end_of_generation);
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = TRY(json::Parse(line, "request"));
    std::cout << json::Serialize(TRY(Answer(request.as_object(), vocabulary))) << std::endl;
  }
  return {};
}

}  // namespace
}  // namespace bothy

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (const auto done = bothy::Run(argv[1]); !done) {
    fmt::print(stderr, "{}\n", done.error().message);
    return 1;
  }
  return 0;
}
