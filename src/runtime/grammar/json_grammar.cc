#include "runtime/grammar/json_grammar.h"

#include <array>

namespace bothy {
namespace {

constexpr std::array<std::pair<char32_t, char>, 7> kShortEscapes = {
    {{'"', '"'}, {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}}};

std::optional<char> ShortEscape(char32_t code) {
  for (const auto& [character, letter] : kShortEscapes) {
    if (character == code) return letter;
  }
  return std::nullopt;
}

std::string Scalar(const json::value& value) {
  if (value.is_string()) return JsonGrammar::Quoted(value.get_string());
  if (value.is_double()) return fmt::format("{}", value.get_double());
  return json::Serialize(value);
}

CodePointSet Escaped() { return {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}; }

}  // namespace

Grammar::Node JsonGrammar::Use(void (JsonGrammar::*make)(Rule), std::optional<Rule>& rule) {
  if (!rule) {
    rule = grammar_.Declare("JSON");
    (this->*make)(*rule);
  }
  return grammar_.Reference(*rule);
}

void JsonGrammar::MakeSpace(Rule rule) {
  const Node indent = grammar_.Choice({grammar_.Repeat(Text(" "), 0, 40), grammar_.Repeat(Text("\t"), 1, 10)});
  grammar_.Define(rule, grammar_.Choice({grammar_.Empty(), Text(" "), grammar_.Sequence({Text("\n"), indent})}));
}

Grammar::Node JsonGrammar::Enclosed(std::string_view open, std::optional<Node> parts, std::string_view close) {
  if (!parts) return grammar_.Sequence({Text(open), Space(), Text(close)});
  return grammar_.Sequence({Text(open), Space(), *parts, Space(), Text(close)});
}

Grammar::Node JsonGrammar::List(Node first, Node again) {
  const Node more = grammar_.Repeat(grammar_.Sequence({Text(","), Space(), again}), 0, Grammar::kUnbounded);
  return grammar_.Sequence({first, more});
}

void JsonGrammar::MakeObject(Rule rule) {
  const auto pair = [&] { return grammar_.Sequence({String(0, Grammar::kUnbounded), Text(":"), Space(), Value()}); };
  grammar_.Define(rule, grammar_.Choice({Enclosed("{", List(pair(), pair()), "}"), Enclosed("{", std::nullopt, "}")}));
}

void JsonGrammar::MakeArray(Rule rule) {
  grammar_.Define(rule,
                  grammar_.Choice({Enclosed("[", List(Value(), Value()), "]"), Enclosed("[", std::nullopt, "]")}));
}

void JsonGrammar::MakeValue(Rule rule) {
  grammar_.Define(rule, grammar_.Choice({Object(), Array(), String(0, Grammar::kUnbounded), Number(), Text("true"),
                                         Text("false"), Text("null")}));
}

void JsonGrammar::MakeInteger(Rule rule) {
  const Node positive = grammar_.Sequence({Class({{'1', '9'}}), Digits(0, kIntegerDigits - 1)});
  grammar_.Define(rule, grammar_.Choice({Text("0"), grammar_.Sequence({grammar_.Optional(Text("-")), positive})}));
}

void JsonGrammar::MakeNumber(Rule rule) {
  const Node whole =
      grammar_.Choice({Text("0"), grammar_.Sequence({Class({{'1', '9'}}), Digits(0, kNumberDigits - 1)})});
  const Node fraction = grammar_.Sequence({Text("."), Digits(1, kFractionDigits)});
  const Node exponent = grammar_.Sequence(
      {Class({{'e', 'e'}, {'E', 'E'}}), grammar_.Optional(Class({{'+', '+'}, {'-', '-'}})), Digits(1, 2)});
  grammar_.Define(rule, grammar_.Sequence({grammar_.Optional(Text("-")), whole, grammar_.Optional(fraction),
                                           grammar_.Optional(exponent)}));
}

void JsonGrammar::MakeStringCharacter(Rule rule) {
  const auto hex = [&](uint32_t digits) {
    return grammar_.Repeat(Class({{'0', '9'}, {'a', 'f'}, {'A', 'F'}}), digits, digits);
  };
  const auto d = [&] { return Class({{'d', 'd'}, {'D', 'D'}}); };
  // A surrogate is half a character: they come in pairs, and count as one.
  const Node plain = grammar_.Sequence({Class({{'0', '9'}, {'a', 'c'}, {'e', 'f'}, {'A', 'C'}, {'E', 'F'}}), hex(3)});
  const Node before_surrogates = grammar_.Sequence({d(), Class({{'0', '7'}}), hex(2)});
  const Node pair = grammar_.Sequence({d(), Class({{'8', '9'}, {'a', 'b'}, {'A', 'B'}}), hex(2), Text("\\u"), d(),
                                       Class({{'c', 'f'}, {'C', 'F'}}), hex(2)});
  const Node number = grammar_.Sequence({Text("u"), grammar_.Choice({plain, before_surrogates, pair})});
  CodePointSet letters = {{'/', '/'}};
  for (const auto& [character, letter] : kShortEscapes) letters.Add(static_cast<char32_t>(letter));
  const Node escape = grammar_.Sequence({Text("\\"), grammar_.Choice({grammar_.Class(letters), number})});
  grammar_.Define(rule, grammar_.Choice({grammar_.Class(Escaped().Complement()), escape}));
}

Grammar::Node JsonGrammar::String(uint32_t min, uint32_t max) {
  const Node characters = grammar_.Repeat(Use(&JsonGrammar::MakeStringCharacter, string_character_), min, max);
  return grammar_.Sequence({Text("\""), characters, Text("\"")});
}

Grammar::Node JsonGrammar::Character(const CodePointSet& characters) {
  std::vector<std::pair<char32_t, char32_t>> key;
  for (const auto& [first, last] : characters.ranges()) key.emplace_back(first, last);
  const auto [found, added] = characters_.try_emplace(std::move(key), Rule{});
  if (!added) return grammar_.Reference(found->second);
  std::vector<Node> alternatives = {grammar_.Class(characters.Without(Escaped()))};
  CodePointSet letters;
  std::vector<std::string> numbers;
  const CodePointSet escaped = characters.Intersection(Escaped());
  for (const auto& [first, last] : escaped.ranges()) {
    for (char32_t code = first; code <= last; code++) {
      if (const auto letter = ShortEscape(code)) {
        letters.Add(static_cast<char32_t>(*letter));
      } else {
        numbers.push_back(fmt::format("{:02x}", static_cast<uint32_t>(code)));
        numbers.push_back(fmt::format("{:02X}", static_cast<uint32_t>(code)));
      }
    }
  }
  if (!letters.empty()) alternatives.push_back(grammar_.Sequence({Text("\\"), grammar_.Class(letters)}));
  if (!numbers.empty()) {
    alternatives.push_back(grammar_.Sequence({Text("\\u00"), grammar_.Words(std::move(numbers))}));
  }
  found->second = grammar_.Add("a character", grammar_.Choice(std::move(alternatives)));
  return grammar_.Reference(found->second);
}

Grammar::Node JsonGrammar::Constants(std::span<const json::value* const> values) {
  std::vector<std::string> words;
  std::vector<Node> alternatives;
  for (const json::value* value : values) {
    if (value->is_structured()) {
      alternatives.push_back(Constant(*value));
    } else {
      words.push_back(Scalar(*value));
    }
  }
  if (!words.empty()) alternatives.push_back(grammar_.Words(std::move(words)));
  return grammar_.Choice(std::move(alternatives));
}

Grammar::Node JsonGrammar::Constant(const json::value& value) {
  std::vector<Node> parts;
  if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) parts.push_back(Constant(item));
    return parts.empty() ? Enclosed("[", std::nullopt, "]") : Enclosed("[", List(std::move(parts)), "]");
  }
  if (const json::object* object = value.if_object()) {
    for (const auto& member : *object) {
      const Node name = Text(Quoted(member.key()) + ":");
      parts.push_back(grammar_.Sequence({name, Space(), Constant(member.value())}));
    }
    return parts.empty() ? Enclosed("{", std::nullopt, "}") : Enclosed("{", List(std::move(parts)), "}");
  }
  return Text(Scalar(value));
}

Grammar::Node JsonGrammar::List(std::vector<Node> parts) {
  std::vector<Node> list;
  for (const Node part : parts) {
    if (!list.empty()) {
      list.push_back(Text(","));
      list.push_back(Space());
    }
    list.push_back(part);
  }
  return grammar_.Sequence(std::move(list));
}

std::string JsonGrammar::Quoted(std::string_view utf8) {
  std::string quoted = "\"";
  for (const char c : utf8) {
    const auto code = static_cast<uint8_t>(c);
    if (const auto letter = ShortEscape(code)) {
      quoted += '\\';
      quoted += *letter;
    } else if (code < 0x20) {
      quoted += fmt::format("\\u{:04x}", code);
    } else {
      quoted += c;
    }
  }
  return quoted += '"';
}

}  // namespace bothy
