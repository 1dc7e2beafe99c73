#include "models/rope_config.h"

#include <fmt/core.h>

#include <cmath>

namespace bothy {
namespace {

Result<void> ReadFactors(const json::object& from, std::string_view key, std::vector<double>& out) {
  const json::array* factors = json::FindArray(from, key);
  if (factors == nullptr) return {};
  for (const json::value& value : *factors) {
    if (!value.is_number()) return Fail(ErrorCode::kCorrupt, "key \"{}\": expected an array of numbers", key);
    out.push_back(value.to_number<double>());
  }
  return {};
}

Result<RopeConfig::Type> TypeFromName(std::string_view name) {
  using Type = RopeConfig::Type;
  if (name == "default" || name.empty()) return Type::kDefault;
  if (name == "linear") return Type::kLinear;
  if (name == "dynamic") return Type::kDynamic;
  if (name == "yarn") return Type::kYarn;
  if (name == "longrope" || name == "su") return Type::kLongRope;  // "su": Phi-3's first name for it
  if (name == "llama3") return Type::kLlama3;
  return Fail(ErrorCode::kUnimplemented, "rope type \"{}\" is not supported", name);
}

}  // namespace

Result<RopeConfig> RopeConfigFromJson(const json::object& config, size_t head_dim) {
  static const json::object kNone;
  const json::object* parameters = json::FindObject(config, "rope_parameters");
  if (parameters == nullptr) parameters = json::FindObject(config, "rope_scaling");
  if (parameters == nullptr) parameters = &kNone;
  const json::object& p = *parameters;
  using Type = RopeConfig::Type;

  RopeConfig rope;
  std::optional<std::string> type = TRY(json::GetString(p, "rope_type"));
  if (!type) type = TRY(json::GetString(p, "type"));
  rope.type = TRY(TypeFromName(type.value_or("default")));
  const auto number = [&](std::string_view key) -> Result<std::optional<double>> { return json::GetNumber(p, key); };
  const auto either = [&](std::string_view key) -> Result<std::optional<double>> {
    const std::optional<double> inside = TRY(json::GetNumber(p, key));
    if (inside) return inside;
    return json::GetNumber(config, key);
  };
  rope.theta = TRY(either("rope_theta")).value_or(10000.0);
  const double share = TRY(either("partial_rotary_factor")).value_or(1.0);
  if (!(share > 0 && share <= 1)) {
    return Fail(ErrorCode::kCorrupt, "key \"partial_rotary_factor\": expected a number from 0 to 1, found {}", share);
  }
  rope.dim = static_cast<size_t>(static_cast<double>(head_dim) * share);
  rope.max_position_embeddings = TRY(json::GetNumber(config, "max_position_embeddings")).value_or(2048);
  // Phi-3 keeps it beside the parameters, and there it counts more than inside.
  const std::optional<double> outside = TRY(json::GetNumber(config, "original_max_position_embeddings"));
  const std::optional<double> inside = TRY(number("original_max_position_embeddings"));
  rope.original_max_position_embeddings = outside ? *outside : inside.value_or(rope.max_position_embeddings);
  const std::optional<double> factor = TRY(number("factor"));
  if (factor) {
    rope.factor = *factor;
  } else if (rope.type == Type::kYarn || rope.type == Type::kLongRope) {
    rope.factor = rope.max_position_embeddings / rope.original_max_position_embeddings;
  } else if (rope.type != Type::kDefault) {
    return Fail(ErrorCode::kCorrupt, "rope type \"{}\": key \"factor\" is missing", *type);
  }
  rope.attention_factor = TRY(number("attention_factor"));
  rope.mscale = TRY(number("mscale"));
  rope.mscale_all_dim = TRY(number("mscale_all_dim"));
  const auto or_default = [](std::optional<double> value, double fallback) {
    return value.value_or(0) != 0 ? *value : fallback;
  };
  rope.beta_fast = or_default(TRY(number("beta_fast")), 32);
  rope.beta_slow = or_default(TRY(number("beta_slow")), 1);
  rope.truncate = TRY(json::GetBool(p, "truncate")).value_or(true);
  rope.low_freq_factor = TRY(number("low_freq_factor")).value_or(1);
  rope.high_freq_factor = TRY(number("high_freq_factor")).value_or(4);
  TRY(ReadFactors(p, "short_factor", rope.short_factor));
  TRY(ReadFactors(p, "long_factor", rope.long_factor));
  return rope;
}

Result<RopeConfig> RopeConfigFromGguf(const GgufMetadata& metadata, std::string_view architecture, size_t head_dim,
                                      size_t context_length) {
  const auto key = [&](std::string_view name) { return fmt::format("{}.rope.{}", architecture, name); };
  const auto number = [&](std::string_view name) { return metadata.GetFloat(key(name)); };
  using Type = RopeConfig::Type;
  RopeConfig rope;
  const auto dim = TRY(metadata.GetInt(key("dimension_count"))).value_or(static_cast<int64_t>(head_dim));
  if (dim <= 0 || static_cast<size_t>(dim) > head_dim) {
    return Fail(ErrorCode::kCorrupt, "key \"{}\": expected 1 to {}, found {}", key("dimension_count"), head_dim, dim);
  }
  rope.dim = static_cast<size_t>(dim);
  rope.theta = TRY(number("freq_base")).value_or(10000.0);
  rope.max_position_embeddings = static_cast<double>(context_length);
  std::string type = TRY(metadata.GetString(key("scaling.type"))).value_or("none");
  std::optional<double> factor = TRY(number("scaling.factor"));
  if (!factor) {
    factor = TRY(number("scale_linear"));  // how files before scaling.type say it
    if (factor && type == "none") type = "linear";
  }
  rope.type = TRY(TypeFromName(type == "none" ? "default" : type));
  rope.factor = factor.value_or(1.0);
  if (rope.factor == 0 || rope.type == Type::kDefault) rope.factor = 1;
  const double original = TRY(number("scaling.original_context_length")).value_or(0);
  rope.original_max_position_embeddings = original > 0 ? original : rope.max_position_embeddings;
  if (rope.type == Type::kYarn) {
    // llama.cpp multiplies yarn's own attention factor by this one.
    const double extra = TRY(number("scaling.attn_factor")).value_or(1.0);
    const double own = rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1 : 1;
    rope.attention_factor = own * extra;
    rope.beta_fast = TRY(number("scaling.yarn_beta_fast")).value_or(32);
    rope.beta_slow = TRY(number("scaling.yarn_beta_slow")).value_or(1);
  }
  return rope;
}

}  // namespace bothy
