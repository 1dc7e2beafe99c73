// Reads and writes safetensors files (github.com/huggingface/safetensors, format.md; behaviour of version 0.8).
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "codec/array_writer.h"
#include "codec/checkpoint.h"

namespace bothy {

using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;  // "__metadata__", in the file's order

struct Safetensors {
  SafetensorsMetadata metadata;
  Checkpoint checkpoint;
};

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;  // the reference's own limit

// Reads the header. Broken rules are kCorrupt (two of one key among them, which the reference lets pass); types that
// Bothy has no elements for (F4, F6_E2M3, F6_E3M2, F8_E4M3FNUZ, F8_E5M2FNUZ) are kUnimplemented.
Result<Safetensors> ReadSafetensors(std::shared_ptr<const ByteSource> source);

// Arrays lie in the file in the reference's order, wider elements first, then by name; `produce` is called in that
// order with indexes into `arrays`. Quantized types are kInvalidArgument. Where anything fails no file is left and one
// of that name is as before.
Result<void> WriteSafetensors(const std::filesystem::path& path, const SafetensorsMetadata& metadata,
                              std::span<const ArraySpec> arrays, const ArrayProducer& produce);

}  // namespace bothy
