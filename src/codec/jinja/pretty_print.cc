// pprint.pformat with its defaults: lines of 80 characters, dicts in the order of their keys.
#include <algorithm>
#include <numeric>

#include "codec/jinja/filters.h"
#include "codec/jinja/text.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

constexpr size_t kWidth = 80;

int KeyRank(const Value& key) {
  switch (key.kind()) {
    case Kind::kNone: return 0;
    case Kind::kBytes: return 1;
    case Kind::kString: return 3;
    case Kind::kTuple: return 4;
    default: return key.IsNumber() ? 2 : 5;
  }
}

std::vector<size_t> KeyOrder(const DictObject& dict) {
  std::vector<size_t> order(dict.entries.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Value& x = dict.entries[a].first;
    const Value& y = dict.entries[b].first;
    return KeyRank(x) != KeyRank(y) ? KeyRank(x) < KeyRank(y) : CompareKeys(x, y) < 0;  // keys differ
  });
  return order;
}

struct Printer {
  Runtime& rt;
  std::string out;

  Result<std::string> OneLine(const Value& value);
  Result<void> Format(const Value& value, size_t indent, size_t allowance, int level);
  Result<void> FormatItems(const std::vector<Value>& items, size_t indent, size_t allowance, int level);
  Result<void> FormatDict(const DictObject& dict, size_t indent, size_t allowance, int level);
  Result<void> FormatText(const std::string& text, size_t indent, size_t allowance, int level);
};

// repr() but for the order of keys.
Result<std::string> Printer::OneLine(const Value& value) {
  TRY(rt.Step());
  std::string text;
  if (value.IsDict()) {
    text = "{";
    for (const size_t i : KeyOrder(value.dict())) {
      if (text.size() > 1) text += ", ";
      text += TRY(OneLine(value.dict().entries[i].first)) + ": " + TRY(OneLine(value.dict().entries[i].second));
      TRY(rt.Fits(text.size()));
    }
    return text + "}";
  }
  if (!value.IsSequence()) return Repr(rt, value);
  const bool is_list = value.Is(Kind::kList);
  text = is_list ? "[" : "(";
  for (size_t i = 0; i < value.items().size(); ++i) {
    if (i > 0) text += ", ";
    text += TRY(OneLine(value.items()[i]));
    TRY(rt.Fits(text.size()));
  }
  return text + (is_list ? "]" : value.items().size() == 1 ? ",)" : ")");
}

Result<void> Printer::Format(const Value& value, size_t indent, size_t allowance, int level) {
  const std::string line = TRY(OneLine(value));
  TRY(rt.Bytes(line.size()));
  TRY(rt.Fits(out.size()));
  const bool fits = CountCodePoints(line) + indent + allowance <= kWidth;
  if (!fits && value.IsDict()) {
    out += '{';
    TRY(FormatDict(value.dict(), indent, allowance + 1, level));
    out += '}';
  } else if (!fits && value.Is(Kind::kList)) {
    out += '[';
    TRY(FormatItems(value.items(), indent, allowance + 1, level));
    out += ']';
  } else if (!fits && value.Is(Kind::kTuple)) {
    const std::string_view end = value.items().size() == 1 ? ",)" : ")";
    out += '(';
    TRY(FormatItems(value.items(), indent, allowance + end.size(), level));
    out += end;
  } else if (!fits && value.IsString() && !value.text().empty()) {
    return FormatText(value.text(), indent, allowance, level);
  } else {
    out += line;
  }
  return {};
}

Result<void> Printer::FormatItems(const std::vector<Value>& items, size_t indent, size_t allowance, int level) {
  ++indent;
  TRY(rt.Bytes(items.size(), indent));
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ",\n" + std::string(indent, ' ');
    TRY(Format(items[i], indent, i + 1 == items.size() ? allowance : 1, level + 1));
  }
  return {};
}

Result<void> Printer::FormatDict(const DictObject& dict, size_t indent, size_t allowance, int level) {
  ++indent;
  TRY(rt.Bytes(dict.entries.size(), indent));
  const std::vector<size_t> order = KeyOrder(dict);
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0) out += ",\n" + std::string(indent, ' ');
    const std::string key = TRY(OneLine(dict.entries[order[i]].first));
    out += key + ": ";
    TRY(Format(dict.entries[order[i]].second, indent + CountCodePoints(key) + 2, i + 1 == order.size() ? allowance : 1,
               level + 1));
  }
  return {};
}

// A long string becomes several, broken behind blanks.
Result<void> Printer::FormatText(const std::string& text, size_t indent, size_t allowance, int level) {
  if (level == 0) {
    ++indent;
    ++allowance;
  }
  const auto fits = [&](std::string_view part, bool last) {
    return CountCodePoints(QuoteString(part)) + indent + (last ? allowance : 0) <= kWidth;
  };
  TRY(rt.Bytes(text.size(), 8));
  const std::vector<std::string_view> lines = SplitLines(text, true);
  std::vector<std::string> chunks;
  std::string last_quoted;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    const bool last_line = i + 1 == lines.size();
    last_quoted = QuoteString(line);
    if (fits(line, last_line)) {
      chunks.push_back(last_quoted);
      continue;
    }
    size_t begin = 0;  // of what goes into the next chunk
    size_t end = 0;
    while (end < line.size()) {
      size_t next = end;
      bool blank = false;
      for (size_t k = next; k < line.size(); next = k) {
        const bool space = IsSpace(NextCodePoint(line, k));
        if (blank && !space) break;
        blank = space;
      }
      TRY(rt.Bytes(next - begin));
      if (!fits(line.substr(begin, next - begin), last_line && next == line.size()) && end > begin) {
        chunks.push_back(QuoteString(line.substr(begin, end - begin)));
        begin = end;
      }
      end = next;
    }
    if (begin < end) chunks.push_back(QuoteString(line.substr(begin, end - begin)));
  }
  if (chunks.size() == 1) {
    out += last_quoted;
    return {};
  }
  TRY(rt.Bytes(chunks.size(), indent));
  if (level == 0) out += '(';
  for (size_t i = 0; i < chunks.size(); ++i) {
    if (i > 0) out += "\n" + std::string(indent, ' ');
    out += chunks[i];
  }
  if (level == 0) out += ')';
  return {};
}

}  // namespace

Result<std::string> PrettyPrint(Runtime& rt, const Value& value) {
  Printer printer{rt, {}};
  TRY(printer.Format(value, 0, 0, 0));
  return std::move(printer.out);
}

}  // namespace bothy::jinja
