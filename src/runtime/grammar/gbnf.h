// GBNF, the notation of grammars that llama.cpp reads:
//
//   root  ::= "yes" | "no" | list     # comments go to the end of the line
//   list  ::= "[" ( item ("," item)* )? "]"
//   item  ::= [a-z_] [^"\\\x00-\x1F]{0,20} .
//
// A rule ends with its line, but for lines within parentheses and after "|" and "::=". Names are letters, digits, "-"
// and
// "_". Literals and classes know the escapes \n \r \t \\ \" \[ \] \- \/ \xNN \uNNNN \UNNNNNNNN, which name characters.
// A part may be followed by * + ? {m} {m,} {m,n}. Rules that begin with themselves (left recursion) are refused when
// the grammar is compiled, and so is a grammar that no text can follow.
#pragma once

#include <string_view>

#include "base/error.h"
#include "runtime/grammar/grammar.h"

namespace bothy {

inline constexpr size_t kMaxGbnfBytes = 1 << 20;
inline constexpr size_t kMaxGbnfDepth = 200;  // of parentheses in parentheses

// kInvalidArgument with the line where the text breaks off, and for names without a rule; kResourceExhausted beyond the
// bounds here and in grammar.h.
Result<Grammar> ParseGbnf(std::string_view text);

}  // namespace bothy
