// A folder's tokenizer files as GGUF metadata. The input is tokenizer.json; after a zero byte, tokenizer_config.json.
#include "base/error.h"
#include "compress/hf_special_tokens.h"
#include "compress/hf_vocabulary.h"
#include "input.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  FolderInMemory::Files files = {{"tokenizer.json", TakePart(input)}};
  if (!input.empty()) files["tokenizer_config.json"] = input;
  const FolderInMemory folder(std::move(files));
  const auto tokenizer = ReadTokenizerFiles(folder);
  if (!tokenizer) return 0;
  GgufMetadata metadata;
  constexpr uint64_t kRows = 300;
  if (const auto added = AddVocabulary(*tokenizer, kRows, metadata); added) {
    CHECK(*metadata.GetString("tokenizer.ggml.model") == "none" ||
          (*metadata.NeedStrings("tokenizer.ggml.tokens"))->size() == kRows);
  }
  (void)AddSpecialTokens(*tokenizer, tokenizer->config, kRows, metadata);
  return 0;
}
