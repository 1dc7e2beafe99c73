#include "text/merge_table.h"

#include <algorithm>
#include <functional>

namespace bothy {
namespace {

constexpr uint32_t kNoRank = ~uint32_t{0};
constexpr uint32_t kNowhere = ~uint32_t{0};
// Words are short: up to here looking at all ranks again for every merge is faster than a heap.
constexpr size_t kFew = 48;

}  // namespace

void MergeTable::Apply(std::vector<Symbol>& symbols, Scratch& scratch, size_t stop_at) const {
  if (symbols.size() < 2) return;
  scratch.ranks.assign(symbols.size(), kNoRank);
  scratch.results.resize(symbols.size());
  for (size_t i = 0; i + 1 < symbols.size(); i++) {
    if (const Merge* merge = Find(symbols[i].id, symbols[i + 1].id)) {
      scratch.ranks[i] = merge->rank;
      scratch.results[i] = merge->result;
    }
  }
  symbols.size() <= kFew ? ApplyToFew(symbols, scratch, stop_at) : ApplyToMany(symbols, scratch, stop_at);
}

void MergeTable::ApplyToFew(std::vector<Symbol>& symbols, Scratch& scratch, size_t stop_at) const {
  auto& [ranks, results, previous, next, heap] = scratch;
  const auto look = [&](size_t i) {
    const Merge* merge = i + 1 < symbols.size() ? Find(symbols[i].id, symbols[i + 1].id) : nullptr;
    ranks[i] = merge != nullptr ? merge->rank : kNoRank;
    if (merge != nullptr) results[i] = merge->result;
  };
  while (symbols.size() > stop_at) {
    const auto best = std::min_element(ranks.begin(), ranks.end());
    if (*best == kNoRank) return;
    const auto i = best - ranks.begin();
    const auto at = static_cast<size_t>(i);
    symbols[at].id = results[at];
    symbols[at].end = symbols[at + 1].end;
    symbols.erase(symbols.begin() + i + 1);
    ranks.erase(ranks.begin() + i + 1);
    results.erase(results.begin() + i + 1);
    look(at);
    if (at > 0) look(at - 1);
  }
}

void MergeTable::ApplyToMany(std::vector<Symbol>& symbols, Scratch& scratch, size_t stop_at) const {
  auto& [ranks, results, previous, next, heap] = scratch;
  const auto count = static_cast<uint32_t>(symbols.size());
  previous.resize(count);
  next.resize(count);
  heap.clear();
  for (uint32_t i = 0; i < count; i++) {
    previous[i] = i == 0 ? kNowhere : i - 1;
    next[i] = i + 1 == count ? kNowhere : i + 1;
    if (ranks[i] != kNoRank) heap.push_back(uint64_t{ranks[i]} << 32 | i);
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto look = [&](uint32_t i) {
    const Merge* merge = next[i] != kNowhere ? Find(symbols[i].id, symbols[next[i]].id) : nullptr;
    ranks[i] = kNoRank;
    if (merge == nullptr) return;
    ranks[i] = merge->rank;
    results[i] = merge->result;
    heap.push_back(uint64_t{merge->rank} << 32 | i);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  size_t left = count;
  while (!heap.empty() && left > stop_at) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const uint64_t entry = heap.back();
    heap.pop_back();
    const auto i = static_cast<uint32_t>(entry);
    if (ranks[i] != entry >> 32) continue;  // one side was merged away since
    const uint32_t gone = next[i];
    left--;
    symbols[i].id = results[i];
    symbols[i].end = symbols[gone].end;
    next[i] = next[gone];
    if (next[gone] != kNowhere) previous[next[gone]] = i;
    ranks[gone] = kNoRank;
    look(i);
    if (previous[i] != kNowhere) look(previous[i]);
  }
  size_t kept = 0;
  for (uint32_t i = 0; i != kNowhere; i = next[i]) symbols[kept++] = symbols[i];
  symbols.resize(kept);
}

}  // namespace bothy
