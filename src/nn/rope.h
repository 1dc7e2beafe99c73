// Rotary position embedding (Su et al. 2021) and its ways to reach past the length a model was trained on.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"

namespace bothy {

// Names and meanings are those of Hugging Face's config.json ("rope_parameters", formerly "rope_scaling"); formulas and
// defaults those of transformers 5.23, modeling_rope_utils.py.
struct RopeConfig {
  enum class Type { kDefault, kLinear, kDynamic, kYarn, kLongRope, kLlama3 };
  Type type = Type::kDefault;
  size_t dim = 0;  // rotated dimensions of a head; even
  double theta = 10000.0;
  double factor = 1.0;
  double max_position_embeddings = 0;
  double original_max_position_embeddings = 0;
  std::optional<double> attention_factor;  // yarn, longrope
  double beta_fast = 32, beta_slow = 1;    // yarn
  std::optional<double> mscale, mscale_all_dim;
  bool truncate = true;
  double low_freq_factor = 1, high_freq_factor = 4;  // llama3
  std::vector<double> short_factor, long_factor;     // longrope: dim / 2 of each
  // GGUF stores llama3's frequencies as divisors, dim / 2 of them, instead of its parameters; empty: none.
  std::vector<double> frequency_divisors;
};

class Rope {
 public:
  // kCorrupt where a parameter makes no sense, with its name.
  static Result<Rope> Create(const RopeConfig& config);

  size_t half() const { return config_.dim / 2; }

  // Cosines and sines for each position, half() values each, row after row. `length` is one past the longest position
  // of the call: dynamic and longrope depend on it, and so do not compute the same for a token alone and in a long
  // prompt, in the reference neither. Allocates nothing.
  void Angles(std::span<const int64_t> positions, int64_t length, float* cosines, float* sines) const;

  // Whether a token's angles depend on the length of the call.
  bool DependsOnLength() const {
    return config_.type == RopeConfig::Type::kDynamic || config_.type == RopeConfig::Type::kLongRope;
  }

 private:
  double Theta(int64_t length) const;
  double Frequency(double theta, int64_t length, size_t pair) const;

  RopeConfig config_;
  std::vector<double> frequencies_;  // where they depend on no length
  double attention_factor_ = 1;
};

}  // namespace bothy
