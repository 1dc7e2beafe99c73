// A trie over strings of bytes, each with a number.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/hash_table.h"

namespace bothy {

class ByteTrie {
 public:
  ByteTrie() { values_.push_back(kNone); }

  static constexpr int32_t kNone = -1;
  static constexpr uint32_t kRoot = 0;
  static constexpr uint32_t kDeadEnd = ~uint32_t{0};

  // `value` is not negative. A string that was there already gets the new one.
  void Insert(std::string_view key, int32_t value) {
    uint32_t node = kRoot;
    for (const char c : key) {
      const auto [child, found] = children_.Insert(Key(node, c), static_cast<uint32_t>(values_.size()));
      if (!found) values_.push_back(kNone);
      node = *child;
    }
    values_[node] = value;
    if (!key.empty()) starts_[static_cast<uint8_t>(key[0])] = true;
  }

  bool CanStart(char c) const { return starts_[static_cast<uint8_t>(c)]; }
  // The node below, or kDeadEnd.
  uint32_t Step(uint32_t node, char c) const {
    const uint32_t* child = children_.Find(Key(node, c));
    return child != nullptr ? *child : kDeadEnd;
  }
  int32_t ValueAt(uint32_t node) const { return values_[node]; }
  bool empty() const { return values_.size() == 1; }

 private:
  static uint64_t Key(uint32_t node, char c) { return uint64_t{node} << 8 | static_cast<uint8_t>(c); }

  FlatMap<uint64_t, uint32_t> children_;
  std::vector<int32_t> values_;  // of each node
  bool starts_[256] = {};
};

}  // namespace bothy
