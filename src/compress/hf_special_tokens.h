// Which tokens begin and end a text, whether they are put there, and the chat template: from a model folder's files to
// GGUF metadata, as llama.cpp's converter reads them (gguf-py/gguf/vocab.py).
#pragma once

#include "codec/gguf_metadata.h"
#include "compress/hf_tokenizer_files.h"

namespace bothy {

// From tokenizer.json, tokenizer_config.json, chat_template.jinja or chat_template.json, and config.json (`config`).
Result<void> AddSpecialTokens(const TokenizerFiles& files, const json::object& config, uint64_t rows,
                              GgufMetadata& metadata);

}  // namespace bothy
