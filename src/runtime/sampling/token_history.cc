#include "runtime/sampling/token_history.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace bothy {
namespace {

constexpr size_t kFirstSlots = 64;

size_t Mix(uint64_t x) {  // a multiplication spreads low bits upwards, the shift brings them back
  x *= 0x9E3779B97F4A7C15u;
  return static_cast<size_t>(x ^ (x >> 32));
}

}  // namespace

TokenHistory::TokenHistory(const SamplingParams& params, std::span<const int32_t> prompt, size_t max_length)
    : prompt_length_(prompt.size()),
      max_length_(max_length),
      counting_(params.repetition_penalty != 1 || params.frequency_penalty != 0 || params.presence_penalty != 0 ||
                params.no_repeat_ngram_size == 1),
      ngram_(static_cast<size_t>(std::max<int64_t>(params.no_repeat_ngram_size, 0))) {
  tokens_.reserve(prompt.size() + 64);
  for (const int32_t token : prompt) Append(token);
}

void TokenHistory::Append(int32_t token) {
  CHECK(tokens_.size() < ~uint32_t{0});
  tokens_.push_back(token);
  if (counting_) Count(token);
  if (ngram_ > 1 && tokens_.size() >= ngram_) AddNGram(tokens_.size() - ngram_);
}

void TokenHistory::Count(int32_t token) {
  const auto slot_of = [&](int32_t t) {
    size_t slot = Mix(static_cast<uint32_t>(t)) & (count_slots_.size() - 1);
    while (count_slots_[slot] != 0 && counts_[count_slots_[slot] - 1].token != t) {
      slot = (slot + 1) & (count_slots_.size() - 1);
    }
    return slot;
  };
  if (2 * counts_.size() >= count_slots_.size()) {
    count_slots_.assign(std::max(kFirstSlots, 2 * count_slots_.size()), 0);
    for (uint32_t i = 0; i < counts_.size(); i++) count_slots_[slot_of(counts_[i].token)] = i + 1;
  }
  uint32_t& index = count_slots_[slot_of(token)];
  if (index == 0) {
    counts_.push_back({token, 0});
    index = static_cast<uint32_t>(counts_.size());
  }
  counts_[index - 1].count++;
}

size_t TokenHistory::NGramSlot(size_t start) const {
  uint64_t hash = 0;
  for (size_t i = start; i < start + ngram_ - 1; i++) hash = Mix(hash + static_cast<uint32_t>(tokens_[i]) + 1);
  return hash & (ngram_heads_.size() - 1);
}

bool TokenHistory::SamePrefix(size_t a, size_t b) const {
  const auto at = [&](size_t i) { return tokens_.begin() + static_cast<ptrdiff_t>(i); };
  return std::equal(at(a), at(a + ngram_ - 1), at(b));
}

void TokenHistory::AddNGram(size_t start) {
  const auto link = [&](size_t i) {
    uint32_t& head = ngram_heads_[NGramSlot(i)];
    ngram_next_[i] = head;
    head = static_cast<uint32_t>(i + 1);
  };
  ngram_next_.push_back(0);
  if (ngram_next_.size() > ngram_heads_.size()) {
    ngram_heads_.assign(std::max(kFirstSlots, 2 * ngram_heads_.size()), 0);
    for (size_t i = 0; i < start; i++) link(i);
  }
  link(start);
}

}  // namespace bothy
