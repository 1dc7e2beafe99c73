// What a model's name says about it: "meta-llama/Llama-3.2-1B-Instruct" is the 1B of Llama 3.2, tuned to instructions.
// GGUF files carry these parts under general.*; the rules are those of llama.cpp's converter
// (gguf-py/gguf/metadata.py).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bothy {

struct ModelName {    // a part that the name does not tell is empty
  std::string title;  // for people: "Llama 3.2 1B Instruct"
  std::string organization;
  std::string basename;
  std::string finetune;
  std::string version;
  std::string size_label;
};

// `id` is "organization/name", or a name or folder alone. `parameters` (0: not known) tells sizes from other numbers: a
// "128K" in the name of a model of a billion parameters is its context.
ModelName ParseModelName(std::string_view id, uint64_t parameters);

// "135M", "1.1B", "8x7.0B": how a number of parameters is spoken of. `experts` 0 for a dense model, whose `parameters`
// are all; otherwise those of one expert and what all share.
std::string SizeLabel(uint64_t parameters, uint64_t experts);

}  // namespace bothy
