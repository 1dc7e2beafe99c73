// Reads the parameters of rotary embedding from config.json and from GGUF metadata.
#pragma once

#include "codec/gguf_metadata.h"
#include "codec/json.h"
#include "nn/rope.h"

namespace bothy {

// config.json of any family that follows LLaMA's keys, in the form of transformers 5 ("rope_parameters") or of 4
// ("rope_theta", "rope_scaling", "original_max_position_embeddings"). `head_dim` times "partial_rotary_factor" is
// rotated.
Result<RopeConfig> RopeConfigFromJson(const json::object& config, size_t head_dim);

// Keys "ARCHITECTURE.rope.*"; `context_length` as "ARCHITECTURE.context_length".
Result<RopeConfig> RopeConfigFromGguf(const GgufMetadata& metadata, std::string_view architecture, size_t head_dim,
                                      size_t context_length);

}  // namespace bothy
