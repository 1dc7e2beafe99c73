// The vocabulary of a model folder as GGUF metadata (tokenizer.ggml.*): pieces, their kinds, merges or scores, and
// which rules cut the text. What llama.cpp's converter writes (conversion/base.py, gguf-py/gguf/vocab.py), but for
// scores, see below.
#pragma once

#include "codec/gguf_metadata.h"
#include "compress/hf_tokenizer_files.h"

namespace bothy {

// From tokenizer.json (byte-level BPE, or BPE with byte fallback as LLaMA 2 has it), or vocab.json and merges.txt.
// `rows` is how many tokens the model has embeddings for; ids past that cannot be used and are left out, ids without a
// piece are filled up. False where the folder has no tokenizer at all: tokenizer.ggml.model is then "none".
// kUnimplemented for other kinds of tokenizers, and where text is cut in a way that GGUF has no name for.
//
// Where a vocabulary has merges but the format asks for scores (byte fallback), a piece's score is its merge's rank,
// negative, so that the best score is merged first, as the merges say. (The converter has -1000 for all, with which
// merges come in the order of the text.)
Result<bool> AddVocabulary(const TokenizerFiles& files, uint64_t rows, GgufMetadata& metadata);

}  // namespace bothy
