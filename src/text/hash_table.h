// Hash tables for vocabularies: flat, and seeded once a process, so that no file can choose what collides.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace bothy {

uint64_t HashSeed();

inline uint64_t MixHash(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t HashInteger(uint64_t value, uint64_t seed) {
  return MixHash(MixHash(value ^ seed, 0x9E3779B97F4A7C15) ^ seed, 0xD6E8FEB86659FD93);
}

uint64_t HashBytes(std::string_view bytes, uint64_t seed);

// A map from integers to small values. Keys are never removed.
template <class Key, class Value>
class FlatMap {
 public:
  // Makes room for `count` keys.
  void Reserve(size_t count) {
    const size_t slots = std::bit_ceil(count * 2 + 1);  // at most half full
    if (slots <= slots_.size()) return;
    std::vector<Slot> old(slots);
    old.swap(slots_);
    mask_ = slots - 1;
    for (Slot& slot : old) {
      if (slot.used) *Place(slot.key) = std::move(slot);
    }
  }

  // The value of `key`, and whether it was there already; a new one is `value`.
  std::pair<Value*, bool> Insert(Key key, Value value) {
    Reserve(size_ + 1);
    Slot* slot = Place(key);
    if (slot->used) return {&slot->value, true};
    *slot = {key, std::move(value), true};
    size_++;
    return {&slot->value, false};
  }

  const Value* Find(Key key) const {
    if (slots_.empty()) return nullptr;
    const Slot* slot = const_cast<FlatMap*>(this)->Place(key);
    return slot->used ? &slot->value : nullptr;
  }

  size_t size() const { return size_; }

 private:
  struct Slot {
    Key key{};
    Value value{};
    bool used = false;
  };

  Slot* Place(Key key) {
    size_t i = HashInteger(static_cast<uint64_t>(key), seed_) & mask_;
    while (slots_[i].used && slots_[i].key != key) i = (i + 1) & mask_;
    return &slots_[i];
  }

  uint64_t seed_ = HashSeed();
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  size_t size_ = 0;
};

}  // namespace bothy
