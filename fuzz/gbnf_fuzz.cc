// A grammar in GBNF and, after a zero byte, the ways to go where it is followed.
#include "grammar_walk.h"
#include "input.h"
#include "runtime/grammar/gbnf.h"
#include "text/utf8.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  const auto grammar = ParseGbnf(TakePart(input));
  if (!grammar) return 0;
  const auto text = WalkGrammar(*grammar, input);
  if (!text) return 0;
  CHECK(FindInvalidUtf8(*text) == std::string_view::npos);
  // What one token after the other led to is read as a whole as well.
  const auto matches = Matches(*GrammarProgram::Compile(*grammar), *text);
  CHECK(!matches || *matches);
  return 0;
}
