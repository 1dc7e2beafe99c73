#include "runtime/grammar/grammar.h"

#include "runtime/grammar/testing.h"

namespace bothy {
namespace {

TEST(Grammar, OneTakesTheTextsOfOthersThatWereImported) {
  const auto numbers = ParseGbnf("root ::= \"-\"? digits\ndigits ::= [0-9]{1,3}");
  const auto lists = ParseGbnf("root ::= \"[\" (item (\",\" item)*)? \"]\"\nitem ::= root | \"x\"");
  ASSERT_OK(numbers);
  ASSERT_OK(lists);
  Grammar both;
  const auto number = both.Reference(both.Import(*numbers));
  const auto list = both.Reference(both.Import(*lists));
  both.SetRoot(both.Add("root", both.Sequence({number, both.Literal(" "), list})));
  const auto program = GrammarProgram::Compile(both);
  ASSERT_OK(program);
  for (const std::string_view text : {"-12 [x,[x],[]]", "7 []"}) EXPECT_EQ(Matches(*program, text), true) << text;
  for (const std::string_view text : {"1234 []", "1 [1]", "[] 1", "1 [x,]"}) {
    EXPECT_EQ(Matches(*program, text), false) << text;
  }
}

}  // namespace
}  // namespace bothy
