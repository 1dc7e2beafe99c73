#include "runtime/grammar/code_points.h"

#include <algorithm>

namespace bothy {
namespace {

constexpr char32_t kFirstSurrogate = 0xD800, kLastSurrogate = 0xDFFF;

}  // namespace

void CodePointSet::Add(char32_t first, char32_t last) {
  last = std::min(last, kLast);
  if (first > last) return;
  if (first < kFirstSurrogate) AddValid(first, std::min<char32_t>(last, kFirstSurrogate - 1));
  if (last > kLastSurrogate) AddValid(std::max<char32_t>(first, kLastSurrogate + 1), last);
}

void CodePointSet::AddValid(char32_t first, char32_t last) {
  // Ranges that overlap the new one or touch it become one with it.
  const auto begin = std::ranges::partition_point(ranges_, [&](const auto& r) { return r.last + 1 < first; });
  const auto end = std::partition_point(begin, ranges_.end(), [&](const auto& r) { return r.first <= last + 1; });
  if (begin == end) {
    ranges_.insert(begin, {first, last});
    return;
  }
  *begin = {std::min(first, begin->first), std::max(last, std::prev(end)->last)};
  ranges_.erase(std::next(begin), end);
}

void CodePointSet::Add(const CodePointSet& other) {
  for (const CodePointRange& range : other.ranges_) AddValid(range.first, range.last);
}

bool CodePointSet::Contains(char32_t code) const {
  const auto found = std::ranges::partition_point(ranges_, [&](const auto& r) { return r.last < code; });
  return found != ranges_.end() && found->first <= code;
}

CodePointSet CodePointSet::Complement() const {
  CodePointSet complement;
  char32_t next = 0;
  for (const CodePointRange& range : ranges_) {
    if (next < range.first) complement.Add(next, range.first - 1);
    next = range.last + 1;
  }
  complement.Add(next, kLast);
  return complement;
}

CodePointSet CodePointSet::Intersection(const CodePointSet& other) const {
  CodePointSet both;
  for (size_t i = 0, j = 0; i < ranges_.size() && j < other.ranges_.size();) {
    const CodePointRange a = ranges_[i], b = other.ranges_[j];
    both.Add(std::max(a.first, b.first), std::min(a.last, b.last));
    (a.last < b.last ? i : j)++;
  }
  return both;
}

}  // namespace bothy
