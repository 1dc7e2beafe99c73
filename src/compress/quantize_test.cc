#include "compress/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "base/testing.h"
#include "codec/gguf_writer.h"
#include "compress/golden_values.h"

namespace bothy {
namespace {

struct Expected {
  ArraySpec array;
  std::vector<std::pair<DType, uint64_t>> stored;  // type and hash for each file type
};

struct Table {
  std::vector<FileType> file_types;
  std::vector<Expected> arrays;
};

// tools/golden/quantize_model.py says what is in the file.
Table ReadTable() {
  Table table;
  std::istringstream file(ReadTestFile(Golden() / "quantize_model" / "hashes.tsv"));
  std::string line;
  std::getline(file, line);
  std::istringstream names(line);
  for (std::string name; names >> name;) table.file_types.push_back(FileTypeFromName(name).value());
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    Expected& expected = table.arrays.emplace_back();
    std::string dtype, shape, hash;
    fields >> expected.array.name >> dtype >> shape;
    expected.array.dtype = DTypeFromName(dtype).value();
    std::istringstream sizes(shape);
    for (std::string size; std::getline(sizes, size, 'x');) expected.array.shape.push_back(std::stoull(size));
    while (fields >> dtype >> hash) {
      expected.stored.emplace_back(DTypeFromName(dtype).value(), std::stoull(hash, nullptr, 16));
    }
  }
  return table;
}

GgufMetadata SmallModel() {
  GgufMetadata metadata;
  metadata.Set("general.architecture", GgufValue::String("llama"));
  metadata.Set("llama.block_count", GgufValue::U32(3));
  metadata.Set("llama.attention.head_count", GgufValue::U32(4));
  metadata.Set("llama.attention.head_count_kv", GgufValue::U32(1));
  metadata.Set("tokenizer.ggml.model", GgufValue::String("none"));
  metadata.Set("split.count", GgufValue::U32(1));
  return metadata;
}

// Writes the arrays with their GoldenValues, and opens what was written. `change` may spoil the values of an array.
Result<ModelFiles> MakeModel(const std::filesystem::path& path, const std::vector<ArraySpec>& arrays,
                             const std::function<void(size_t, std::vector<float>&)>& change = {}) {
  TRY(WriteGguf(path, SmallModel(), arrays, GoldenProducer(arrays, change)));
  return OpenModelFiles(path);
}

Result<QuantizeSummary> QuantizeTo(const ModelFiles& files, const std::filesystem::path& path, FileType file_type,
                                   int threads = 1) {
  ThreadPool pool(threads);
  const GgufModel model = TRY(GgufModelFromGguf(files));
  return WriteModel(model, files, path, pool, {.file_type = file_type});
}

std::string BytesOf(const ModelFiles& files, const ArrayInfo& array) {
  std::string bytes(array.size, '\0');
  EXPECT_TRUE(files.checkpoint.Read(array, 0, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

TEST(WriteModel, GivesTheArraysOfLlamaCppInEveryFileType) {
  const TemporaryFolder folder;
  const Table table = ReadTable();
  ASSERT_EQ(table.file_types.size(), FileTypes().size());
  std::vector<ArraySpec> arrays;
  for (const Expected& expected : table.arrays) arrays.push_back(expected.array);
  const auto source = MakeModel(folder.path() / "source.gguf", arrays);
  ASSERT_OK(source);
  for (size_t f = 0; f < table.file_types.size(); f++) {
    const auto path = folder.path() / "out.gguf";
    ASSERT_OK(QuantizeTo(*source, path, table.file_types[f], 2));
    const auto out = OpenModelFiles(path);
    ASSERT_OK(out);
    for (const Expected& expected : table.arrays) {
      const auto array = out->checkpoint.Get(expected.array.name);
      ASSERT_OK(array);
      EXPECT_EQ((*array)->shape, expected.array.shape);
      EXPECT_EQ(DTypeName((*array)->dtype), DTypeName(expected.stored[f].first)) << expected.array.name;
      EXPECT_EQ(GoldenHash(BytesOf(*out, **array)), expected.stored[f].second)
          << expected.array.name << " in " << InfoOf(table.file_types[f]).name;
    }
  }
}

TEST(WriteModel, KeepsTheMetadataAndSaysWhatTheFileIsNow) {
  const TemporaryFolder folder;
  const auto source = MakeModel(folder.path() / "source.gguf", {{"output.weight", DType::kF32, {2, 256}}});
  ASSERT_OK(source);
  ASSERT_OK(QuantizeTo(*source, folder.path() / "out.gguf", FileType::kQ5_K_M));
  const auto out = OpenModelFiles(folder.path() / "out.gguf");
  ASSERT_OK(out);
  EXPECT_EQ(out->gguf->GetString("tokenizer.ggml.model").value(), "none");
  EXPECT_EQ(out->gguf->GetInt("general.file_type").value(), 17);
  EXPECT_EQ(out->gguf->GetInt("general.quantization_version").value(), 2);
  EXPECT_FALSE(out->gguf->Has("split.count"));
}

TEST(WriteModel, TheNumberOfThreadsChangesNothing) {
  const TemporaryFolder folder;
  // More than a slab of chunks, and a last one that is not full.
  const auto source = MakeModel(folder.path() / "source.gguf", {{"blk.0.attn_q.weight", DType::kBF16, {8209, 512}},
                                                                {"output.weight", DType::kF32, {3, 256}}});
  ASSERT_OK(source);
  ASSERT_OK(QuantizeTo(*source, folder.path() / "one.gguf", FileType::kQ4_0, 1));
  ASSERT_OK(QuantizeTo(*source, folder.path() / "three.gguf", FileType::kQ4_0, 3));
  EXPECT_TRUE(ReadTestFile(folder.path() / "one.gguf") == ReadTestFile(folder.path() / "three.gguf"));
}

TEST(WriteModel, CountsWhatItDid) {
  const TemporaryFolder folder;
  const auto source = MakeModel(folder.path() / "source.gguf", {{"blk.0.attn_q.weight", DType::kQ4_0, {4, 256}},
                                                                {"blk.1.attn_q.weight", DType::kQ8_0, {4, 256}},
                                                                {"output_norm.weight", DType::kF32, {256}}});
  ASSERT_OK(source);
  const auto summary = QuantizeTo(*source, folder.path() / "out.gguf", FileType::kQ8_0);
  ASSERT_OK(summary);
  EXPECT_EQ(summary->parameters, 2304u);
  EXPECT_EQ(summary->source_bytes, 4u * 144 + 4 * 272 + 1024);
  EXPECT_EQ(summary->bytes, 8u * 272 + 1024);
  EXPECT_EQ(summary->requantized, 1u);
  EXPECT_EQ(summary->arrays, (std::map<DType, uint64_t>{{DType::kF32, 1}, {DType::kQ8_0, 2}}));
}

TEST(WriteModel, AWeightThatIsNoNumberIsNamedWithItsRow) {
  const TemporaryFolder folder;
  const auto spoiled = [&](DType stored, FileType file_type, float value) {
    const std::vector<ArraySpec> arrays = {{"blk.0.attn_q.weight", stored, {600, 256}}};
    const auto source = MakeModel(folder.path() / "source.gguf", arrays,
                                  [&](size_t, std::vector<float>& values) { values[517 * 256 + 3] = value; });
    EXPECT_OK(source);
    const auto summary = QuantizeTo(*source, folder.path() / "out.gguf", file_type, 2);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "out.gguf"));
    return summary ? "" : summary.error().message.substr(source->name.size());
  };
  const std::string place = ": array \"blk.0.attn_q.weight\", row 517, column 3: ";
  const std::string no_number = place + "expected a finite number, found ";
  EXPECT_EQ(spoiled(DType::kF32, FileType::kQ4_K_M, NAN), no_number + "nan");
  EXPECT_EQ(spoiled(DType::kF32, FileType::kQ8_0, -INFINITY), no_number + "-inf");
  EXPECT_EQ(spoiled(DType::kBF16, FileType::kF16, NAN), no_number + "nan");
  EXPECT_EQ(spoiled(DType::kF16, FileType::kF16, INFINITY), no_number + "inf");  // copied, and looked at all the same
  EXPECT_EQ(spoiled(DType::kF32, FileType::kF16, 1e6f), place + "1000000 is too large for F16");
  EXPECT_EQ(spoiled(DType::kF32, FileType::kQ6_K, 1e9f), place + "1000000000 is too large for Q6_K");
  EXPECT_EQ(spoiled(DType::kF32, FileType::kQ3_K_S, 1e30f), place + "1e+30 is too large for Q3_K");
}

TEST(WriteModel, WhereItIsEndedNothingIsLeftAndWhatWasThereStays) {
  const TemporaryFolder folder;
  const auto source = MakeModel(folder.path() / "source.gguf", {{"output.weight", DType::kF32, {8, 256}}});
  ASSERT_OK(source);
  ASSERT_OK(QuantizeTo(*source, folder.path() / "out.gguf", FileType::kF16));
  const std::string before = ReadTestFile(folder.path() / "out.gguf");
  ThreadPool pool(1);
  const auto model = GgufModelFromGguf(*source);
  ASSERT_OK(model);
  uint64_t total_seen = 0;
  const auto summary = WriteModel(*model, *source, folder.path() / "out.gguf", pool,
                                  {.file_type = FileType::kQ8_0, .progress = [&](uint64_t, uint64_t total) {
                                     total_seen = total;
                                     return false;
                                   }});
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(total_seen, 8192u);
  EXPECT_TRUE(ReadTestFile(folder.path() / "out.gguf") == before);
  const std::filesystem::directory_iterator entries(folder.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 2);
}

TEST(WriteModel, AFileMayBecomeItsOwnSource) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.gguf";
  const auto source = MakeModel(path, {{"blk.0.attn_q.weight", DType::kF32, {8, 256}}});
  ASSERT_OK(source);
  ASSERT_OK(QuantizeTo(*source, path, FileType::kQ8_0));
  const auto out = OpenModelFiles(path);
  ASSERT_OK(out);
  EXPECT_EQ(out->checkpoint.Find("blk.0.attn_q.weight")->dtype, DType::kQ8_0);
}

}  // namespace
}  // namespace bothy
