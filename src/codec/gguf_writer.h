// Writes GGUF files, version 3, tensor by tensor.
#pragma once

#include <filesystem>
#include <span>

#include "codec/array_writer.h"
#include "codec/gguf_metadata.h"

namespace bothy {

// Tensors lie in the file in the order given. "general.alignment" of the metadata is kept to (32 without it). What GGUF
// cannot hold is kInvalidArgument: names over 63 bytes, more than 4 dimensions (ggml's limits), types without a number.
// Where anything fails no file is left and one of that name is as before.
Result<void> WriteGguf(const std::filesystem::path& path, const GgufMetadata& metadata,
                       std::span<const ArraySpec> tensors, const ArrayProducer& produce);

}  // namespace bothy
