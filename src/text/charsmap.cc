#include "text/charsmap.h"

#include <algorithm>
#include <cstring>

#include "text/utf8.h"

namespace bothy {
namespace {

// A unit of a Darts-clone array (version 0.32).
constexpr uint32_t Offset(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
constexpr uint32_t Label(uint32_t unit) { return unit & ((1u << 31) | 0xFF); }
constexpr bool HasLeaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
constexpr uint32_t Value(uint32_t unit) { return unit & ((1u << 31) - 1); }

}  // namespace

Result<Charsmap> Charsmap::Parse(std::string_view bytes) {
  uint32_t size = 0;
  if (bytes.size() < 4) return Fail(ErrorCode::kCorrupt, "precompiled_charsmap: {} bytes", bytes.size());
  std::memcpy(&size, bytes.data(), 4);
  if (size > bytes.size() - 4 || size % 4 != 0 || size == 0) {
    return Fail(ErrorCode::kCorrupt, "precompiled_charsmap: a trie of {} bytes in {}", size, bytes.size());
  }
  Charsmap map;
  map.trie_.resize(size / 4);
  std::memcpy(map.trie_.data(), bytes.data() + 4, size);
  map.replacements_ = bytes.substr(4 + size);
  if (FindInvalidUtf8(map.replacements_) != std::string::npos) {
    return Fail(ErrorCode::kCorrupt, "precompiled_charsmap: replacements are not valid UTF-8");
  }
  for (size_t begin = 0; begin < map.replacements_.size();) {
    const size_t end = std::min(map.replacements_.find('\0', begin), map.replacements_.size());
    if (end - begin > kMaxReplacement) {
      return Fail(ErrorCode::kResourceExhausted, "precompiled_charsmap: a replacement of {} bytes, at most {} are read",
                  end - begin, kMaxReplacement);
    }
    begin = end + 1;
  }
  return map;
}

std::optional<Charsmap::Match> Charsmap::Find(std::string_view text, bool longest) const {
  std::optional<Match> found;
  uint32_t node = Offset(trie_[0]);
  text = text.substr(0, kMaxReplaced);  // a damaged trie can lead in circles
  for (size_t i = 0; i < text.size(); i++) {
    const uint32_t label = static_cast<uint8_t>(text[i]);
    if (label == 0) break;  // the end of a key, in a trie of strings
    node ^= label;
    if (node >= trie_.size() || Label(trie_[node]) != label) break;
    const uint32_t unit = trie_[node];
    node ^= Offset(unit);
    if (!HasLeaf(unit) || node >= trie_.size()) continue;
    const uint32_t value = Value(trie_[node]);
    if (value > replacements_.size()) continue;
    // The table's author may point into the middle of a character; such a replacement is none.
    if (value < replacements_.size() && IsUtf8Continuation(replacements_[value])) continue;
    found = Match{i + 1, std::string_view(replacements_.data() + value)};
    if (!longest) break;
  }
  return found;
}

}  // namespace bothy
