#include "compress/gguf_model.h"

#include <fmt/core.h>

#include <algorithm>

namespace bothy {
namespace {

// A number, or for models whose layers differ one for each: then that of the first layer counts.
Result<uint32_t> FirstOf(const GgufMetadata& metadata, const std::string& key, uint32_t fallback) {
  const auto numbers = TRY(metadata.GetInts(key));
  if (!numbers || numbers->empty()) return fallback;
  const int64_t first = numbers->front();
  if (first < 0 || first > (int64_t{1} << 24)) {
    return Fail(ErrorCode::kCorrupt, "key \"{}\": expected 0 to {}, found {}", key, int64_t{1} << 24, first);
  }
  return static_cast<uint32_t>(first);
}

}  // namespace

Result<ModelTraits> TraitsOf(const GgufMetadata& metadata) {
  ModelTraits traits;
  traits.architecture = TRY(metadata.NeedString("general.architecture"));
  const auto number = [&](std::string_view name, uint32_t fallback) {
    return FirstOf(metadata, fmt::format("{}.{}", traits.architecture, name), fallback);
  };
  traits.layers = TRY(number("block_count", 0));
  traits.heads = TRY(number("attention.head_count", 0));
  traits.key_value_heads = TRY(number("attention.head_count_kv", traits.heads));
  traits.experts = TRY(number("expert_count", 0));
  return traits;
}

Result<GgufModel> GgufModelFromGguf(const ModelFiles& files) {
  CHECK(files.gguf.has_value());
  GgufModel model;
  model.metadata = *files.gguf;
  model.traits = TRY_CONTEXT(files.name, TraitsOf(model.metadata));
  for (const std::string_view key : {"split.no", "split.count", "split.tensors.count"}) model.metadata.Remove(key);
  for (const ArrayInfo& array : files.checkpoint.arrays()) model.arrays.push_back({.info = array, .parts = {&array}});
  std::ranges::sort(model.arrays, ComesBefore, [](const ModelArray& a) -> std::string_view { return a.info.name; });
  return model;
}

}  // namespace bothy
