// Tokenizers that are one file of a kind that shows in its content: tiktoken's ranks, tekken.json, encoder.json,
// vocab.txt, llama2.c's tokenizer.bin. The input is a text and the file, with a zero byte between.
#include "check_tokenizer.h"
#include "input.h"
#include "text/open_tokenizer.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  const std::string_view text = TakePart(input);
  if (const auto tokenizer = TokenizerFromFile(*MemorySource("input", input))) CheckTokenizer(**tokenizer, text);
  return 0;
}
