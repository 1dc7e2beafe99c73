// Makes a tokenizer of what a model's files hold.
#pragma once

#include <filesystem>
#include <memory>

#include "base/byte_source.h"
#include "base/error.h"
#include "codec/folder.h"
#include "codec/gguf_metadata.h"
#include "codec/model_files.h"
#include "text/tokenizer.h"

namespace bothy {

// The tokenizer that came with a model.
Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const ModelFiles& files);

// Of a folder that holds a model or only a tokenizer: tokenizer.json, or SentencePiece's model, or vocab.json and
// merges.txt, or what else there is, with what tokenizer_config.json and its like say besides. kNotFound where there is
// nothing of the kind.
Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const Folder& folder);

// Of a path: a folder; a GGUF file; a tokenizer's file, whose format shows in its content and which is taken alone.
Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const std::filesystem::path& path);

// One file of a tokenizer, of any format that is one file: tokenizer.json, tokenizer.model, a tiktoken file of ranks,
// encoder.json, tekken.json, llama2.c's tokenizer.bin, vocab.txt.
Result<std::unique_ptr<Tokenizer>> TokenizerFromFile(const ByteSource& file);

// From the keys tokenizer.ggml.* of a GGUF file. kNotFound where it has none.
Result<std::unique_ptr<Tokenizer>> TokenizerFromGguf(const GgufMetadata& metadata);

}  // namespace bothy
