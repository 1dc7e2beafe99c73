#include "nn/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bothy {
namespace {

// Yarn's attention factor (Peng et al. 2023, section 3.4) for one of its two weights.
double YarnScale(double factor, double weight) { return factor <= 1 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0; }

double AttentionFactor(const RopeConfig& c) {
  if (c.attention_factor) return *c.attention_factor;
  if (c.type == RopeConfig::Type::kYarn) {
    if (c.mscale.value_or(0) != 0 && c.mscale_all_dim.value_or(0) != 0) {
      return YarnScale(c.factor, *c.mscale) / YarnScale(c.factor, *c.mscale_all_dim);
    }
    return YarnScale(c.factor, 1);
  }
  if (c.type == RopeConfig::Type::kLongRope && c.factor > 1) {
    return std::sqrt(1 + std::log(c.factor) / std::log(c.original_max_position_embeddings));
  }
  return 1;
}

// The dimension pair that turns `rotations` times within the original length.
double YarnDimension(const RopeConfig& c, double rotations) {
  const double wavelength = c.original_max_position_embeddings / (rotations * 2 * std::numbers::pi);
  return static_cast<double>(c.dim) * std::log(wavelength) / (2 * std::log(c.theta));
}

double YarnFrequency(const RopeConfig& c, double frequency, size_t pair) {
  double low = YarnDimension(c, c.beta_fast), high = YarnDimension(c, c.beta_slow);
  if (c.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(c.dim) - 1);
  if (low == high) high += 0.001;
  const double ramp = std::clamp((static_cast<double>(pair) - low) / (high - low), 0.0, 1.0);
  return frequency / c.factor * ramp + frequency * (1 - ramp);
}

double Llama3Frequency(const RopeConfig& c, double frequency) {
  const double wavelength = 2 * std::numbers::pi / frequency, original = c.original_max_position_embeddings;
  if (wavelength < original / c.high_freq_factor) return frequency;
  if (wavelength > original / c.low_freq_factor) return frequency / c.factor;
  const double smooth = (original / wavelength - c.low_freq_factor) / (c.high_freq_factor - c.low_freq_factor);
  return (1 - smooth) * frequency / c.factor + smooth * frequency;
}

}  // namespace

Result<Rope> Rope::Create(const RopeConfig& config) {
  const auto positive = [](double value, const char* name) -> Result<void> {
    if (std::isfinite(value) && value > 0) return {};
    return Fail(ErrorCode::kCorrupt, "rope parameter \"{}\": expected a positive number, found {}", name, value);
  };
  if (config.dim == 0 || config.dim % 2 != 0) {
    return Fail(ErrorCode::kCorrupt, "rope: expected an even number of rotated dimensions, found {}", config.dim);
  }
  TRY(positive(config.theta, "rope_theta"));
  TRY(positive(config.factor, "factor"));
  using Type = RopeConfig::Type;
  if (config.type == Type::kDynamic) TRY(positive(config.max_position_embeddings, "max_position_embeddings"));
  if (config.type == Type::kYarn || config.type == Type::kLongRope || config.type == Type::kLlama3) {
    TRY(positive(config.original_max_position_embeddings, "original_max_position_embeddings"));
  }
  if (config.type == Type::kYarn) {
    TRY(positive(config.beta_fast, "beta_fast"));
    TRY(positive(config.beta_slow, "beta_slow"));
  }
  if (config.type == Type::kLlama3) {
    TRY(positive(config.low_freq_factor, "low_freq_factor"));
    TRY(positive(config.high_freq_factor - config.low_freq_factor, "high_freq_factor"));
  }
  const auto pairs = [&](const std::vector<double>& factors, const char* name) -> Result<void> {
    if (factors.size() != config.dim / 2) {
      return Fail(ErrorCode::kCorrupt, "rope parameter \"{}\": expected {} numbers, found {}", name, config.dim / 2,
                  factors.size());
    }
    for (const double factor : factors) TRY(positive(factor, name));
    return {};
  };
  if (config.type == Type::kLongRope) {
    TRY(pairs(config.short_factor, "short_factor"));
    TRY(pairs(config.long_factor, "long_factor"));
  }
  if (!config.frequency_divisors.empty()) TRY(pairs(config.frequency_divisors, "rope_freqs"));
  Rope rope;
  rope.config_ = config;
  rope.attention_factor_ = AttentionFactor(config);
  if (!rope.DependsOnLength()) {
    for (size_t i = 0; i < rope.half(); i++) rope.frequencies_.push_back(rope.Frequency(config.theta, 0, i));
  }
  return rope;
}

double Rope::Theta(int64_t length) const {
  const RopeConfig& c = config_;
  if (c.type != RopeConfig::Type::kDynamic) return c.theta;
  const auto dim = static_cast<double>(c.dim);
  const double reached = std::max(static_cast<double>(length), c.max_position_embeddings);
  return c.theta * std::pow(c.factor * reached / c.max_position_embeddings - (c.factor - 1), dim / (dim - 2));
}

double Rope::Frequency(double theta, int64_t length, size_t pair) const {
  const RopeConfig& c = config_;
  double f = std::pow(theta, -2.0 * static_cast<double>(pair) / static_cast<double>(c.dim));
  switch (c.type) {
    case RopeConfig::Type::kDefault:
    case RopeConfig::Type::kDynamic: break;
    case RopeConfig::Type::kLinear: f /= c.factor; break;
    case RopeConfig::Type::kYarn: f = YarnFrequency(c, f, pair); break;
    case RopeConfig::Type::kLlama3: f = Llama3Frequency(c, f); break;
    case RopeConfig::Type::kLongRope:
      f /=
          static_cast<double>(length) > c.original_max_position_embeddings ? c.long_factor[pair] : c.short_factor[pair];
      break;
  }
  return c.frequency_divisors.empty() ? f : f / c.frequency_divisors[pair];
}

void Rope::Angles(std::span<const int64_t> positions, int64_t length, float* cosines, float* sines) const {
  const double theta = Theta(length);
  for (size_t i = 0; i < half(); i++) {
    const double frequency = frequencies_.empty() ? Frequency(theta, length, i) : frequencies_[i];
    for (size_t row = 0; row < positions.size(); row++) {
      // In double: in f32 the angle of a far position is off by as much as position * 2^-24.
      const double angle = static_cast<double>(positions[row]) * frequency;
      cosines[row * half() + i] = static_cast<float>(std::cos(angle) * attention_factor_);
      sines[row * half() + i] = static_cast<float>(std::sin(angle) * attention_factor_);
    }
  }
}

}  // namespace bothy
