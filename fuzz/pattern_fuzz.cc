// A regular expression and, after a zero byte, the ways to go where it is followed. The grammar and the automaton of it
// agree.
#include "grammar_walk.h"
#include "input.h"
#include "runtime/grammar/string_set.h"
#include "text/utf8.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  const std::string_view source = TakePart(input);
  const auto pattern = ParsePattern(source, PatternUse::kWhole);
  const auto grammar = PatternGrammar(source);
  CHECK(pattern || !grammar);
  if (!grammar) return 0;
  const auto set = StringSet::Of(*pattern);
  const auto text = WalkGrammar(*grammar, input);
  if (text) {
    CHECK(FindInvalidUtf8(*text) == std::string_view::npos);
    const PatternLength length = LengthOf(*pattern);
    CHECK(CountUtf8(*text) >= length.min && CountUtf8(*text) <= length.max);
    CHECK(!set || set->Contains(*text));
  }
  if (!set || FindInvalidUtf8(input) != std::string_view::npos) return 0;
  const auto program = GrammarProgram::Compile(*grammar);
  CHECK(program || set->empty());
  if (!program) return 0;
  if (const auto matches = Matches(*program, input)) CHECK(*matches == set->Contains(input));
  return 0;
}
