#include "runtime/scheduler/ngram_lookup.h"

#include <algorithm>
#include <bit>

namespace bothy {
namespace {

constexpr size_t kFirstSlots = 256;

}  // namespace

size_t NgramLookup::Slot(std::span<const int32_t> text, size_t end) const {
  uint64_t hash = 0;
  for (size_t i = end - kTokens; i < end; i++) {
    hash = (hash + static_cast<uint32_t>(text[i]) + 1) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  }
  return hash & (slots_.size() - 1);
}

void NgramLookup::Grow(std::span<const int32_t> text) {
  std::vector<uint32_t> old(std::bit_ceil(std::max(kFirstSlots, 4 * text.size())));
  old.swap(slots_);
  for (const uint32_t end : old) {
    if (end == 0) continue;
    uint32_t& slot = slots_[Slot(text, end)];
    slot = std::max(slot, end);
  }
}

void NgramLookup::Update(std::span<const int32_t> text) {
  if (slots_.size() < 2 * text.size()) Grow(text);
  for (size_t end = std::max(seen_ + 1, kTokens); end <= text.size(); end++) {
    uint32_t& slot = slots_[Slot(text, end)];
    const auto now = text.subspan(end - kTokens, kTokens);
    const bool same = slot != 0 && std::ranges::equal(text.subspan(slot - kTokens, kTokens), now);
    previous_ = same ? slot : 0;
    slot = static_cast<uint32_t>(end);
  }
  seen_ = text.size();
}

void NgramLookup::Propose(std::span<const int32_t> text, size_t most, std::vector<int32_t>& proposal) const {
  proposal.clear();
  if (previous_ == 0) return;
  for (size_t i = 0; i < most; i++) {
    const size_t at = previous_ + i;
    proposal.push_back(at < text.size() ? text[at] : proposal[at - text.size()]);
  }
}

}  // namespace bothy
