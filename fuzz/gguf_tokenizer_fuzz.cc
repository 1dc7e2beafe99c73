// The tokenizer and the chat template in a GGUF file's metadata. The input is a text and the file, with a zero byte
// between.
#include "check_tokenizer.h"
#include "codec/gguf.h"
#include "input.h"
#include "text/open_tokenizer.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  const std::string_view text = TakePart(input);
  const auto gguf = ReadGguf(MemorySource("input", input));
  if (!gguf) return 0;
  if (const auto tokenizer = TokenizerFromGguf(gguf->metadata)) CheckTokenizer(**tokenizer, text);
  return 0;
}
