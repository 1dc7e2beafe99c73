// Text as Python sees it: sequences of code points, with Unicode's properties and case mappings. Strings are UTF-8 that
// may also hold lone surrogates in their three-byte form, since Python's strings and Jinja's literals can; what leaves
// the engine is checked for them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bothy::jinja {

// The code point at `i`, which moves behind it. Bytes that start no code point are taken as Latin-1, so that nothing is
// ever read past the end.
char32_t NextCodePoint(std::string_view text, size_t& i);
void AppendCodePoint(std::string& out, char32_t c);
std::string CodePointString(char32_t c);
std::u32string CodePoints(std::string_view text);
size_t CountCodePoints(std::string_view text);

// Offset of the first byte that is not UTF-8, npos where all is well. A lone surrogate is not UTF-8.
size_t FindInvalidUtf8(std::string_view text);

// As str.isspace() and str.strip() see one character; also what \s means in Python's regular expressions.
bool IsSpace(char32_t c);
bool IsAlpha(char32_t c);
bool IsDecimal(char32_t c);
bool IsDigit(char32_t c);
bool IsNumeric(char32_t c);
inline bool IsAlnum(char32_t c) { return IsAlpha(c) || IsNumeric(c); }
bool IsPrintable(char32_t c);
bool IsLower(char32_t c);
bool IsUpper(char32_t c);
bool IsTitle(char32_t c);
bool IsIdentifierStart(char32_t c);
bool IsIdentifierPart(char32_t c);
inline bool IsWordCharacter(char32_t c) { return IsAlnum(c) || c == '_'; }  // \w
int DecimalValue(char32_t c);                                               // of an IsDecimal character

// Full mappings: one code point may become three, and a final sigma is a final sigma.
std::string Upper(std::string_view text);
std::string Lower(std::string_view text);
std::string TitleCase(std::string_view text);
std::string Capitalize(std::string_view text);
std::string SwapCase(std::string_view text);
std::string CaseFold(std::string_view text);

// str.strip: characters of `set`, or white space where it is null, are taken from the sides.
std::string_view Strip(std::string_view text, const std::string* set, bool left, bool right);
inline std::string_view StripSpace(std::string_view text) { return Strip(text, nullptr, true, true); }

// str.splitlines, at all of Python's ten kinds of line ends.
std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends);

}  // namespace bothy::jinja
