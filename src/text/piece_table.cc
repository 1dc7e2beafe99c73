#include "text/piece_table.h"

#include <algorithm>
#include <bit>

#include "text/hash_table.h"

namespace bothy {
namespace {

uint32_t Hash(std::string_view piece) { return static_cast<uint32_t>(HashBytes(piece, HashSeed()) >> 32); }

}  // namespace

void PieceTable::Reserve(size_t pieces, size_t bytes) {
  expected_ = pieces;
  bytes_.reserve(bytes);
  entries_.reserve(pieces);
  Grow(std::bit_ceil(pieces * 2 + 1));
}

void PieceTable::Grow(size_t slots) {
  if (slots <= slots_.size()) return;
  std::vector<Slot> old(slots);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.id < 0) continue;
    size_t i = slot.hash & (slots - 1);
    while (slots_[i].id >= 0) i = (i + 1) & (slots - 1);
    slots_[i] = slot;
  }
}

size_t PieceTable::SlotOf(std::string_view piece, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t i = hash & mask;
  while (slots_[i].id >= 0 && (slots_[i].hash != hash || (*this)[slots_[i].id] != piece)) i = (i + 1) & mask;
  return i;
}

Result<void> PieceTable::Add(std::string_view piece, int64_t id, bool* added) {
  // Real vocabularies have few holes; the slack is for a handful of added tokens with high ids.
  const uint64_t limit = 4 * std::max(count_, expected_) + 65536;
  if (id < 0 || static_cast<uint64_t>(id) >= limit) {
    return Fail(ErrorCode::kCorrupt, "token \"{}\": id {} is out of range", piece, id);
  }
  if (Contains(id)) {
    return Fail(ErrorCode::kCorrupt, "tokens \"{}\" and \"{}\" both have the id {}", (*this)[static_cast<TokenId>(id)],
                piece, id);
  }
  if (bytes_.size() + piece.size() >= kNone) {
    return Fail(ErrorCode::kResourceExhausted, "the tokens' text is larger than 4 GiB");
  }
  const auto index = static_cast<size_t>(id);
  if (index >= entries_.size()) entries_.resize(index + 1);
  entries_[index] = {static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(piece.size())};
  bytes_.append(piece);
  count_++;

  Grow(std::bit_ceil(used_ * 2 + 3));
  const uint32_t hash = Hash(piece);
  Slot& slot = slots_[SlotOf(piece, hash)];
  if (added != nullptr) *added = slot.id < 0;
  if (slot.id < 0) {
    slot = {hash, static_cast<TokenId>(id)};
    used_++;
  }
  return {};
}

std::optional<TokenId> PieceTable::Find(std::string_view piece) const {
  if (slots_.empty()) return std::nullopt;
  const TokenId id = slots_[SlotOf(piece, Hash(piece))].id;
  if (id < 0) return std::nullopt;
  return id;
}

}  // namespace bothy
