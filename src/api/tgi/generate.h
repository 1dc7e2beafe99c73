// Text Generation Inference's POST /generate, /generate_stream and /, and the Hub's text-generation task, asked:
// https://huggingface.github.io/text-generation-inference (3.3), huggingface_hub's text_generation.
#pragma once

#include "codec/json.h"
#include "serve/answer.h"

namespace bothy::api::tgi {

// How a route wants it.
enum class Route {
  kGenerate,  // an object
  kStream,    // always a stream
  kTask,      // / and /models/{id}: a list; a stream where "stream" says so; the prompt is part of the text
};
Result<serve::Exchange> ParseGenerate(const json::object& body, Route route);

}  // namespace bothy::api::tgi
