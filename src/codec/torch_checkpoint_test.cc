#include "codec/torch_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/testing.h"
#include "codec/golden_arrays.h"
#include "codec/model_files.h"

namespace bothy {
namespace {

using testing::HasSubstr;

Result<Checkpoint> ReadFile(const std::filesystem::path& path) { return ReadTorchCheckpoint(TRY(OpenFile(path))); }

json::object Expected(const char* set) {  // tools/golden/torch_checkpoints.py says what there is
  return ReadGoldenJson("torch", "arrays.json").at(set).as_object();
}

TEST(TorchCheckpoint, HoldsWhatTorchSaved) {
  for (const char* file : {"zip.bin", "deflated.bin"}) {
    SCOPED_TRACE(file);
    const auto checkpoint = ReadFile(Golden() / "torch" / file);
    ASSERT_OK(checkpoint);
    ExpectArrays(*checkpoint, Expected("all"));
  }
}

TEST(TorchCheckpoint, TheFormatBeforeZipIsRead) {
  const auto checkpoint = ReadFile(Golden() / "torch" / "legacy.bin");
  ASSERT_OK(checkpoint);
  json::object expected = Expected("all");
  for (const char* name : {"type.F8_E4M3", "type.F8_E5M2", "type.F8_E8M0", "type.U16", "type.U32", "type.U64"})
    expected.erase(name);
  ExpectArrays(*checkpoint, expected);
}

TEST(TorchCheckpoint, TheModelOfATrainingCheckpointIsFound) {
  for (const char* file : {"protocol4.pt", "protocol5.pt"}) {
    SCOPED_TRACE(file);
    const auto checkpoint = ReadFile(Golden() / "torch" / file);
    ASSERT_OK(checkpoint);
    ExpectArrays(*checkpoint, Expected("small"));
  }
}

TEST(TorchCheckpoint, AnythingThatWouldRunCodeIsRefusedByName) {
  const auto checkpoint = ReadFile(Golden() / "torch" / "module.pt");
  ASSERT_FALSE(checkpoint);
  EXPECT_EQ(checkpoint.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(checkpoint.error().message, HasSubstr("module.pt:module/data.pkl: offset 2: "));
  EXPECT_THAT(checkpoint.error().message, HasSubstr("\"torch.nn.modules.linear.Linear\""));
}

TEST(TorchCheckpoint, AViewIsReadInPiecesOfAnySize) {
  const auto checkpoint = ReadFile(Golden() / "torch" / "zip.bin");
  ASSERT_OK(checkpoint);
  for (const char* name : {"views.permuted", "views.columns"}) {
    const ArrayInfo* array = checkpoint->Find(name);
    const std::string whole = ReadArray(*checkpoint, *array);
    for (uint64_t offset = 0; offset < array->size; offset += 7) {
      std::string part(std::min<uint64_t>(11, array->size - offset), '\0');
      ASSERT_OK(checkpoint->Read(*array, offset, std::as_writable_bytes(std::span(part))));
      EXPECT_EQ(part, whole.substr(offset, part.size()));
    }
  }
}

TEST(TorchCheckpoint, EveryTruncationIsAnErrorThatNamesTheFile) {
  for (const char* file : {"protocol4.pt", "legacy.bin"}) {
    const std::string bytes = ReadTestFile(Golden() / "torch" / file);
    for (size_t size = 0; size < bytes.size(); size++) {
      const auto checkpoint = ReadTorchCheckpoint(MemorySource("m.bin", std::string_view(bytes).substr(0, size)));
      ASSERT_FALSE(checkpoint) << file << " " << size;
      EXPECT_EQ(checkpoint.error().code, ErrorCode::kCorrupt) << checkpoint.error().message;
      EXPECT_THAT(checkpoint.error().message, HasSubstr("m.bin"));
    }
  }
}

void ExpectSame(const Checkpoint& a, const Checkpoint& b, const std::string& name, const std::string& other) {
  const ArrayInfo* array = a.Find(name);
  const ArrayInfo* second = b.Find(other);
  ASSERT_TRUE(array != nullptr && second != nullptr) << name << " " << other;
  EXPECT_EQ(array->shape, second->shape) << name;
  EXPECT_EQ(ReadArray(a, *array), ReadArray(b, *second)) << name;
}

TEST(TorchCheckpoint, RealFoldersEqualTheirSafetensors) {
  BOTHY_NEEDS_TEST_DATA();
  const auto golden = *TestData() / "golden";
  const auto gpt2 = OpenModelFiles(golden / "gpt2");
  const auto gpt2_torch = OpenModelFiles(golden / "gpt2" / "torch");
  ASSERT_OK(gpt2);
  ASSERT_OK(gpt2_torch);
  EXPECT_EQ(gpt2_torch->format, "pytorch");
  for (const ArrayInfo& array : gpt2->checkpoint.arrays()) {  // without prefix, as in GPT-2's own repository
    const std::string prefix = "transformer.";
    if (!array.name.starts_with(prefix)) continue;
    ExpectSame(gpt2->checkpoint, gpt2_torch->checkpoint, array.name, array.name.substr(prefix.size()));
  }
  const auto bert = OpenModelFiles(golden / "bert-mlm");
  const auto bert_torch = OpenModelFiles(golden / "bert-mlm" / "legacy");
  ASSERT_OK(bert);
  ASSERT_OK(bert_torch);
  for (const ArrayInfo& array : bert->checkpoint.arrays()) {
    std::string other = array.name;
    for (const auto& [ours, theirs] :
         {std::pair{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}}) {
      if (const size_t at = other.find(ours); at != std::string::npos) other.replace(at, std::string::npos, theirs);
    }
    ExpectSame(bert->checkpoint, bert_torch->checkpoint, array.name, other);
  }
}

}  // namespace
}  // namespace bothy
