#include "codec/yaml.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace bothy::yaml {
namespace {

std::string AsJson(std::string_view text) {
  const auto value = Parse(text, "card");
  return value ? json::Serialize(*value) : value.error().message;
}

ErrorCode CodeOf(std::string_view text, const Limits& limits = {}) {
  const auto value = Parse(text, "card", limits);
  EXPECT_FALSE(value) << text;
  return value ? ErrorCode::kInternal : value.error().code;
}

// The expected values are those of js-yaml 4.1, with which huggingface.co reads cards, but for dates and infinity,
// which are text here.
TEST(Yaml, CardsAreReadAsTheHubReadsThem) {
  EXPECT_EQ(AsJson("language:\n- en\n- no\nlicense: apache-2.0\ntags: [a, \"b c\"]\n"),
            R"({"language":["en","no"],"license":"apache-2.0","tags":["a","b c"]})");
  EXPECT_EQ(AsJson("a: 1\nb: -2.5\nc: 1e3\nd: 0x1F\ne: '1'\nf: true\ng: yes\nh: ~\ni:\nj: null\nk: 1.2.3\n"),
            R"({"a":1,"b":-2.5E0,"c":1E3,"d":31,"e":"1","f":true,"g":"yes","h":null,"i":null,"j":null,"k":"1.2.3"})");
  EXPECT_EQ(AsJson("a: |\n  x\n  y\nb: >\n  x\n  y\nc: \"\\u00e9\\n\"\n"),
            "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\",\"c\":\"é\\n\"}");
  EXPECT_EQ(AsJson("a: !!str 12\nb: 2024-01-02\nc: .inf\nd: +3\ne: .5\nf: \"\"\n"),
            R"({"a":"12","b":"2024-01-02","c":".inf","d":3,"e":5E-1,"f":""})");
  EXPECT_EQ(AsJson("model-index:\n- name: x\n  results:\n  - task: {type: t}\n    metrics:\n    - value: 0.5\n"),
            R"({"model-index":[{"name":"x","results":[{"task":{"type":"t"},"metrics":[{"value":5E-1}]}]}]})");
  EXPECT_EQ(AsJson("1: a\ntrue: b\n"), R"({"1":"a","true":"b"})");
  EXPECT_EQ(AsJson(""), "null");
  EXPECT_EQ(AsJson("# only a comment\n"), "null");
  EXPECT_EQ(AsJson("- 1\n- [2, {a: 3}]\n"), R"([1,[2,{"a":3}]])");
}

TEST(Yaml, AliasesStandForWhatTheyName) {
  EXPECT_EQ(AsJson("a: &x [1, 2]\nb: *x\nc: &y z\nd: *y\n*y : 5\n"), R"({"a":[1,2],"b":[1,2],"c":"z","d":"z","z":5})");
}

TEST(Yaml, AnErrorNamesLineAndColumn) {
  EXPECT_EQ(CodeOf("a: b\n c: d\n"), ErrorCode::kCorrupt);
  const auto value = Parse("a: 1\nb: [1\n", "card");
  ASSERT_FALSE(value);
  EXPECT_TRUE(value.error().message.starts_with("card: line 3, column 1: ")) << value.error().message;
}

TEST(Yaml, WhatJsonCannotSayIsRefused) {
  for (const char* text :
       {"a: 1\na: 2\n", "[1]: a\n", "? {a: b}\n: c\n", "a: 1\n---\nb: 2\n", "a: *none\n", "a: &x [*x]\n"}) {
    EXPECT_EQ(CodeOf(text), ErrorCode::kCorrupt) << text;
  }
}

TEST(Yaml, EachLimitHoldsAtTheLimitAndNotOnePast) {
  EXPECT_OK(Parse("[1, 2]", "card", {.bytes = 6}));
  EXPECT_EQ(CodeOf("[1, 2]", {.bytes = 5}), ErrorCode::kResourceExhausted);
  EXPECT_OK(Parse("[1, a, {b: 2}]", "card", {.values = 6}));
  EXPECT_EQ(CodeOf("[1, a, {b: 2}]", {.values = 5}), ErrorCode::kResourceExhausted);
  EXPECT_OK(Parse("[abc, {d: e}]", "card", {.copied = 5}));
  EXPECT_EQ(CodeOf("[abc, {d: e}]", {.copied = 4}), ErrorCode::kResourceExhausted);
  EXPECT_OK(Parse("[[[1]]]", "card", {.depth = 3}));
  EXPECT_EQ(CodeOf("[[[1]]]", {.depth = 2}), ErrorCode::kResourceExhausted);
}

TEST(Yaml, AFewLinesCannotStandForMillionsOfValues) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; i++) {
    bomb += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_EQ(CodeOf(bomb), ErrorCode::kResourceExhausted);
  std::string text = "a: &a " + std::string(100'000, 'x') + "\nb: [";
  for (int i = 0; i < 100; i++) text += "*a, ";
  EXPECT_EQ(CodeOf(text + "1]\n"), ErrorCode::kResourceExhausted);
}

TEST(Yaml, VeryDeepTextIsRefused) {
  for (const char* open : {"[", "{a: ", "- ", "? "}) {
    std::string text;
    for (int i = 0; i < 100'000; i++) text += open;
    EXPECT_FALSE(Parse(text, "card")) << open;
  }
}

}  // namespace
}  // namespace bothy::yaml
