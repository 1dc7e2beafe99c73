#include "models/families.h"

#include <algorithm>

#include "codec/json.h"

namespace bothy {

std::span<const ModelFamily* const> ModelFamilies() {
  static constexpr const ModelFamily* kFamilies[] = {
#define BOTHY_MODEL_FAMILY_ENTRY(family_name) &families::family_name,
#include "model_families.inc"
#undef BOTHY_MODEL_FAMILY_ENTRY
  };
  return kFamilies;
}

Result<const ModelFamily*> FindFamily(const ModelFiles& files) {
  std::string name, key, known;
  if (files.gguf) {
    key = "general.architecture";
    name = TRY(files.gguf->NeedString(key));
  } else if (files.config) {
    key = "model_type";
    name = TRY_CONTEXT(files.name, json::GetString(*files.config, key)).value_or("");
  }
  for (const ModelFamily* family : ModelFamilies()) {
    const auto names = files.gguf ? family->architectures : family->model_types;
    if (std::ranges::find(names, name) != names.end()) return family;
    for (const std::string_view one : names) known += (known.empty() ? "" : ", ") + std::string(one);
  }
  if (name.empty())
    return Fail(ErrorCode::kNotFound, "{}: there is no \"{}\" that says what model this is", files.name, key);
  return Fail(ErrorCode::kUnimplemented, "{}: models of {} \"{}\" are not supported; known are: {}", files.name, key,
              name, known);
}

Result<std::unique_ptr<LanguageModel>> LoadLanguageModel(const ModelFiles& files, ThreadPool& pool,
                                                         const LoadOptions& options) {
  const ModelFamily* family = TRY(FindFamily(files));
  return family->load(files, pool, options);
}

}  // namespace bothy
