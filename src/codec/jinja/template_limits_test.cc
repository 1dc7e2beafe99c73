// Templates that were made to take all time or memory: they end in kResourceExhausted, or are fast.
#include <gtest/gtest.h>

#include "base/testing.h"
#include "codec/jinja/template.h"
#include "codec/jinja/text_tools.h"

namespace bothy::jinja {
namespace {

Result<std::string> Render(std::string_view source, const Limits& limits = {}) {
  const Template parsed = TRY(Template::Parse(source, "test"));
  RenderOptions options;
  options.limits = limits;
  return parsed.Render({}, options);
}

void ExpectExhausted(std::string_view source, const Limits& limits = {}) {
  const auto rendered = Render(source, limits);
  ASSERT_FALSE(rendered) << source;
  EXPECT_EQ(rendered.error().code, ErrorCode::kResourceExhausted) << source << ": " << rendered.error().message;
}

// Fifty tuples of two, each twice in the next.
std::string SharedTuple(std::string_view name) {
  std::string source = fmt::format("{{% set {} = (1, 1) %}}", name);
  for (int i = 0; i < 50; ++i) source += fmt::format("{{% set {0} = ({0}, {0}) %}}", name);
  return source;
}

TEST(TemplateLimits, KeysThatShareTheirPartsAreCounted) {
  const Limits limits = {.steps = 100'000};
  const std::string tuples = SharedTuple("t");
  ExpectExhausted(tuples + "{{ {t: 1} }}", limits);
  ExpectExhausted(tuples + "{{ {}[t] }}", limits);
  ExpectExhausted(tuples + "{{ t in {} }}", limits);
  ExpectExhausted(tuples + "{{ {}.get(t) }}", limits);
  ExpectExhausted(tuples + "{{ dict([(t, 1)]) }}", limits);
  ExpectExhausted(tuples + "{{ {}.fromkeys([t]) }}", limits);
  ExpectExhausted(tuples + "{{ [t] | unique | list }}", limits);
  ExpectExhausted(tuples + "{{ t is filter }}", limits);
}

TEST(TemplateLimits, LongKeysAreCounted) {
  const std::string_view source =
      "{% set k = 'x' * 1000000 %}{% set d = {k: 1} %}{% for i in range(1000) %}{% set v = d[k] %}{% endfor %}";
  EXPECT_OK(Render(source, {.steps = 35'000'000}));  // 1000 times 1,000,000 / 32, and some
  ExpectExhausted(source, {.steps = 30'000'000});
}

TEST(TemplateLimits, SearchesTakeLinearTime) {
  // A million places at each of which half a million bytes agree.
  constexpr std::string_view kLong = "{% set text = 'a' * 1000000 %}{% set part = 'a' * 500000 ~ 'b' %}";
  constexpr std::string_view kMirrored = "{% set text = 'a' * 1000000 %}{% set part = 'b' ~ 'a' * 500000 %}";
  for (const std::string_view left :
       {"part in text", "text.find(part)", "text.count(part)", "text.split(part) | length",
        "text.replace(part, '') == text", "text.partition(part)[1]"}) {
    EXPECT_OK(Render(fmt::format("{}{{{{ {} }}}}", kLong, left)));
  }
  for (const std::string_view right : {"text.rfind(part)", "text.rsplit(part) | length", "text.rpartition(part)[1]"}) {
    EXPECT_OK(Render(fmt::format("{}{{{{ {} }}}}", kMirrored, right)));
  }
  EXPECT_OK(Render("{{ ('a' ~ '@' * 1000000) | urlize | length }}"));
  EXPECT_OK(Render("{{ ('(' * 500000 ~ 'x' ~ ')' * 1000000) | urlize | length }}"));
  EXPECT_OK(Render("{{ ('a' * 1000000).strip('b' * 1000000 ~ 'a') }}"));
}

// Against std::string_view's functions, for all short words of two letters.
TEST(FindText, FindsWhatTheStandardLibraryFinds) {
  const auto word = [](size_t bits, size_t length) {
    std::string text;
    for (size_t i = 0; i < length; ++i) text += (bits >> i & 1) != 0 ? 'b' : 'a';
    return text;
  };
  for (size_t bits = 0; bits < 512; ++bits) {
    const std::string text = word(bits, 9);
    for (size_t length = 0; length <= 4; ++length) {
      for (size_t part_bits = 0; part_bits < size_t{1} << length; ++part_bits) {
        const std::string part = word(part_bits, length);
        EXPECT_EQ(FindText(text, part), text.find(part)) << text << " " << part;
        EXPECT_EQ(FindText(text, part, 3), text.find(part, 3)) << text << " " << part;
        // Long enough for the search with a table: every letter 17 times.
        std::string long_text, long_part;
        for (const char c : text) long_text.append(17, c);
        for (const char c : part) long_part.append(17, c);
        EXPECT_EQ(FindLastText(long_text, long_part), long_text.rfind(long_part)) << text << " " << part;
      }
    }
  }
}

TEST(TemplateLimits, WhatIsMadeOfLittleIsBounded) {
  for (const std::string_view source :
       {"{{ 'x' * 10 ** 9 }}", "{{ [1] * 10 ** 9 }}", "{{ range(10 ** 9) | list }}", "{{ range(10 ** 18) | sum }}",
        "{{ 10 ** (10 ** 6) }}", "{{ '%1000000000d' % 1 }}", "{{ '{:>1000000000}'.format(1) }}",
        "{{ '%.1000000000f' % 1.5 }}", "{{ 'x'.center(10 ** 9) }}", "{{ 'x' | indent(10 ** 9, true) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ [1] | tojson(indent=10 ** 9) }}",
        "{% set n = namespace(s='x') %}{% for i in range(100) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% for i in range(10 ** 6) %}{{ 'x' * 1000 }}{% endfor %}"}) {
    const auto rendered = Render(source);
    ASSERT_FALSE(rendered) << source;
    EXPECT_TRUE(rendered.error().code == ErrorCode::kResourceExhausted ||
                rendered.error().code == ErrorCode::kInvalidArgument)
        << rendered.error().message;
  }
}

TEST(TemplateLimits, NestingEndsInAnErrorOfTheParser) {
  for (const auto& [open, close] : {std::pair("(", ")"), {"[", "]"}, {"not ", ""}, {"-", ""}, {"{1:", "}"}}) {
    std::string source = "{{ ";
    for (int i = 0; i < 100'000; ++i) source += open;
    source += "1";
    for (int i = 0; i < 100'000; ++i) source += close;
    EXPECT_FALSE(Template::Parse(source + " }}", "test")) << open;
  }
  std::string blocks;
  for (int i = 0; i < 100'000; ++i) blocks += "{% if 1 %}";
  EXPECT_FALSE(Template::Parse(blocks, "test"));
}

}  // namespace
}  // namespace bothy::jinja
