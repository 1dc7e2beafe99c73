#include "codec/jinja/text_tools.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

// &name; and &#number; as html.unescape resolves them, with the names that occur in text; others stay as they are.
std::string UnescapeHtml(std::string_view text) {
  static constexpr std::pair<std::string_view, char32_t> kNames[] = {
      {"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},      {"apos", '\''},    {"nbsp", 0xA0},
      {"copy", 0xA9},    {"reg", 0xAE},     {"trade", 0x2122}, {"hellip", 0x2026}, {"mdash", 0x2014}, {"ndash", 0x2013},
      {"lsquo", 0x2018}, {"rsquo", 0x2019}, {"ldquo", 0x201C}, {"rdquo", 0x201D},  {"laquo", 0xAB},   {"raquo", 0xBB},
      {"bull", 0x2022},  {"middot", 0xB7},  {"times", 0xD7},   {"divide", 0xF7},   {"deg", 0xB0},     {"plusmn", 0xB1},
      {"euro", 0x20AC},  {"pound", 0xA3},   {"yen", 0xA5},     {"cent", 0xA2},     {"sect", 0xA7},    {"para", 0xB6},
      {"szlig", 0xDF},   {"auml", 0xE4},    {"ouml", 0xF6},    {"uuml", 0xFC},     {"Auml", 0xC4},    {"Ouml", 0xD6},
      {"Uuml", 0xDC},    {"eacute", 0xE9},  {"egrave", 0xE8},  {"ecirc", 0xEA},    {"agrave", 0xE0},  {"aacute", 0xE1},
      {"ccedil", 0xE7},  {"ntilde", 0xF1},  {"larr", 0x2190},  {"rarr", 0x2192}};
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t end = text[i] == '&' ? text.find(';', i) : std::string_view::npos;
    if (end == std::string_view::npos || end - i > 12) {
      out += text[i++];
      continue;
    }
    const std::string_view name = text.substr(i + 1, end - i - 1);
    char32_t c = 0;
    if (name.size() > 1 && name[0] == '#') {
      const bool hex = name[1] == 'x' || name[1] == 'X';
      const char* first = name.data() + (hex ? 2 : 1);
      uint32_t number = 0;
      const auto [stop, error] = std::from_chars(first, name.data() + name.size(), number, hex ? 16 : 10);
      if (error == std::errc() && stop == name.data() + name.size() && stop != first) {
        c = number == 0 || number > 0x10FFFF || (number >= 0xD800 && number < 0xE000) ? 0xFFFD : number;
      }
    } else {
      const auto* found =
          std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& entry) { return entry.first == name; });
      if (found != std::end(kNames)) c = found->second;
    }
    if (c == 0) {
      out += text[i++];
      continue;
    }
    AppendCodePoint(out, c);
    i = end + 1;
  }
  return out;
}

std::string RemoveAll(std::string_view text, std::string_view open, std::string_view close) {
  std::string out;
  size_t i = 0;
  while (true) {
    const size_t begin = text.find(open, i);
    const size_t end = begin == std::string_view::npos ? begin : text.find(close, begin);
    if (end == std::string_view::npos) break;
    out += text.substr(i, begin - i);
    i = end + close.size();
  }
  out += text.substr(i);
  return out;
}

}  // namespace

size_t FindText(std::string_view text, std::string_view part, size_t from) {
  if (part.empty() || from >= text.size()) return text.find(part, from);
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t FindLastText(std::string_view text, std::string_view part) {
  constexpr size_t kShort = 64;  // looking at every place costs no more than the table
  if (part.size() <= kShort) return text.rfind(part);
  // Knuth, Morris and Pratt's search, from the end: `matched` counts from the end of `part`.
  const auto last = [&](size_t i) { return part[part.size() - 1 - i]; };
  std::vector<size_t> border(part.size());  // of the last i + 1 bytes: how many at their start are at their end, too
  for (size_t i = 1, k = 0; i < part.size(); ++i) {
    while (k > 0 && last(i) != last(k)) k = border[k - 1];
    if (last(i) == last(k)) ++k;
    border[i] = k;
  }
  size_t matched = 0;
  for (size_t i = text.size(); i-- > 0;) {
    while (matched > 0 && text[i] != last(matched)) matched = border[matched - 1];
    if (text[i] == last(matched) && ++matched == part.size()) return i;
  }
  return std::string_view::npos;
}

size_t ByteOffset(const StringObject& string, size_t code_point) {
  if (code_point >= string.length) return string.text.size();
  if (string.IsAscii()) return code_point;
  return FirstCodePoints(string.text, code_point).size();
}

std::string_view FirstCodePoints(std::string_view text, size_t count) {
  size_t i = 0;
  for (size_t k = 0; k < count && i < text.size(); ++k) NextCodePoint(text, i);
  return text.substr(0, i);
}

std::vector<std::string_view> SplitWords(std::string_view text, size_t most) {
  std::vector<std::string_view> parts;
  std::string_view rest = Strip(text, nullptr, true, false);
  while (!rest.empty()) {
    if (parts.size() == most) {
      parts.push_back(rest);  // blanks at its end stay
      break;
    }
    size_t end = 0;
    for (size_t i = 0; i < rest.size(); end = i) {
      if (IsSpace(NextCodePoint(rest, i))) break;
    }
    parts.push_back(rest.substr(0, end));
    rest = Strip(rest.substr(end), nullptr, true, false);
  }
  return parts;
}

std::vector<std::string_view> SplitWordsRight(std::string_view text, size_t most) {
  const std::vector<std::string_view> words = SplitWords(text, std::string_view::npos);
  if (words.size() <= most) return words;
  std::vector<std::string_view> parts;
  const std::string_view head = words[words.size() - most - 1];  // with all before it, blanks too
  parts.push_back(text.substr(0, static_cast<size_t>(head.data() + head.size() - text.data())));
  parts.insert(parts.end(), words.end() - static_cast<std::ptrdiff_t>(most), words.end());
  return parts;
}

std::vector<std::string_view> SplitText(std::string_view text, std::string_view separator, size_t most) {
  std::vector<std::string_view> parts;
  size_t start = 0;
  while (parts.size() < most) {
    const size_t at = FindText(text, separator, start);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(start, at - start));
    start = at + separator.size();
  }
  parts.push_back(text.substr(start));
  return parts;
}

std::vector<std::string_view> SplitTextRight(std::string_view text, std::string_view separator, size_t most) {
  std::vector<std::string_view> parts;
  size_t end = text.size();
  while (parts.size() < most && end >= separator.size()) {
    const size_t at = FindLastText(text.substr(0, end), separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(at + separator.size(), end - at - separator.size()));
    end = at;
  }
  parts.push_back(text.substr(0, end));
  std::reverse(parts.begin(), parts.end());
  return parts;
}

Result<Value> StringList(Runtime& rt, const std::vector<std::string_view>& parts, bool markup) {
  TRY(rt.Bytes(parts.size(), sizeof(Value) + sizeof(StringObject)));
  std::vector<Value> items;
  items.reserve(parts.size());
  for (const std::string_view part : parts) {
    items.push_back(rt.String(std::string(part), markup));
    TRY(rt.Step());
  }
  return rt.List(std::move(items));
}

Result<std::string> ReplaceText(Runtime& rt, std::string_view text, std::string_view from, std::string_view to,
                                int64_t count) {
  const size_t most = count < 0 ? std::string_view::npos : static_cast<size_t>(count);
  TRY(rt.Bytes(text.size()));
  size_t found = 0;
  if (from.empty()) {
    found = std::min(CountCodePoints(text) + 1, most);
  } else {
    for (size_t at = FindText(text, from); at != std::string_view::npos && found < most; ++found) {
      at = FindText(text, from, at + from.size());
    }
  }
  TRY(rt.Bytes(found, to.size()));
  std::string out;
  out.reserve(text.size() + found * to.size() - found * from.size());
  size_t start = 0;
  for (size_t k = 0; k < found; ++k) {
    if (from.empty()) {
      out += to;
      if (start < text.size()) {
        const size_t begin = start;
        NextCodePoint(text, start);
        out += text.substr(begin, start - begin);
      }
      continue;
    }
    const size_t at = FindText(text, from, start);
    out += text.substr(start, at - start);
    out += to;
    start = at + from.size();
  }
  out += text.substr(start);
  return out;
}

Result<std::string> Repeat(Runtime& rt, std::string_view text, int64_t times) {
  std::string out;
  if (times <= 0 || text.empty()) return out;
  TRY(rt.Bytes(static_cast<size_t>(times), text.size()));
  out.reserve(text.size() * static_cast<size_t>(times));
  for (int64_t i = 0; i < times; ++i) out += text;
  return out;
}

Result<std::string> Padded(Runtime& rt, std::string_view text, int64_t left, int64_t right, std::string_view fill) {
  std::string out = TRY(Repeat(rt, fill, left));
  out += text;
  out += TRY(Repeat(rt, fill, right));
  return out;
}

bool IsLowerText(std::string_view text) {
  bool cased = false;
  for (size_t i = 0; i < text.size();) {
    const char32_t c = NextCodePoint(text, i);
    if (IsUpper(c) || IsTitle(c)) return false;
    cased = cased || IsLower(c);
  }
  return cased;
}

bool IsUpperText(std::string_view text) {
  bool cased = false;
  for (size_t i = 0; i < text.size();) {
    const char32_t c = NextCodePoint(text, i);
    if (IsLower(c) || IsTitle(c)) return false;
    cased = cased || IsUpper(c);
  }
  return cased;
}

bool IsTitleText(std::string_view text) {
  bool cased = false;
  bool in_word = false;
  for (size_t i = 0; i < text.size();) {
    const char32_t c = NextCodePoint(text, i);
    if (IsUpper(c) || IsTitle(c)) {
      if (in_word) return false;
      in_word = true;
      cased = true;
    } else if (IsLower(c)) {
      if (!in_word) return false;
      cased = true;
    } else {
      in_word = false;
    }
  }
  return cased;
}

Result<std::string> StripTags(Runtime& rt, std::string_view text) {
  TRY(rt.Bytes(text.size(), 3));
  const std::string plain = RemoveAll(RemoveAll(text, "<!--", "-->"), "<", ">");
  std::string out;
  for (const std::string_view word : SplitWords(plain, std::string_view::npos)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return UnescapeHtml(out);
}

}  // namespace bothy::jinja
