#include "codec/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/testing.h"
#include "codec/golden_arrays.h"

namespace bothy {
namespace {

using testing::HasSubstr;

Result<Safetensors> ReadBytes(std::string_view bytes) { return ReadSafetensors(MemorySource("m.safetensors", bytes)); }

std::string File(std::string_view header, std::string_view data = "") {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes.append(header).append(data);
}

std::string Message(std::string_view header, std::string_view data = "") {
  const auto file = ReadBytes(File(header, data));
  EXPECT_FALSE(file) << header;
  return file ? "" : file.error().message;
}

TEST(Safetensors, HoldsWhatTheReferencesWriterWasGiven) {
  const auto file = ReadBytes(ReadTestFile(Golden() / "safetensors" / "all_types.safetensors"));
  ASSERT_OK(file);
  EXPECT_EQ(file->metadata, (SafetensorsMetadata{{"format", "pt"}}));
  ExpectArrays(file->checkpoint, ReadGoldenJson("safetensors", "all_types.json"));
}

TEST(Safetensors, WritesAReferenceFileAgainByteForByte) {
  const TemporaryFolder folder;
  const auto reference = Golden() / "safetensors" / "all_types.safetensors";
  const auto file = ReadBytes(ReadTestFile(reference));
  ASSERT_OK(file);
  std::vector<ArraySpec> arrays;
  for (const ArrayInfo& array : file->checkpoint.arrays()) arrays.push_back({array.name, array.dtype, array.shape});
  const auto path = folder.path() / "out.safetensors";
  ASSERT_OK(WriteSafetensors(path, file->metadata, arrays, [&](size_t index, ArraySink& sink) {
    const std::string data = ReadArray(file->checkpoint, file->checkpoint.arrays()[index]);
    return sink.Write(std::as_bytes(std::span(data)));
  }));
  EXPECT_EQ(ReadTestFile(path), ReadTestFile(reference));
}

TEST(Safetensors, EveryTruncationIsAnErrorThatNamesTheFile) {
  const std::string bytes = ReadTestFile(Golden() / "safetensors" / "all_types.safetensors");
  for (size_t size = 0; size < bytes.size(); size++) {
    const auto file = ReadBytes(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(file) << size;
    EXPECT_EQ(file.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(file.error().message, HasSubstr("m.safetensors: "));
  }
}

// What the reference (safetensors 0.8.0) takes and what it refuses; where we are stricter, format.md is too.
TEST(Safetensors, TakesWhatTheReferenceTakes) {
  EXPECT_OK(ReadBytes(File("{}")));
  EXPECT_OK(ReadBytes(File("{}   \n")));
  EXPECT_OK(ReadBytes(File(R"({"__metadata__":null,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x")));
  EXPECT_OK(ReadBytes(File(R"({"a":{"x":{"y":[1,{}]},"dtype":"U8","shape":[],"data_offsets":[0,1],"z":null}})", "x")));
  EXPECT_OK(ReadBytes(File(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},)"
                           R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                           R"("c":{"dtype":"F32","shape":[3,0],"data_offsets":[2,2]}})",
                           "xx")));
}

TEST(Safetensors, BrokenRulesAreNamed) {
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "xy"),
              HasSubstr("expected the end of the file, found 1 more bytes"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", "xy"),
              HasSubstr("key \"a\": expected data_offsets that begin at 0, where the array before ends, found [1, 2]"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                      R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                      "xyz"),
              HasSubstr("key \"b\": expected data_offsets that begin at 2"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                      R"("a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                      "xyz"),
              HasSubstr("array \"a\" is there twice"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "xy"),
              HasSubstr("key \"a\": expected each key once, found \"dtype\" twice"));
  EXPECT_THAT(Message(R"({"__metadata__":{"k":"1","k":"2"}})"), HasSubstr("\"k\" is there twice"));
  EXPECT_THAT(Message(R"({"__metadata__":{"k":1}})"), HasSubstr("key \"k\": expected strings only, found 1"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,2]}})", "xy"),
              HasSubstr("key \"a\": expected 4 bytes for F32 of shape [1], found data_offsets [0, 2]"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", "x"),
              HasSubstr("key \"a\": expected a shape of whole numbers, found 1"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})", "x"),
              HasSubstr("key \"a\": expected two data_offsets, found 3"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", "x"), HasSubstr("found -1"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","shape":[1]}})"), HasSubstr("\"dtype\", \"shape\" and \"data_offsets\""));
  EXPECT_THAT(Message(R"({"a":[]})"), HasSubstr("key \"a\": expected an object, found an array"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"nope","shape":[1],"data_offsets":[0,1]}})", "x"),
              HasSubstr("key \"a\": expected a dtype of the format, found nope"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"Q4_0","shape":[32],"data_offsets":[0,18]}})", "x"), HasSubstr("found Q4_0"));
  EXPECT_THAT(Message(" {}"), HasSubstr("offset 8: expected a header that starts with {, found byte 0x20"));
  EXPECT_THAT(Message(""), HasSubstr("offset 8: expected a header that starts with {, found nothing"));
  EXPECT_THAT(Message(std::string("{}\0", 3)), HasSubstr("offset 10: text after the header's JSON"));
  EXPECT_THAT(Message(R"({"a":nope})"), HasSubstr("offset 1"));
  EXPECT_THAT(Message("{\"\xff\":1}"), HasSubstr("header is not valid JSON"));
  EXPECT_THAT(Message(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}})"),
              HasSubstr("expected fewer than 2^64 bytes"));
  const auto unknown = ReadBytes(File(R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})", "x"));
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnimplemented);
  EXPECT_THAT(unknown.error().message, HasSubstr("array \"a\": elements of type F4 are not supported"));
}

TEST(Safetensors, AHeaderOverTheLimitIsNotRead) {
  std::string bytes(64, '\0');
  const uint64_t length = kMaxSafetensorsHeader + 1;
  std::memcpy(bytes.data(), &length, 8);
  EXPECT_THAT(ReadBytes(bytes).error().message,
              HasSubstr("offset 0: expected a header of at most 100000000 bytes, found 100000001"));
  const uint64_t largest = ~uint64_t{0};
  std::memcpy(bytes.data(), &largest, 8);
  EXPECT_FALSE(ReadBytes(bytes));
  std::memcpy(bytes.data(), &kMaxSafetensorsHeader, 8);
  EXPECT_THAT(ReadBytes(bytes).error().message, HasSubstr("expected 100000000 more bytes, the file ends at 64"));
}

TEST(Safetensors, WhatTheFormatCannotHoldIsNotWritten) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.safetensors";
  const auto error = [&](const std::vector<ArraySpec>& arrays) {
    const auto result = WriteSafetensors(path, {}, arrays, [](size_t, ArraySink&) { return Result<void>{}; });
    return result ? Error{} : result.error();
  };
  EXPECT_EQ(error({{"a", DType::kQ4_0, {32}}}).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error({{"a", DType::kQ4_0, {32}}}).message, HasSubstr("safetensors has no elements of type Q4_0"));
  EXPECT_THAT(error({{"a", DType::kF32, {0}}, {"a", DType::kU8, {0}}}).message, HasSubstr("\"a\" is there twice"));
  EXPECT_THAT(error({{"__metadata__", DType::kF32, {0}}}).message, HasSubstr("name \"__metadata__\""));
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace bothy
