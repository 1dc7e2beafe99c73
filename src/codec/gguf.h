// Reads GGUF files, versions 2 and 3 (ggml/docs/gguf.md): metadata and a table of tensors. A split model's parts are
// put together by codec/model_files.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/byte_source.h"
#include "codec/checkpoint.h"
#include "codec/gguf_metadata.h"

namespace bothy {

struct Gguf {
  uint32_t version = 0;
  uint64_t alignment = 32;
  GgufMetadata metadata;
  Checkpoint checkpoint;  // shapes outermost first: the reverse of the file's order
};

// Reads everything but the tensors' data. Broken rules are kCorrupt; big-endian files, version 1, and element types
// that Bothy does not know are kUnimplemented.
Result<Gguf> ReadGguf(std::shared_ptr<const ByteSource> source);

// The number by which a GGUF tensor table names the type; nothing where the format has none for it.
std::optional<uint32_t> GgufTensorType(DType type);
std::optional<DType> DTypeFromGguf(uint32_t type);

}  // namespace bothy
