#include "codec/gguf_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "base/testing.h"
#include "codec/gguf.h"

namespace bothy {
namespace {

Result<Gguf> ReadFile(const std::filesystem::path& path) { return ReadGguf(TRY(OpenFile(path))); }

Result<void> Nothing(size_t, ArraySink&) { return {}; }

// The arrays of a checkpoint in the order in which they lie in their file.
std::vector<const ArrayInfo*> InFileOrder(const Checkpoint& checkpoint) {
  std::vector<const ArrayInfo*> arrays;
  for (const ArrayInfo& array : checkpoint.arrays()) arrays.push_back(&array);
  std::ranges::sort(arrays, {}, &ArrayInfo::offset);
  return arrays;
}

TEST(GgufWriter, WritesAReferenceFileAgainByteForByte) {
  const TemporaryFolder folder;
  for (const char* name : {"all_types.gguf", "no_tensors.gguf"}) {
    const auto gguf = ReadFile(Golden() / "gguf" / name);
    ASSERT_OK(gguf);
    std::vector<ArraySpec> tensors;
    const auto arrays = InFileOrder(gguf->checkpoint);
    for (const ArrayInfo* array : arrays) tensors.push_back({array->name, array->dtype, array->shape});
    const auto produce = [&](size_t index, ArraySink& sink) -> Result<void> {
      std::vector<std::byte> bytes(arrays[index]->size);
      TRY(gguf->checkpoint.Read(*arrays[index], 0, bytes));
      for (const std::byte& b : bytes) TRY(sink.Write({&b, 1}));
      return {};
    };
    ASSERT_OK(WriteGguf(folder.path() / name, gguf->metadata, tensors, produce));
    EXPECT_EQ(ReadTestFile(folder.path() / name), ReadTestFile(Golden() / "gguf" / name)) << name;
  }
}

TEST(GgufWriter, WhatTheFormatCannotHoldIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.gguf";
  const auto error = [&](const std::vector<ArraySpec>& tensors) {
    const auto result = WriteGguf(path, {}, tensors, Nothing);
    EXPECT_FALSE(result);
    EXPECT_EQ(result ? ErrorCode::kInternal : result.error().code, ErrorCode::kInvalidArgument);
    return result ? "" : result.error().message;
  };
  const auto has = [](const char* part) { return testing::HasSubstr(part); };
  EXPECT_THAT(error({{"a", DType::kBool, {1}}}), has("tensor \"a\": GGUF has no elements of type BOOL"));
  EXPECT_THAT(error({{"a", DType::kQ4_0, {2, 33}}}), has("Q4_0 cannot have the shape [2, 33]"));
  EXPECT_THAT(error({{"a", DType::kF32, {1, 1, 1, 1, 1}}}), has("at most 4 dimensions, this has 5"));
  EXPECT_THAT(error({{std::string(64, 'a'), DType::kF32, {}}}), has("names of at most 63 bytes, this has 64"));
  EXPECT_THAT(error({{"a", DType::kF32, {}}, {"a", DType::kF32, {}}}), has("array \"a\" is there twice"));
  EXPECT_THAT(error({{"a", DType::kF32, {uint64_t{1} << 62}}}), has("cannot have the shape"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(GgufWriter, AnArrayThatIsNotMadeWholeLeavesTheOldFile) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.gguf";
  std::ofstream(path) << "old";
  const std::vector<ArraySpec> tensors = {{"a", DType::kF32, {2}}};
  const std::vector<std::byte> bytes(12);
  const auto of_size = [&](size_t size) {
    return [&bytes, size](size_t, ArraySink& sink) { return sink.Write(std::span(bytes).first(size)); };
  };
  EXPECT_FALSE(WriteGguf(path, {}, tensors, of_size(4)));
  EXPECT_FALSE(WriteGguf(path, {}, tensors, of_size(12)));
  EXPECT_FALSE(WriteGguf(path, {}, tensors,
                         [](size_t, ArraySink&) -> Result<void> { return Fail(ErrorCode::kCancelled, "stop"); }));
  EXPECT_EQ(ReadTestFile(path), "old");
  ASSERT_OK(WriteGguf(path, {}, tensors, of_size(8)));
  EXPECT_OK(ReadFile(path));
}

TEST(GgufWriter, ValuesMadeHereComeBack) {
  const TemporaryFolder folder;
  GgufMetadata metadata;
  metadata.Set("u", GgufValue::U32(7));
  metadata.Set("i", GgufValue::I32(-7));
  metadata.Set("f", GgufValue::F32(0.1f));
  metadata.Set("b", GgufValue::Bool(true));
  metadata.Set("s", GgufValue::String("text"));
  metadata.Set("strings", GgufValue::Strings(std::vector<std::string>{"a", "", "c"}));
  metadata.Set("floats", GgufValue::F32s(std::vector<float>{0.5f, -1e30f}));
  metadata.Set("ints", GgufValue::I32s(std::vector<int32_t>{-1, 1 << 30}));
  ASSERT_OK(WriteGguf(folder.path() / "m.gguf", metadata, {}, Nothing));
  const auto gguf = ReadFile(folder.path() / "m.gguf");
  ASSERT_OK(gguf);
  EXPECT_EQ(gguf->metadata.GetInt("u"), 7);
  EXPECT_EQ(gguf->metadata.GetInt("i"), -7);
  EXPECT_EQ(gguf->metadata.GetFloat("f"), double{0.1f});
  EXPECT_EQ(gguf->metadata.GetBool("b"), true);
  EXPECT_EQ(gguf->metadata.GetString("s"), "text");
  EXPECT_EQ((*gguf->metadata.NeedStrings("strings"))->String(2), "c");
  EXPECT_EQ(gguf->metadata.GetFloats("floats"), (std::vector<float>{0.5f, -1e30f}));
  EXPECT_EQ(gguf->metadata.GetInts("ints"), (std::vector<int64_t>{-1, 1 << 30}));
}

}  // namespace
}  // namespace bothy
