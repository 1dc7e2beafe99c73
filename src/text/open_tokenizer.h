// Makes a tokenizer of what a model's files hold.
#pragma once

#include <memory>

#include "base/byte_source.h"
#include "base/error.h"
#include "codec/gguf_metadata.h"
#include "text/tokenizer.h"

namespace bothy {

// From the keys tokenizer.ggml.* of a GGUF file. kNotFound where it has none.
Result<std::unique_ptr<Tokenizer>> TokenizerFromGguf(const GgufMetadata& metadata);

// From one file: a tokenizer.json.
Result<std::unique_ptr<Tokenizer>> TokenizerFromFile(const ByteSource& file);

}  // namespace bothy
