#include "codec/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/testing.h"
#include "codec/gguf_writer.h"
#include "codec/safetensors.h"
#include "codec/shards.h"

namespace bothy {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A folder to put small models into. Every array is four f32 of the value that its name's last letter has.
class ModelFolder {
 public:
  std::filesystem::path operator/(const char* file) const { return folder_.path() / file; }
  const std::filesystem::path& path() const { return folder_.path(); }

  void Text(const char* file, const std::string& text) const { std::ofstream(folder_.path() / file) << text; }

  void Safetensors(const char* file, const std::vector<std::string>& names) const {
    ASSERT_OK(WriteSafetensors(folder_.path() / file, {}, Specs(names), Producer(names)));
  }

  void Gguf(const char* file, const std::vector<std::string>& names, int part = 0, int count = 0, int total = 0) const {
    GgufMetadata metadata;
    metadata.Set("general.architecture", GgufValue::String("test"));
    metadata.Set("general.name", GgufValue::String(file));
    if (count > 0) {
      metadata.Set("split.no", GgufValue::U32(static_cast<uint32_t>(part)));
      metadata.Set("split.count", GgufValue::U32(static_cast<uint32_t>(count)));
      metadata.Set("split.tensors.count", GgufValue::I32(total));
    }
    ASSERT_OK(WriteGguf(folder_.path() / file, metadata, Specs(names), Producer(names)));
  }

 private:
  static std::vector<ArraySpec> Specs(const std::vector<std::string>& names) {
    std::vector<ArraySpec> specs;
    for (const std::string& name : names) specs.push_back({name, DType::kF32, {4}});
    return specs;
  }
  static ArrayProducer Producer(const std::vector<std::string>& names) {
    return [&names](size_t index, ArraySink& sink) {
      const std::vector<float> values(4, static_cast<float>(names[index].back()));
      return sink.Write(std::as_bytes(std::span(values)));
    };
  }

  TemporaryFolder folder_;
};

// The names of all arrays; each array's content is checked.
std::vector<std::string> Names(const Result<ModelFiles>& files) {
  std::vector<std::string> names;
  if (!files) {
    ADD_FAILURE() << files.error().message;
    return names;
  }
  for (const ArrayInfo& array : files->checkpoint.arrays()) {
    std::vector<float> values(4);
    EXPECT_OK(files->checkpoint.Read(array, 0, std::as_writable_bytes(std::span(values))));
    EXPECT_EQ(values, std::vector<float>(4, static_cast<float>(array.name.back())));
    names.push_back(array.name);
  }
  return names;
}

std::string Message(const Result<ModelFiles>& files) { return files ? "no error" : files.error().message; }

TEST(ModelFiles, AFolderInTheHuggingFaceLayoutIsOpenedWithItsConfigs) {
  const ModelFolder folder;
  folder.Safetensors("model.safetensors", {"a", "b"});
  folder.Text("config.json", R"({"model_type": "llama"})");
  folder.Text("generation_config.json", R"({"top_k": 5})");
  const auto files = OpenModelFiles(folder.path());
  EXPECT_EQ(Names(files), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(files->format, "safetensors");
  EXPECT_EQ(*json::GetString(*files->config, "model_type"), "llama");
  EXPECT_EQ(*json::GetInt(*files->generation_config, "top_k"), 5);
  EXPECT_TRUE(files->folder->Has("config.json"));
  const auto by_file = OpenModelFiles(folder / "model.safetensors");
  EXPECT_EQ(Names(by_file), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(*json::GetString(*by_file->config, "model_type"), "llama");
}

TEST(ModelFiles, ShardsAreReadAsTheIndexSays) {
  const ModelFolder folder;
  folder.Safetensors("one.safetensors", {"a", "x"});
  folder.Safetensors("two.safetensors", {"b", "x"});  // x is in both, the index takes one
  folder.Text(
      "other.safetensors.index.json",
      R"({"metadata": {}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors", "x": "one.safetensors"}})");
  EXPECT_EQ(Names(OpenModelFiles(folder.path())), (std::vector<std::string>{"a", "b", "x"}));
  EXPECT_EQ(Names(OpenModelFiles(folder / "other.safetensors.index.json")).size(), 3u);
}

TEST(ModelFiles, AnIndexThatPromisesTooMuchIsNamed) {
  const ModelFolder folder;
  folder.Safetensors("one.safetensors", {"a"});
  const auto message = [&](const std::string& map) {
    folder.Text("model.safetensors.index.json", "{\"weight_map\": " + map + "}");
    return Message(OpenModelFiles(folder.path()));
  };
  EXPECT_THAT(message(R"({"b": "one.safetensors"})"), AllOf(HasSubstr("model.safetensors.index.json"),
                                                            HasSubstr("expected array \"b\" in \"one.safetensors\"")));
  EXPECT_THAT(message(R"({"b": "three.safetensors"})"),
              AllOf(HasSubstr("model.safetensors.index.json"), HasSubstr("there is no file \"three.safetensors\"")));
  EXPECT_THAT(message(R"({"b": "../one.safetensors"})"), HasSubstr("expected the plain name of a file"));
  EXPECT_THAT(message(R"({"b": 1})"), HasSubstr("\"b\": expected the name of a file"));
  EXPECT_THAT(message("5"), HasSubstr("key \"weight_map\": expected an object"));
}

TEST(ModelFiles, AFolderWithOneGgufIsThatModel) {
  const ModelFolder folder;
  folder.Gguf("m.gguf", {"a"});
  folder.Text("README.md", "text");
  const auto files = OpenModelFiles(folder.path());
  EXPECT_EQ(Names(files), std::vector<std::string>{"a"});
  EXPECT_EQ(files->format, "gguf");
  EXPECT_FALSE(files->config);
  EXPECT_EQ(files->gguf->GetString("general.architecture"), "test");
  folder.Gguf("n.gguf", {"a"});
  const auto several = OpenModelFiles(folder.path());
  EXPECT_EQ(several.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(Message(several), HasSubstr("several models in this folder, name one of them: m.gguf, n.gguf"));
  EXPECT_EQ(Names(OpenModelFiles(folder / "n.gguf")), std::vector<std::string>{"a"});
}

TEST(ModelFiles, AnyPartOpensTheWholeOfASplitGguf) {
  const ModelFolder folder;
  folder.Gguf("m-00001-of-00003.gguf", {"c"}, 0, 3, 4);
  folder.Gguf("m-00002-of-00003.gguf", {"a", "d"}, 1, 3, 4);
  folder.Gguf("m-00003-of-00003.gguf", {"b"}, 2, 3, 4);
  for (const char* name : {"", "m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"}) {
    const auto files = OpenModelFiles(folder / name);
    EXPECT_EQ(Names(files), (std::vector<std::string>{"a", "b", "c", "d"})) << name;
    EXPECT_EQ(files->gguf->GetString("general.name"), "m-00001-of-00003.gguf");
  }
}

TEST(ModelFiles, ASplitGgufWithAWrongOrMissingPartIsNamed) {
  const ModelFolder folder;
  folder.Gguf("m-00001-of-00002.gguf", {"a"}, 0, 2, 2);
  EXPECT_THAT(Message(OpenModelFiles(folder.path())), HasSubstr("there is no file \"m-00002-of-00002.gguf\""));
  folder.Gguf("m-00002-of-00002.gguf", {"b"}, 0, 2, 2);
  EXPECT_THAT(Message(OpenModelFiles(folder.path())),
              HasSubstr("m-00002-of-00002.gguf: keys \"split.no\", \"split.count\": expected 1, 2, found 0, 2"));
  folder.Gguf("m-00002-of-00002.gguf", {"a"}, 1, 2, 2);
  EXPECT_THAT(Message(OpenModelFiles(folder.path())), HasSubstr("array \"a\" is there twice"));
  folder.Gguf("m-00002-of-00002.gguf", {"b", "c"}, 1, 2, 2);
  EXPECT_THAT(Message(OpenModelFiles(folder.path())),
              HasSubstr("key \"split.tensors.count\": expected 2 tensors in all parts, found 3"));
  folder.Gguf("renamed.gguf", {"a"}, 0, 2, 2);
  EXPECT_THAT(Message(OpenModelFiles(folder / "renamed.gguf")),
              HasSubstr("only with the name \"NAME-00001-of-00002.gguf\""));
}

TEST(ModelFiles, WhatIsNoModelSaysWhatWasLookedFor) {
  const ModelFolder folder;
  folder.Text("config.json", "{}");
  const auto empty = OpenModelFiles(folder.path());
  EXPECT_EQ(empty.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(Message(empty), HasSubstr("looked for model.safetensors"));
  EXPECT_EQ(OpenModelFiles(folder / "none").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(Message(OpenModelFiles(folder / "none")), HasSubstr("there is no such file or folder"));
  EXPECT_THAT(Message(OpenModelFiles(folder / "config.json")),
              HasSubstr("config.json: offset 0: expected the start of"));
  folder.Text("config.json", "[]");
  folder.Safetensors("model.safetensors", {"a"});
  EXPECT_THAT(Message(OpenModelFiles(folder.path())), HasSubstr("config.json: expected a JSON object"));
}

TEST(ModelFiles, AGitLfsPointerIsCalledByItsName) {
  const ModelFolder folder;
  for (const char* file : {"model.safetensors", "m.gguf", "pytorch_model.bin"}) {
    folder.Text(file, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n");
    const auto files = OpenModelFiles(folder / file);
    EXPECT_EQ(files.error().code, ErrorCode::kFailedPrecondition);
    EXPECT_THAT(Message(files), AllOf(HasSubstr(file), HasSubstr("git lfs pull")));
  }
}

TEST(ModelFiles, SplitNamesAreTakenApart) {
  const auto name = ParseSplitName("a-b-00002-of-00010.gguf");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->prefix, "a-b");
  EXPECT_EQ(name->part, 2u);
  EXPECT_EQ(name->count, 10u);
  EXPECT_EQ(name->Part(10), "a-b-00010-of-00010.gguf");
  for (const char* other : {"a.gguf", "a-0002-of-00010.gguf", "a-00003-of-00002.gguf", "a-00000-of-00002.gguf",
                            "a-00001-of-00002.bin", "a-00001-of-0000x.gguf", "-00001-of.gguf", ".gguf"}) {
    EXPECT_FALSE(ParseSplitName(other)) << other;
  }
}

TEST(ModelFiles, RealShardsEqualTheWhole) {
  BOTHY_NEEDS_TEST_DATA();
  const auto whole = OpenModelFiles(*TestData() / "golden" / "llama");
  const auto shards = OpenModelFiles(*TestData() / "golden" / "llama" / "sharded");
  ASSERT_OK(whole);
  ASSERT_OK(shards);
  ASSERT_EQ(whole->checkpoint.arrays().size(), shards->checkpoint.arrays().size());
  for (const ArrayInfo& array : whole->checkpoint.arrays()) {
    const ArrayInfo* other = shards->checkpoint.Find(array.name);
    ASSERT_NE(other, nullptr) << array.name;
    ASSERT_EQ(other->size, array.size);
    std::vector<std::byte> a(array.size), b(array.size);
    ASSERT_OK(whole->checkpoint.Read(array, 0, a));
    ASSERT_OK(shards->checkpoint.Read(*other, 0, b));
    EXPECT_EQ(a, b) << array.name;
  }
}

}  // namespace
}  // namespace bothy
