// The last few things that were used, by their keys.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace bothy::content {

template <class Key, class Value, class HashOfKey = std::hash<Key>>
class LruCache {
 public:
  explicit LruCache(size_t capacity) : capacity_(capacity) {}

  // Null where it is not there (any more). Good until the next Put.
  Value* Find(const Key& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &entries_.front().second;
  }

  Value& Put(const Key& key, Value value) {
    if (Value* there = Find(key)) return *there = std::move(value);
    entries_.emplace_front(key, std::move(value));
    by_key_.emplace(key, entries_.begin());
    if (entries_.size() > capacity_) {
      by_key_.erase(entries_.back().first);
      entries_.pop_back();
    }
    return entries_.front().second;
  }

 private:
  const size_t capacity_;
  std::list<std::pair<Key, Value>> entries_;
  std::unordered_map<Key, typename std::list<std::pair<Key, Value>>::iterator, HashOfKey> by_key_;
};

}  // namespace bothy::content
