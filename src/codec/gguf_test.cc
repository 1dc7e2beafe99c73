#include "codec/gguf.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "codec/golden_arrays.h"

namespace bothy {
namespace {

json::value ToJson(const GgufArray& array) {
  json::array values;
  for (size_t i = 0; i < array.size(); i++) {
    if (array.type() == GgufType::kString) {
      values.emplace_back(array.String(i));
    } else if (array.type() == GgufType::kArray) {
      values.push_back(ToJson(array.Array(i)));
    } else if (array.type() == GgufType::kBool) {
      values.emplace_back(array.Integer(i) == 1);
    } else if (array.type() == GgufType::kU64) {
      uint64_t number = 0;
      std::memcpy(&number, array.bytes().data() + 8 * i, 8);
      values.emplace_back(number);
    } else if (const auto integer = array.Integer(i)) {
      values.emplace_back(*integer);
    } else {
      values.emplace_back(array.Number(i));
    }
  }
  return json::array{GgufTypeName(array.type()), std::move(values)};
}

json::value ToJson(const GgufValue& value) {
  if (value.string() != nullptr) return json::string(*value.string());
  if (value.boolean() != nullptr) return *value.boolean();
  if (value.array() != nullptr) return ToJson(*value.array());
  if (const auto* number = std::get_if<uint64_t>(&value.storage())) return *number;
  if (const auto integer = value.integer()) return *integer;
  return *value.number();
}

Result<Gguf> ReadBytes(std::string bytes) { return ReadGguf(MemorySource("m.gguf", bytes)); }

TEST(Gguf, HoldsWhatTheReferencesWriterWasGiven) {
  const std::string bytes = ReadTestFile(Golden() / "gguf" / "all_types.gguf");
  const json::object expected = ReadGoldenJson("gguf", "all_types.json");
  for (const uint32_t version : {2u, 3u}) {  // which differ in nothing else
    std::string changed = bytes;
    std::memcpy(changed.data() + 4, &version, 4);
    const auto gguf = ReadBytes(changed);
    ASSERT_OK(gguf);
    EXPECT_EQ(gguf->version, version);
    EXPECT_EQ(gguf->alignment, 32u);
    const json::array& entries = expected.at("metadata").as_array();
    ASSERT_EQ(gguf->metadata.entries().size(), entries.size());
    for (size_t i = 0; i < entries.size(); i++) {
      const GgufMetadata::Entry& entry = gguf->metadata.entries()[i];
      const json::array& want = entries[i].as_array();
      EXPECT_EQ(entry.key, want[0].as_string());
      EXPECT_EQ(GgufTypeName(entry.value.type()), want[1].as_string()) << entry.key;
      EXPECT_EQ(json::Serialize(ToJson(entry.value)), json::Serialize(want[2])) << entry.key;
    }
    const json::object& tensors = expected.at("tensors").as_object();
    ExpectArrays(gguf->checkpoint, tensors);
    for (const ArrayInfo& array : gguf->checkpoint.arrays()) {
      EXPECT_EQ(array.offset, tensors.at(array.name).at("offset").to_number<uint64_t>());
    }
  }
}

TEST(Gguf, AnAlignmentOfItsOwnIsKept) {
  const auto gguf = ReadBytes(ReadTestFile(Golden() / "gguf" / "no_tensors.gguf"));
  ASSERT_OK(gguf);
  EXPECT_EQ(gguf->alignment, 128u);
  EXPECT_TRUE(gguf->checkpoint.arrays().empty());
}

TEST(Gguf, EveryTruncationOfAFileIsAnErrorThatNamesTheOffset) {
  const std::string bytes = ReadTestFile(Golden() / "gguf" / "all_types.gguf");
  ASSERT_OK(ReadBytes(bytes));
  const auto whole = ReadBytes(bytes);
  uint64_t end = 0;
  for (const ArrayInfo& array : whole->checkpoint.arrays()) end = std::max(end, array.offset + array.size);
  for (size_t size = 0; size < end; size++) {
    const auto gguf = ReadBytes(bytes.substr(0, size));
    ASSERT_FALSE(gguf) << size;
    EXPECT_EQ(gguf.error().code, ErrorCode::kCorrupt) << gguf.error().message;
    EXPECT_NE(gguf.error().message.find("m.gguf: "), std::string::npos);
    EXPECT_NE(gguf.error().message.find("offset"), std::string::npos) << gguf.error().message;
  }
}

TEST(Gguf, BigEndianFilesAreRefusedByName) {
  std::string bytes("GGUF\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
  const auto gguf = ReadBytes(bytes);
  ASSERT_FALSE(gguf);
  EXPECT_EQ(gguf.error().code, ErrorCode::kUnimplemented);
  EXPECT_NE(gguf.error().message.find("big-endian"), std::string::npos);
}

TEST(Gguf, LookupsAreTypedAndNameTheKey) {
  const auto gguf = ReadBytes(ReadTestFile(Golden() / "gguf" / "all_types.gguf"));
  ASSERT_OK(gguf);
  const GgufMetadata& metadata = gguf->metadata;
  EXPECT_EQ(metadata.GetInt("one.UINT8.1"), 255);
  EXPECT_EQ(metadata.GetInt("one.INT64.0"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(metadata.GetInt("none"), std::nullopt);
  EXPECT_EQ(metadata.GetFloat("one.INT8.0"), -128.0);
  EXPECT_EQ(metadata.GetBool("one.BOOL.0"), true);
  EXPECT_EQ(metadata.GetString("one.STRING.1"), "naïve");
  EXPECT_EQ(metadata.GetInts("many.UINT16"), (std::vector<int64_t>{0, 65535}));
  EXPECT_EQ(metadata.GetInts("one.UINT16.1"), std::vector<int64_t>{65535});
  EXPECT_EQ(metadata.GetFloats("many.INT8"), (std::vector<float>{-128, 127}));
  EXPECT_EQ((*metadata.NeedStrings("many.STRING"))->String(1), "naïve");
  EXPECT_EQ(*metadata.GetStrings("none"), nullptr);

  const auto message = [](const auto& result) { return result ? "no error" : result.error().message; };
  EXPECT_EQ(message(metadata.GetInt("one.UINT64.1")),
            "m.gguf: key \"one.UINT64.1\": expected an integer below 2^63, found u64");
  EXPECT_EQ(message(metadata.GetBool("one.UINT8.1")), "m.gguf: key \"one.UINT8.1\": expected a bool, found u8");
  EXPECT_EQ(message(metadata.GetString("many.INT8")),
            "m.gguf: key \"many.INT8\": expected a string, found array of 2 i8");
  EXPECT_EQ(message(metadata.GetStrings("many.INT8")),
            "m.gguf: key \"many.INT8\": expected an array of strings, found array of 2 i8");
  EXPECT_EQ(metadata.NeedInt("none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(message(metadata.NeedInt("none")), "m.gguf: key \"none\" is missing");
}

TEST(Gguf, MetadataCanBeChanged) {
  auto gguf = ReadBytes(ReadTestFile(Golden() / "gguf" / "all_types.gguf"));
  ASSERT_OK(gguf);
  GgufMetadata& metadata = gguf->metadata;
  const size_t count = metadata.entries().size();
  metadata.Set("a.new.key", GgufValue::U32(5));
  metadata.Set("one.BOOL.0", GgufValue::String("now a string"));
  metadata.Remove("one.UINT8.0");
  metadata.Remove("none");
  EXPECT_EQ(metadata.entries().size(), count);
  EXPECT_EQ(metadata.GetInt("a.new.key"), 5);
  EXPECT_EQ(metadata.GetString("one.BOOL.0"), "now a string");
  EXPECT_FALSE(metadata.Has("one.UINT8.0"));
  for (const GgufMetadata::Entry& entry : metadata.entries()) {
    EXPECT_EQ(metadata.Find(entry.key), &entry.value) << entry.key;
  }
}

TEST(Gguf, RealVocabulariesAreRead) {
  BOTHY_NEEDS_TEST_DATA();
  const auto folder = *TestData() / "kit" / "tokenizers" / "gguf-vocab";
  for (const auto& [name, tokens] :
       {std::pair{"ggml-vocab-llama-spm.gguf", 32000u}, std::pair{"ggml-vocab-gpt-2.gguf", 50257u},
        std::pair{"ggml-vocab-falcon.gguf", 65024u}}) {
    auto source = OpenFile(folder / name);
    ASSERT_OK(source);
    const auto gguf = ReadGguf(*std::move(source));
    ASSERT_OK(gguf);
    const auto strings = gguf->metadata.NeedStrings("tokenizer.ggml.tokens");
    ASSERT_OK(strings);
    EXPECT_EQ((*strings)->size(), tokens);
    EXPECT_EQ(gguf->metadata.GetInts("tokenizer.ggml.token_type")->value().size(), tokens);
  }
}

}  // namespace
}  // namespace bothy
