// The strings of a vocabulary, by id and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/token_id.h"

namespace bothy {

class PieceTable {
 public:
  void Reserve(size_t pieces, size_t bytes);

  // Ids may come in any order and may leave gaps. kCorrupt for an id that is taken, negative, or so far past the number
  // of pieces that the table would be mostly holes. A string that is there already keeps its id, and the new id has the
  // string too: `added` tells callers that refuse this.
  Result<void> Add(std::string_view piece, int64_t id, bool* added = nullptr);

  std::optional<TokenId> Find(std::string_view piece) const;
  bool Contains(int64_t id) const {
    return id >= 0 && static_cast<uint64_t>(id) < entries_.size() && entries_[static_cast<size_t>(id)].begin != kNone;
  }
  std::string_view operator[](TokenId id) const {  // of an id that it contains
    const Entry& entry = entries_[static_cast<size_t>(id)];
    return std::string_view(bytes_).substr(entry.begin, entry.size);
  }

  size_t size() const { return entries_.size(); }  // one past the highest id
  size_t count() const { return count_; }          // ids that are there

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Entry {
    uint32_t begin = kNone;
    uint32_t size = 0;
  };
  struct Slot {
    uint32_t hash = 0;
    TokenId id = -1;
  };

  size_t SlotOf(std::string_view piece, uint32_t hash) const;
  void Grow(size_t slots);

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  // open addressing, at most half full
  size_t used_ = 0, count_ = 0, expected_ = 0;
};

}  // namespace bothy
