#include "text/open_tokenizer.h"

#include "text/tokenizer_json.h"

namespace bothy {
namespace {

constexpr uint64_t kMaxFile = 256 << 20;  // Gemma's 33 MB are the largest known

}  // namespace

Result<std::unique_ptr<Tokenizer>> TokenizerFromFile(const ByteSource& file) {
  const std::string text = TRY(file.ReadAll(kMaxFile));
  return Tokenizer::Create(TRY(ReadTokenizerJson(text, file.name())));
}

}  // namespace bothy
