// What a grammar costs beside each token: masks that are worked out, masks that are remembered, and applying one.
//
//   grammar_bench TOKENIZER        a folder or file, such as LLaMA 3's tokenizer.json with its 128,000 tokens
//
// The texts are what a model might answer, cut into tokens by the tokenizer itself; the first time through every mask
// is new.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "runtime/grammar/gbnf.h"
#include "runtime/grammar/grammar_state.h"
#include "runtime/grammar/json_schema.h"
#include "runtime/grammar/token_mask.h"
#include "text/open_tokenizer.h"

namespace bothy {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

constexpr std::string_view kJson = R"(
root   ::= object
value  ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ws (string ":" ws value ("," ws string ":" ws value)*)? ws "}"
array  ::= "[" ws (value ("," ws value)*)? ws "]"
string ::= "\"" ([^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4}))* "\""
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]+)? ([eE] [-+]? [0-9]{1,3})?
ws     ::= ([ ] | "\n" [ ]{0,24})?
)";

constexpr std::string_view kSchema = R"({"type": "object", "additionalProperties": false,
  "required": ["name", "born", "fields", "biography", "works", "address"],
  "properties": {
    "name": {"type": "string", "maxLength": 60}, "born": {"type": "integer", "minimum": 1000, "maximum": 2100},
    "fields": {"type": "array", "items": {"enum": ["mathematics", "computing", "physics"]}, "minItems": 1, "maxItems": 5},
    "alive": {"type": "boolean"}, "biography": {"type": "string"},
    "works": {"type": "array", "items": {"$ref": "#/$defs/work"}},
    "address": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {
      "city": {"type": "string", "pattern": "^[A-Z][a-z]+$"}, "code": {"type": "string", "pattern": "^[A-Z]{2}\\d{4}$"}},
      "required": ["city"]}]}},
  "$defs": {"work": {"type": "object", "properties": {"title": {"type": "string"}, "year": {"type": "integer"},
    "pages": {"type": "array", "items": {"type": "integer", "minimum": 0}}, "score": {"type": "number"}},
    "required": ["title", "year"]}}})";

constexpr std::string_view kSchemaAnswer = R"({
  "name": "Ada Lovelace", "born": 1815, "fields": ["mathematics", "computing"], "alive": false,
  "biography": "She wrote the first published program: a table of Bernoulli numbers. \u201cThe engine weaves…\u201d",
  "works": [{"title": "Notes on the Analytical Engine", "year": 1843, "pages": [666, 731], "score": 9.75}],
  "address": {"city": "London", "code": "SW1234"}
})";

constexpr std::string_view kAnswer = R"({
  "name": "Ada Lovelace", "born": 1815, "fields": ["mathematics", "computing"], "alive": false,
  "biography": "She wrote the first published program: a table of Bernoulli numbers. \u201cThe engine weaves…\u201d",
  "works": [{"title": "Notes on the Analytical Engine", "year": 1843, "pages": [666, 731], "score": 9.75}],
  "address": {"city": "London", "street": {"name": "St James's Square", "number": 12}}, "émigré": null
})";

// Times of one kind, for each token the fastest of many runs: other programs of a shared machine only ever make one
// slower.
class Times {
 public:
  void Add(size_t token, double seconds) {
    if (fastest_.size() <= token) fastest_.resize(token + 1, 1e9);
    fastest_[token] = std::min(fastest_[token], seconds);
  }
  void Print(std::string_view name) {
    std::erase(fastest_, 1e9);
    std::ranges::sort(fastest_);
    if (fastest_.empty()) return;
    double sum = 0;
    for (const double s : fastest_) sum += s;
    fmt::print("  {:20} {:5} times, mean {:8.2f} us, median {:8.2f} us, longest {:8.2f} us\n", name, fastest_.size(),
               sum / static_cast<double>(fastest_.size()) * 1e6, fastest_[fastest_.size() / 2] * 1e6,
               fastest_.back() * 1e6);
  }

 private:
  std::vector<double> fastest_;
};

Result<void> Measure(std::string_view name, const Grammar& grammar, std::string_view answer, const Tokenizer& tokenizer,
                     const std::shared_ptr<const GrammarVocabulary>& vocabulary) {
  constexpr int kRuns = 20;
  const auto ids = TRY(tokenizer.Encode(answer));
  std::vector<float> logits(vocabulary->size()), allowed(vocabulary->size());
  Times compiling, computed, remembered, applied, accepted;
  for (int run = 0; run < kRuns; run++) {
    double before = Now();
    const auto compiled = TRY(CompiledGrammar::Create(grammar, vocabulary));
    compiling.Add(0, Now() - before);
    for (int pass = 0; pass < 2; pass++) {
      GrammarState state(compiled);
      for (size_t i = 0; i < ids.size(); i++) {
        const uint64_t known = compiled->counts().computed_masks;
        before = Now();
        const auto mask = TRY(state.Mask());
        double after = Now();
        (compiled->counts().computed_masks > known ? computed : remembered).Add(i, after - before);
        before = Now();
        ApplyMask(mask, logits, allowed);
        after = Now();
        applied.Add(i, after - before);
        TRY(state.Accept(ids[i]));
        accepted.Add(i, Now() - after);
      }
    }
  }
  fmt::print("{}, {} tokens\n", name, ids.size());
  compiling.Print("compiling");
  computed.Print("mask, worked out");
  remembered.Print("mask, remembered");
  applied.Print("applying a mask");
  accepted.Print("accepting a token");
  return {};
}

Result<void> Run(const char* path) {
  const auto tokenizer = TRY(OpenTokenizer(std::filesystem::path(path)));
  const double start = Now();
  const auto vocabulary = GrammarVocabulary::Create(*tokenizer, tokenizer->vocabulary_size(),
                                                    tokenizer->special_tokens().end_of_generation);
  fmt::print("{} tokens, {} nodes, made in {:.0f} ms\n", vocabulary->size(), vocabulary->nodes().size(),
             (Now() - start) * 1e3);
  TRY(Measure("any JSON object, GBNF", TRY(ParseGbnf(kJson)), kAnswer, *tokenizer, vocabulary));
  TRY(Measure("any JSON object, as response_format has it", JsonObjectGrammar(), kAnswer, *tokenizer, vocabulary));
  return Measure("a JSON schema", TRY(ParseJsonSchema(kSchema)), kSchemaAnswer, *tokenizer, vocabulary);
}

}  // namespace
}  // namespace bothy

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "grammar_bench TOKENIZER\n");
    return 2;
  }
  if (const auto done = bothy::Run(argv[1]); !done) {
    fmt::print(stderr, "{}\n", done.error().message);
    return 1;
  }
  return 0;
}
