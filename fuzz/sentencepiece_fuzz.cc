// A folder with SentencePiece's model: a text, tokenizer_config.json and tokenizer.model, with zero bytes between.
#include "check_tokenizer.h"
#include "input.h"
#include "text/open_tokenizer.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  const std::string_view text = TakePart(input), config = TakePart(input);
  FolderInMemory::Files files = {{"tokenizer.model", input}};
  if (!config.empty()) files["tokenizer_config.json"] = config;
  if (const auto tokenizer = OpenTokenizer(FolderInMemory(std::move(files)))) CheckTokenizer(**tokenizer, text);
  return 0;
}
