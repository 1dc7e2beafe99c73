// A model as a GGUF file holds it: metadata, arrays under GGUF's names, and where their values come from. Made from a
// GGUF file, or from a folder as Hugging Face has them (compress/hugging_face.h); compress/quantize.h writes it.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/gguf_metadata.h"
#include "codec/model_files.h"
#include "compress/file_type.h"

namespace bothy {

struct ModelArray {
  // Name, shape, and the type that the array keeps where it must not be quantized.
  ArrayInfo info;
  // What is stored: one array, or several of the same shape that are stacked to one (experts). Empty for `values`.
  std::vector<const ArrayInfo*> parts;
  // Not 0: the rows belong to that many heads, and of each head the two halves are interleaved (row i of both halves
  // become rows 2 i and 2 i + 1), which is how GGUF's llama architecture has q and k.
  uint64_t interleaved_heads = 0;
  std::vector<float> values;  // of an array that is made, not read
};

struct GgufModel {
  GgufMetadata metadata;
  ModelTraits traits;
  std::vector<ModelArray> arrays;  // in the order of the file
};

// From the metadata and arrays of a GGUF file, of any architecture; its parts of a split model are one here. `files`
// has to outlive the result.
Result<GgufModel> GgufModelFromGguf(const ModelFiles& files);

// The traits that ChooseTypes asks for, from a GGUF file's metadata.
Result<ModelTraits> TraitsOf(const GgufMetadata& metadata);

}  // namespace bothy
