// Runs grammars of JSON schemas for tests/grammar_test.py: a request on each line of the input, an answer on each of
// the output.
//
//   grammar_samples TOKENIZER
//   {"schema": ..., "samples": 5, "seed": 1, "texts": ["...", ...]}
//   {"samples": ["...", ...], "takes": [true, ...]}      or      {"error": "..."}
//
// A sample is a random walk, where any token that may come next may be chosen, and then the shortest way to an end.
#include <fmt/core.h>

#include <array>
#include <iostream>
#include <random>
#include <set>

#include "codec/json.h"
#include "runtime/grammar/grammar_state.h"
#include "runtime/grammar/json_schema.h"
#include "text/open_tokenizer.h"

namespace bothy {
namespace {

constexpr uint32_t kLongestWalk = 40;  // in tokens

// The fewest bytes after which a text that begins with this one follows the grammar.
Result<std::string> ShortestEnd(GrammarStates& states, std::string_view text) {
  struct Place {
    GrammarStates::Set state;
    size_t before;
    char byte;
  };
  GrammarStates::Set start = states.start();
  for (const char byte : text) start = states.Step(start, static_cast<uint8_t>(byte));
  std::vector<Place> places = {{start, 0, 0}};
  std::set<GrammarStates::Set> seen = {start};
  for (size_t i = 0; i < places.size(); i++) {
    if (states.Accepts(places[i].state)) {
      std::string end;
      for (size_t at = i; at != 0; at = places[at].before) end.insert(end.begin(), places[at].byte);
      return end;
    }
    for (int byte = 0; byte < 256; byte++) {
      const GrammarStates::Set next = states.Step(places[i].state, static_cast<uint8_t>(byte));
      if (next != GrammarStates::kDead && seen.insert(next).second)
        places.push_back({next, i, static_cast<char>(byte)});
    }
  }
  return Fail(ErrorCode::kInternal, "a text that was begun has no end: {}", text);
}

class Walk {
 public:
  Walk(std::shared_ptr<const CompiledGrammar> grammar, uint32_t seed)
      : vocabulary_(grammar->vocabulary()), state_(std::move(grammar)), random_(seed) {}

  Result<std::string> Run(GrammarStates& states) {
    std::string text;
    for (uint32_t left = 1 + Random(kLongestWalk); left > 0; left--) {
      const TokenId token = Choose(TRY(state_.Mask()));
      TRY(state_.Accept(token));
      if (state_.finished()) return text;
      text += vocabulary_.bytes(token);
    }
    const std::string end = TRY(ShortestEnd(states, text));
    for (const char byte : end) {
      const auto mask = TRY(state_.Mask());
      TokenId token = 0;
      while (vocabulary_.bytes(token) != std::string_view(&byte, 1)) token++;
      CHECK((mask[static_cast<size_t>(token) / 64] >> (token % 64) & 1) != 0);
      TRY(state_.Accept(token));
      text += byte;
    }
    TRY(state_.Mask());
    TRY(state_.Accept(vocabulary_.end_tokens()[0]));
    return text;
  }

 private:
  uint32_t Random(size_t n) { return static_cast<uint32_t>((random_() >> 4) % n); }

  // By first byte, so that rare ways to go on are gone as well.
  TokenId Choose(std::span<const uint64_t> mask) {
    std::array<std::vector<TokenId>, 256> by_byte;
    std::vector<TokenId> ends;
    for (size_t word = 0; word < mask.size(); word++) {
      for (uint64_t rest = mask[word]; rest != 0; rest &= rest - 1) {
        const auto token = static_cast<TokenId>(word * 64 + static_cast<size_t>(std::countr_zero(rest)));
        auto& list = vocabulary_.IsEnd(token) ? ends : by_byte[static_cast<uint8_t>(vocabulary_.bytes(token)[0])];
        list.push_back(token);
      }
    }
    std::vector<const std::vector<TokenId>*> ways;
    for (const auto& tokens : by_byte) {
      if (!tokens.empty()) ways.push_back(&tokens);
    }
    if (!ends.empty() && (ways.empty() || Random(3) == 0)) return ends[0];
    const auto& way = *ways[Random(ways.size())];
    return way[Random(way.size())];
  }

  const GrammarVocabulary& vocabulary_;
  GrammarState state_;
  std::minstd_rand random_;
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
  GrammarStates states(program, 0, size_t{1} << 28);
  for (uint32_t i = 0; i < count; i++) samples.emplace_back(TRY(Walk(compiled, seed * 1000 + i + 1).Run(states)));
  answer["samples"] = std::move(samples);
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
