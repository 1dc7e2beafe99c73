// Sets of Unicode characters: what a class of a grammar or of a pattern matches.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace bothy {

struct CodePointRange {
  char32_t first = 0, last = 0;  // both belong to it
  bool operator==(const CodePointRange&) const = default;
};

class CodePointSet {  // Never holds a surrogate: no text does.
 public:
  CodePointSet() = default;
  CodePointSet(std::initializer_list<CodePointRange> ranges) {
    for (const CodePointRange& range : ranges) Add(range.first, range.last);
  }
  static CodePointSet All() { return {{0, kLast}}; }

  static constexpr char32_t kLast = 0x10FFFF;

  // Nothing is added where first > last; what lies beyond kLast is left out.
  void Add(char32_t first, char32_t last);
  void Add(char32_t one) { Add(one, one); }
  void Add(const CodePointSet& other);

  bool Contains(char32_t code) const;
  bool empty() const { return ranges_.empty(); }
  bool operator==(const CodePointSet&) const = default;

  CodePointSet Complement() const;
  CodePointSet Intersection(const CodePointSet& other) const;
  CodePointSet Without(const CodePointSet& other) const { return Intersection(other.Complement()); }

  // Ascending, with gaps between.
  std::span<const CodePointRange> ranges() const { return ranges_; }

 private:
  void AddValid(char32_t first, char32_t last);

  std::vector<CodePointRange> ranges_;
};

}  // namespace bothy
