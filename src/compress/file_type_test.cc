#include "compress/file_type.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/testing.h"

namespace bothy {
namespace {

std::vector<std::string> Split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

struct Model {
  std::string name;
  ModelTraits traits;
  std::vector<ArrayInfo> arrays;
  std::vector<std::string> letters;  // of each array, one a file type
};

struct Table {
  std::vector<FileType> file_types;
  std::map<char, DType> types;
  std::vector<Model> models;
};

// tools/golden/file_types.py says what is in the file.
Table ReadTable() {
  Table table;
  std::istringstream file(ReadTestFile(Golden() / "file_types" / "types.tsv"));
  std::string line;
  std::getline(file, line);
  for (const std::string& name : Split(line, '\t')) table.file_types.push_back(FileTypeFromName(name).value());
  std::getline(file, line);
  for (const std::string& entry : Split(line, '\t')) table.types[entry[0]] = DTypeFromName(entry.substr(2)).value();
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = Split(line, '\t');
    const auto number = [&](size_t i) { return static_cast<uint32_t>(std::stoul(fields.at(i))); };
    if (fields[0] == "model") {
      table.models.push_back({fields.at(1), {fields.at(2), number(3), number(4), number(5), number(6)}, {}, {}});
      continue;
    }
    ArrayInfo array{.name = fields[0]};
    for (const std::string& size : Split(fields.at(1), 'x')) array.shape.push_back(std::stoull(size));
    table.models.back().arrays.push_back(array);
    table.models.back().letters.push_back(fields.at(2));
  }
  return table;
}

TEST(FileType, EveryArrayGetsTheTypeThatLlamaCppGivesIt) {
  const Table table = ReadTable();
  ASSERT_EQ(table.file_types.size(), FileTypes().size());
  ASSERT_GE(table.models.size(), 15u);
  for (const Model& model : table.models) {
    for (size_t f = 0; f < table.file_types.size(); f++) {
      const auto types = ChooseTypes(table.file_types[f], model.traits, model.arrays);
      ASSERT_OK(types);
      for (size_t i = 0; i < types->size(); i++) {
        EXPECT_EQ(DTypeName((*types)[i]), DTypeName(table.types.at(model.letters[i][f])))
            << model.name << ", " << InfoOf(table.file_types[f]).name << ": " << model.arrays[i].name;
      }
    }
  }
}

TEST(FileType, WhatMayNotBeQuantizedKeepsTheTypeItHas) {
  const std::vector<ArrayInfo> arrays = {{.name = "output_norm.weight", .dtype = DType::kBF16, .shape = {256}},
                                         {.name = "blk.0.attn_q.weight", .dtype = DType::kBF16, .shape = {2, 256}}};
  const auto types = ChooseTypes(FileType::kQ4_0, {.architecture = "llama", .layers = 1}, arrays);
  ASSERT_OK(types);
  EXPECT_EQ(*types, (std::vector<DType>{DType::kBF16, DType::kQ4_0}));
}

TEST(FileType, NamesAreFoundInAnyCaseAndPlainKIsMedium) {
  for (const FileTypeInfo& info : FileTypes()) EXPECT_EQ(FileTypeFromName(info.name), info.file_type);
  EXPECT_EQ(FileTypeFromName("q4_k_m"), FileType::kQ4_K_M);
  EXPECT_EQ(FileTypeFromName("Q4_K"), FileType::kQ4_K_M);
  EXPECT_EQ(FileTypeFromName("q3_k"), FileType::kQ3_K_M);
  EXPECT_EQ(FileTypeFromName("Q2_K_M"), std::nullopt);
  EXPECT_EQ(FileTypeFromName(""), std::nullopt);
}

TEST(FileType, LayersComeInTheOrderOfTheirNumbers) {
  EXPECT_TRUE(ComesBefore("token_embd.weight", "blk.0.attn_q.weight"));
  EXPECT_TRUE(ComesBefore("blk.2.ffn_up.weight", "blk.10.attn_q.weight"));
  EXPECT_TRUE(ComesBefore("blk.2.attn_q.weight", "blk.2.ffn_up.weight"));
  EXPECT_FALSE(ComesBefore("blk.2.attn_q.weight", "blk.2.attn_q.weight"));
  EXPECT_TRUE(ComesBefore("blk.99999999999.x", "blk.0.x"));  // no number of a layer
}

TEST(FileType, AnExpertsArrayWithoutItsLayerIsRefused) {
  const ModelTraits traits = {.architecture = "llama", .layers = 2, .experts = 8};
  const std::vector<ArrayInfo> nowhere = {{.name = "ffn_down_exps.weight", .shape = {8, 2, 256}}};
  const auto types = ChooseTypes(FileType::kQ4_K_M, traits, nowhere);
  ASSERT_FALSE(types);
  EXPECT_EQ(types.error().message, "array ffn_down_exps.weight: expected a name blk.N. with a layer N below 2");
  const std::vector<ArrayInfo> beyond = {{.name = "blk.2.ffn_down_exps.weight", .shape = {8, 2, 256}}};
  EXPECT_FALSE(ChooseTypes(FileType::kQ4_K_M, traits, beyond));
}

}  // namespace
}  // namespace bothy
