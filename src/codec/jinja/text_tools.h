// Pieces of work on text that methods and filters share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

// Offset in bytes of a code point; the size where it is at the end or beyond.
size_t ByteOffset(const StringObject& string, size_t code_point);
// The first `count` code points, all where there are fewer.
std::string_view FirstCodePoints(std::string_view text, size_t count);

// The first and the last place of `part` in `text`, npos where it is not there; in linear time, which std::string's
// functions do not promise ("aaab" in "aaaaaaaa").
size_t FindText(std::string_view text, std::string_view part, size_t from = 0);
size_t FindLastText(std::string_view text, std::string_view part);

// str.split and str.rsplit, with and without a separator; at most `most` cuts.
std::vector<std::string_view> SplitWords(std::string_view text, size_t most);
std::vector<std::string_view> SplitWordsRight(std::string_view text, size_t most);
std::vector<std::string_view> SplitText(std::string_view text, std::string_view separator, size_t most);
std::vector<std::string_view> SplitTextRight(std::string_view text, std::string_view separator, size_t most);
Result<Value> StringList(Runtime& rt, const std::vector<std::string_view>& parts, bool markup);

// A negative count replaces all.
Result<std::string> ReplaceText(Runtime& rt, std::string_view text, std::string_view from, std::string_view to,
                                int64_t count);
Result<std::string> Repeat(Runtime& rt, std::string_view text, int64_t times);
Result<std::string> Padded(Runtime& rt, std::string_view text, int64_t left, int64_t right, std::string_view fill);

// str.islower, isupper and istitle.
bool IsLowerText(std::string_view text);
bool IsUpperText(std::string_view text);
bool IsTitleText(std::string_view text);

// Markup.striptags: without comments and tags, white space made single, character references resolved.
Result<std::string> StripTags(Runtime& rt, std::string_view text);

}  // namespace bothy::jinja
