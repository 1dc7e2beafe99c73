// A model folder as Hugging Face has them (config.json, arrays under transformers' names, tokenizer files) as the GGUF
// model it becomes: names, row order and metadata are those that llama.cpp's converter gives it (conversion/ of PyPI's
// llama-cpp-python 0.3.36).
#pragma once

#include "compress/gguf_model.h"

namespace bothy {

struct GgufConversion {
  GgufModel model;
  bool has_vocabulary = true;  // false: the folder has no tokenizer, and the file can only run on ids
};

// LLaMA, Mistral, Mixtral, Qwen 2 and Qwen 3. `files` has to outlive the result. kUnimplemented, with the key, for what
// GGUF cannot say; kCorrupt or kNotFound, with key or array, for what does not fit together.
Result<GgufConversion> GgufModelFromFolder(const ModelFiles& files);

}  // namespace bothy
