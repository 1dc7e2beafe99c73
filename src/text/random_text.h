// For tests: random text of the characters at which tokenizers differ.
#pragma once

#include <rapidcheck.h>

#include <array>
#include <string>
#include <vector>

#include "text/utf8.h"

namespace bothy {

inline constexpr std::array<char32_t, 92> kInterestingCharacters = {
    'a',    'b',    's',    't',    'r',    'e',     'v',     'm',     'l',    'd',    'S',     'T',    'R',    'E',
    'V',    'L',    'M',    'D',    'z',    '0',     '1',     '9',     ' ',    ' ',    ' ',     '\n',   '\r',   '\t',
    '\v',   '\f',   0,      0x1F,   0x7F,   '\'',    '\'',    '\'',    '.',    '-',    '_',     '<',    '|',    '>',
    '/',    '\\',   0x85,   0xA0,   0xAD,   0xB2,    0xBD,    0xC5,    0xE9,   0xDF,   0x130,   0x131,  0x17F,  0x300,
    0x301,  0x323,  0x345,  0x3B1,  0x416,  0x5D0,   0x651,   0x661,   0x93F,  0x966,  0xE31,   0x1100, 0x1161, 0x11A8,
    0x1680, 0x180E, 0x1E9B, 0x2003, 0x200D, 0x2028,  0x2160,  0x212A,  0x2581, 0x24B6, 0x2F800, 0x3000, 0x3042, 0x3099,
    0x4E2D, 0xAC00, 0xFB01, 0xFDFA, 0xFF11, 0x105C0, 0x1F600, 0x10FFFF};

// Valid UTF-8: mostly the characters above, sometimes any.
inline rc::Gen<std::string> RandomText() {
  const auto character = rc::gen::weightedOneOf<char32_t>(
      {{9, rc::gen::elementOf(kInterestingCharacters)},
       {1, rc::gen::map(rc::gen::inRange<uint32_t>(0, 0x10F800), [](uint32_t i) {
          return static_cast<char32_t>(i < 0xD800 ? i : i + 0x800);  // without the surrogates
        })}});
  return rc::gen::map(rc::gen::container<std::vector<char32_t>>(character), [](const std::vector<char32_t>& codes) {
    std::string text;
    for (const char32_t code : codes) AppendUtf8(text, code);
    return text;
  });
}

}  // namespace bothy
