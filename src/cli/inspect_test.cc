#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/testing.h"
#include "cli/inspect_report.h"

namespace bothy::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Inspect, TheJsonOfAGgufHasItsMetadataAndTensors) {
  const auto files = OpenModelFiles(Golden() / "gguf" / "all_types.gguf");
  ASSERT_OK(files);
  const json::object report = InspectJson(*files, {});
  EXPECT_EQ(report.at("format"), "gguf");
  EXPECT_TRUE(report.at("config").is_null());
  // A tensor for each of 21 types, and a vector of one: tools/golden/gguf_files.py.
  uint64_t parameters = 0, bytes = 0, tensors = 0;
  for (const json::value& tensor : report.at("tensors").as_array()) {
    uint64_t elements = 1;
    for (const json::value& n : tensor.at("shape").as_array()) elements *= n.to_number<uint64_t>();
    parameters += elements;
    bytes += tensor.at("bytes").to_number<uint64_t>();
    tensors++;
  }
  EXPECT_EQ(tensors, 22u);
  EXPECT_EQ(report.at("parameters").to_number<uint64_t>(), parameters);
  EXPECT_EQ(report.at("bytes").to_number<uint64_t>(), bytes);
  uint64_t typed = 0;
  for (const json::value& type : report.at("types").as_array()) typed += type.at("parameters").to_number<uint64_t>();
  EXPECT_EQ(typed, parameters);
  const json::array& metadata = report.at("metadata").as_array();
  EXPECT_EQ(json::Serialize(metadata[0]), R"({"key":"general.architecture","type":"string","value":"test"})");
  EXPECT_EQ(json::Serialize(metadata[3]),
            R"({"key":"many.UINT8","type":"array","element_type":"u8","count":2,"values":[0,255]})");
}

ModelFiles WithMetadata() {
  ModelFiles files;
  files.format = "gguf";
  GgufMetadata& metadata = files.gguf.emplace();
  std::vector<int32_t> numbers(1000);
  for (int32_t i = 0; i < 1000; i++) numbers[static_cast<size_t>(i)] = i;
  metadata.Set("long", GgufValue::I32s(numbers));
  metadata.Set("bad\x1b[31m", GgufValue::String("a\xff\x1b[2J" + std::string(1000, 'x')));
  metadata.Set("epsilon", GgufValue::F32(1e-5f));
  metadata.Set("nan", GgufValue::F32(NAN));
  return files;
}

TEST(Inspect, LongArraysAreCutUnlessTheyAreAskedForWhole) {
  const ModelFiles files = WithMetadata();
  const json::object cut = InspectJson(files, {});
  EXPECT_EQ(cut.at("metadata").as_array()[0].at("count"), 1000);
  EXPECT_EQ(cut.at("metadata").as_array()[0].at("values").as_array().size(), 8u);
  const json::object whole = InspectJson(files, {.full = true});
  EXPECT_EQ(whole.at("metadata").as_array()[0].at("values").as_array().size(), 1000u);
  EXPECT_THAT(InspectText(files, {}), HasSubstr("1000 x i32  [0,1,2,3,4,5,6,7, ...]"));
  EXPECT_THAT(InspectText(files, {.full = true}), HasSubstr(",998,999]"));
}

TEST(Inspect, WhatAFileSaysCannotBreakJsonOrTheTerminal) {
  const ModelFiles files = WithMetadata();
  const std::string text = InspectText(files, {.full = true});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\xff")));
  const auto again = json::Parse(json::Serialize(InspectJson(files, {})), "report");
  ASSERT_OK(again);
  EXPECT_EQ(again->at("metadata").as_array()[2].at("value"), 1e-5);
  EXPECT_EQ(again->at("metadata").as_array()[3].at("value"), "nan");
}

TEST(Inspect, TensorsAreInNaturalOrder) {
  std::vector<ArrayInfo> arrays;
  for (const char* name : {"blk.10.a", "blk.2.b", "blk.2.a", "a", "blk", "blk.02.a"}) arrays.push_back({.name = name});
  ModelFiles files;
  auto checkpoint = Checkpoint::Create({MemorySource("m", "")}, arrays);
  ASSERT_OK(checkpoint);
  files.checkpoint = *std::move(checkpoint);
  std::string names;
  const json::object report = InspectJson(files, {});
  for (const json::value& tensor : report.at("tensors").as_array()) {
    names += tensor.at("name").as_string();
    names += ' ';
  }
  EXPECT_EQ(names, "a blk blk.02.a blk.2.a blk.2.b blk.10.a ");
  EXPECT_FALSE(InspectJson(files, {.tensors = false}).contains("tensors"));
}

}  // namespace
}  // namespace bothy::cli
