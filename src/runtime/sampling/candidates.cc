#include "runtime/sampling/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>

namespace bothy {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();  // above minus infinity: all that is not forbidden
constexpr size_t kTopHCandidates = 100;                          // TopHLogitsWarper's top_n

double EtaCut(double epsilon, double entropy) {  // Hewitt, Manning, Liang 2022
  return std::min(epsilon, std::sqrt(epsilon) * std::exp(-entropy));
}

}  // namespace

Result<Maximum> FindLikeliest(std::span<const float> logits) {
  const Maximum maximum = FindMaximum(logits);
  if (maximum.any_nan || maximum.value == std::numeric_limits<float>::infinity()) {
    return Fail(ErrorCode::kInternal, "the model's logits hold {}", maximum.any_nan ? "NaN" : "infinity");
  }
  if (maximum.value < kLowest) {
    return Fail(ErrorCode::kFailedPrecondition, "every token is forbidden by the settings: none is left to choose");
  }
  return maximum;
}

float TemperatureScale(double temperature) {
  // Neither infinity nor 0, so that 0 * scale stays 0 and minus infinity * scale stays minus infinity.
  return static_cast<float>(std::clamp(1 / temperature, 1e-37, 1e37));
}

Result<void> Candidates::Select(std::span<const float> logits, const SamplingParams& params, size_t keep) {
  max_ = TRY(FindLikeliest(logits)).value;
  scale_ = TemperatureScale(params.temperature);
  GatherLikeliest(logits, params, keep);
  return {};
}

// A first set of candidates, and the cut that it was made for; then all cuts after that one.
void Candidates::GatherLikeliest(std::span<const float> logits, const SamplingParams& params, size_t keep) {
  double entropy = 0;  // of what the first cut chooses from
  const auto top_k = params.top_k > 0 ? std::max(static_cast<size_t>(params.top_k), keep) : 0;
  if (params.top_h) {
    Gather(logits, std::max(kLowest, KthLargest(logits, kTopHCandidates, scratch_)));
    KeepTopH(*params.top_h);
    if (top_k > 0 && top_k < kept_.size()) {
      scratch_.resize(kept_.size());
      std::ranges::transform(kept_, scratch_.begin(), &Candidate::logit);
      std::ranges::nth_element(scratch_, scratch_.begin() + static_cast<ptrdiff_t>(top_k - 1), std::greater<>());
      Filter([bound = scratch_[top_k - 1]](const Candidate& c) { return c.logit >= bound; });
    }
    entropy = Entropy();
  } else if (top_k > 0 && top_k < logits.size()) {
    Gather(logits, std::max(kLowest, KthLargest(logits, top_k, scratch_)));
    entropy = Entropy();
  } else {
    // Only min_p needs no sum of the whole vocabulary.
    const bool sums_up = params.top_p < 1 || !params.min_p;
    const ExponentialSums sums = sums_up ? SumExponentials(logits, max_, scale_) : ExponentialSums{1, 0};
    entropy = std::log(sums.sum) - sums.weighted / sums.sum;
    total_ = sums.sum;
    const float cut = keep == 1 ? SafeCut(params, logits.size(), entropy) : kLowest;
    Gather(logits, cut);
    total_ = sums.sum;
  }
  const auto again = [&] { entropy = Entropy(); };
  if (params.top_p < 1) {
    KeepTopP(params.top_p, keep);
    again();
  }
  if (params.min_p) {
    KeepHeavy(*params.min_p, keep);  // the likeliest weighs 1 and was never cut so far
    again();
  }
  if (params.typical_p < 1) {
    KeepTypical(params.typical_p, entropy, keep);
    again();
  }
  if (params.epsilon_cutoff > 0) {
    KeepHeavy(params.epsilon_cutoff * total_, keep);
    again();
  }
  if (params.eta_cutoff > 0) KeepHeavy(EtaCut(params.eta_cutoff, entropy) * total_, keep);
  Filter([](const Candidate&) { return true; });  // the sum, where nothing was cut
}

// A logit below which the first of the active cuts keeps nothing, with room for rounding. total_ is the whole sum.
float Candidates::SafeCut(const SamplingParams& params, size_t vocabulary, double entropy) const {
  // Tokens lighter than this weigh less than 1 - mass together, so the others reach `mass` without them.
  const auto rest = [&](double mass) { return (1 - mass) * total_ / static_cast<double>(vocabulary); };
  double weight = 0;
  if (params.top_p < 1) {
    weight = rest(params.top_p);
  } else if (params.min_p) {
    weight = *params.min_p;
  } else if (params.typical_p < 1) {
    // With -ln p > 2H a token lies further from H than any with -ln p <= 2H, and is taken after all of those.
    weight = std::min(rest(params.typical_p), std::exp(-2 * entropy) * total_);
  } else if (params.epsilon_cutoff > 0) {
    weight = params.epsilon_cutoff * total_;
  } else if (params.eta_cutoff > 0) {
    weight = EtaCut(params.eta_cutoff, entropy) * total_;
  }
  if (weight <= 0) return kLowest;
  const double room = 0.01 / static_cast<double>(scale_) + 1e-6 * std::fabs(static_cast<double>(max_));
  const double cut = static_cast<double>(max_) + std::log(std::min(weight, 1.0)) / static_cast<double>(scale_) - room;
  return std::max(kLowest, static_cast<float>(std::max(cut, static_cast<double>(kLowest))));
}

void Candidates::Gather(std::span<const float> logits, float cut) {
  kept_.clear();
  total_ = 0;
  ForEachAtLeast(logits, cut, [&](size_t i) {
    const float weight = ExpNonPositive((logits[i] - max_) * scale_);
    kept_.push_back({static_cast<int32_t>(i), logits[i], weight});
    total_ += static_cast<double>(weight);
  });
}

template <class Keep>
void Candidates::Filter(Keep keep) {
  std::erase_if(kept_, [&](const Candidate& c) { return !keep(c); });
  total_ = 0;
  for (const auto& c : kept_) total_ += static_cast<double>(c.weight);
}

double Candidates::Entropy() const {
  double weighted = 0;
  for (const auto& c : kept_)
    weighted += static_cast<double>(c.weight) * static_cast<double>((c.logit - max_) * scale_);
  return std::log(total_) - weighted / total_;
}

// How many of ranked_, from the first, it takes to reach `mass`, at least `keep` and at least one; the last of them is
// in its place then and all before it are taken. Halves by selection: the work is linear.
size_t Candidates::Reach(double mass, size_t keep) {
  const auto before = [](const Ranked& a, const Ranked& b) {
    return a.key != b.key ? a.key < b.key : a.token < b.token;
  };
  size_t begin = 0, end = ranked_.size();  // the last one taken lies in [begin, end)
  double reached = 0;                      // by those before begin
  while (end - begin > 1) {
    const size_t middle = begin + (end - begin) / 2;
    const auto at = [&](size_t i) { return ranked_.begin() + static_cast<ptrdiff_t>(i); };
    std::nth_element(at(begin), at(middle), at(end), before);
    double lower = 0;
    for (size_t i = begin; i < middle; i++) lower += static_cast<double>(ranked_[i].weight);
    if (reached + lower >= mass && middle >= keep) {
      end = middle;
    } else {
      reached += lower;
      begin = middle;
    }
  }
  return begin + 1;
}

void Candidates::KeepTopP(double top_p, size_t keep) {
  ranked_.clear();
  for (const auto& c : kept_) ranked_.push_back({-static_cast<double>(c.logit), c.token, c.weight});
  const Ranked last = ranked_[Reach(top_p * total_, keep) - 1];
  Filter([&](const Candidate& c) {
    const double key = -static_cast<double>(c.logit);
    return key < last.key || (key == last.key && c.token <= last.token);
  });
}

// Locally typical sampling (Meister et al. 2022): those whose information is nearest to the entropy; of equally near
// ones all.
void Candidates::KeepTypical(double mass, double entropy, size_t keep) {
  const double log_total = std::log(total_);
  const auto key = [&](const Candidate& c) {
    const double information = log_total - (static_cast<double>(c.logit) - static_cast<double>(max_)) * scale_;
    return std::fabs(information - entropy);
  };
  ranked_.clear();
  for (const auto& c : kept_) ranked_.push_back({key(c), c.token, c.weight});
  const Ranked last = ranked_[Reach(mass * total_, keep) - 1];
  Filter([&](const Candidate& c) { return key(c) <= last.key; });
}

// Those that weigh at least so much, and the `keep` likeliest.
void Candidates::KeepHeavy(double least_weight, size_t keep) {
  const size_t n = std::min(keep, kept_.size());
  scratch_.resize(n);
  std::ranges::partial_sort_copy(std::views::transform(kept_, &Candidate::logit), scratch_, std::greater<>());
  Filter([&, likeliest = scratch_.back()](const Candidate& c) {
    return static_cast<double>(c.weight) >= least_weight || c.logit >= likeliest;
  });
}

// Entropy-bounded sampling (Top-H, Potraghloo et al. 2025), among the 100 likeliest only, as the reference has it.
void Candidates::KeepTopH(double top_h) {
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  };
  const size_t n = std::min(kTopHCandidates, kept_.size());
  std::ranges::partial_sort(kept_, kept_.begin() + static_cast<ptrdiff_t>(n), likelier);
  kept_.resize(n);
  const auto weight = [&](const Candidate& c) {
    return std::exp((static_cast<double>(c.logit) - static_cast<double>(max_)) * static_cast<double>(scale_));
  };
  double total = 0;
  for (const auto& c : kept_) total += weight(c);
  const auto term = [&](const Candidate& c) {
    const double p = weight(c) / total;
    return p > 0 ? -p * std::log(p) : 0.0;
  };
  double entropy = 0;
  for (const auto& c : kept_) entropy += term(c);
  double reached = 0;
  size_t take = 0;
  while (take < n && weight(kept_[take]) > 0) {
    reached += term(kept_[take]);
    if (take > 0 && reached > entropy * top_h) break;
    take++;
  }
  kept_.resize(take);
  std::ranges::sort(kept_, {}, &Candidate::token);
  Filter([](const Candidate&) { return true; });
}

int32_t Candidates::Draw(double uniform) const {
  const double target = uniform * total_;
  double passed = 0;
  int32_t last = kept_.front().token;
  for (const auto& c : kept_) {
    if (c.weight <= 0) continue;
    passed += static_cast<double>(c.weight);
    last = c.token;
    if (passed > target) break;
  }
  return last;
}

}  // namespace bothy
