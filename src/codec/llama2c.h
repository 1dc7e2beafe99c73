// Reads the .bin files of llama2.c (github.com/karpathy/llama2.c, export.py): version 0, without a header's magic, and
// versions 1 (f32) and 2 (8 bits in groups).
#pragma once

#include <memory>

#include "base/byte_source.h"
#include "codec/checkpoint.h"
#include "codec/json.h"

namespace bothy {

// Arrays have the names and shapes of a Hugging Face LLaMA and the configuration is its config.json, but the rows of q
// and k are in pairs, as for interleaved rotary embedding. Version 2's arrays are f32, computed when they are first
// read.
struct Llama2c {
  json::object config;
  Checkpoint checkpoint;
};

// The file's size has to be exactly what its header asks for: version 0 has nothing else to be known by.
Result<Llama2c> ReadLlama2c(std::shared_ptr<const ByteSource> source);

}  // namespace bothy
