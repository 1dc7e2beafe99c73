// The families of models that Bothy knows. A family is one file of this folder: it says BOTHY_MODEL_FAMILY(name) at the
// start of a line and defines that constant; the list is made from the folder's files when the build is configured.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "codec/model_files.h"
#include "models/language_model.h"

namespace bothy {

struct ModelFamily {
  std::string_view name;
  std::span<const std::string_view> model_types;    // "model_type" of config.json
  std::span<const std::string_view> architectures;  // "general.architecture" of GGUF
  Result<std::unique_ptr<LanguageModel>> (*load)(const ModelFiles& files, ThreadPool& pool, const LoadOptions& options);
};

std::span<const ModelFamily* const> ModelFamilies();

// The family of a checkpoint. kUnimplemented where it is of none that we know, with what it says of itself.
Result<const ModelFamily*> FindFamily(const ModelFiles& files);

// FindFamily and its load.
Result<std::unique_ptr<LanguageModel>> LoadLanguageModel(const ModelFiles& files, ThreadPool& pool,
                                                         const LoadOptions& options);

}  // namespace bothy

#define BOTHY_MODEL_FAMILY(family_name) constinit const bothy::ModelFamily bothy::families::family_name

namespace bothy::families {
#define BOTHY_MODEL_FAMILY_ENTRY(family_name) extern const ModelFamily family_name;
#include "model_families.inc"
#undef BOTHY_MODEL_FAMILY_ENTRY
}  // namespace bothy::families
