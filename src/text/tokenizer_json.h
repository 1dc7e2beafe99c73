// Reads tokenizer.json, the format of Hugging Face tokenizers.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer_parts.h"

namespace bothy {

class JsonView;

// Everything but what only tokenizer_config.json knows. `file` is for messages. kCorrupt with the key for what breaks
// the format, kUnimplemented for kinds of steps that nobody has heard of.
Result<Tokenizer::Parts> ReadTokenizerJson(std::string_view text, std::string_view file);

namespace internal {

// {"piece": id, ...}, the whole of a file.
Result<std::shared_ptr<PieceTable>> ReadPieces(std::string_view text, std::string_view file);

// The parts of tokenizer.json, by their "type". In tokenizer_json_steps.cc.

Result<NormalizerPtr> ReadNormalizer(const JsonView& json);

struct PreTokenizerSteps {
  std::vector<PreTokenizerPtr> steps;
  // The last step is ByteLevel, whose change of alphabet is left to the model where that works on bytes.
  bool ends_in_bytes = false;
};
Result<PreTokenizerSteps> ReadPreTokenizer(const JsonView& json);

Result<PostProcessor> ReadPostProcessor(const JsonView& json);
Result<std::vector<DecodeStep>> ReadDecoder(const JsonView& json);

}  // namespace internal
}  // namespace bothy
