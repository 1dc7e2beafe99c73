// A folder's tokenizer files as GGUF metadata. The input is tokenizer.json; after a zero byte, tokenizer_config.json.
#include <cstdint>
#include <map>

#include "base/error.h"
#include "compress/hf_special_tokens.h"
#include "compress/hf_vocabulary.h"

namespace {

class FolderInMemory final : public bothy::Folder {
 public:
  explicit FolderInMemory(const std::map<std::string, std::string>& files)
      : Folder("folder", Names(files)), files_(files) {}

 private:
  static std::vector<std::string> Names(const std::map<std::string, std::string>& files) {
    std::vector<std::string> names;
    for (const auto& [name, content] : files) names.push_back(name);
    return names;
  }
  bothy::Result<std::unique_ptr<bothy::ByteSource>> OpenPlain(const std::string& file) const override {
    return bothy::MemorySource(file, std::string_view(files_.at(file)));
  }

  const std::map<std::string, std::string>& files_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = std::min(input.find('\0'), input.size());
  std::map<std::string, std::string> files = {{"tokenizer.json", std::string(input.substr(0, zero))}};
  if (zero < input.size()) files["tokenizer_config.json"] = input.substr(zero + 1);
  const FolderInMemory folder(files);
  const auto tokenizer = bothy::ReadTokenizerFiles(folder);
  if (!tokenizer) return 0;
  bothy::GgufMetadata metadata;
  constexpr uint64_t kRows = 300;
  if (const auto added = bothy::AddVocabulary(*tokenizer, kRows, metadata); added) {
    CHECK(*metadata.GetString("tokenizer.ggml.model") == "none" ||
          (*metadata.NeedStrings("tokenizer.ggml.tokens"))->size() == kRows);
  }
  (void)bothy::AddSpecialTokens(*tokenizer, tokenizer->config, kRows, metadata);
  return 0;
}
