#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"
#include "text/utf8.h"

namespace bothy {
namespace {

// Rust's \w, which also counts the two joiners.
bool IsWordForTokens(char32_t code) { return IsWord(code) || code == 0x200C || code == 0x200D; }

size_t SpaceBegin(std::string_view text, size_t end) {
  while (end > 0) {
    const Utf8Char c = ReadUtf8Before(text.data() + end);
    if (!IsSpace(c.code)) break;
    end -= c.size;
  }
  return end;
}

size_t SpaceEnd(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    const Utf8Char c = ReadUtf8(text.data() + begin);
    if (!IsSpace(c.code)) break;
    begin += c.size;
  }
  return begin;
}

}  // namespace

Result<void> AddedTokenFinder::Add(const AddedToken& token, std::string_view content) {
  if (content.empty()) return {};
  if (content.size() > kMaxContent) {
    return Fail(ErrorCode::kResourceExhausted, "added token {}: {} bytes, at most {} are read", token.id,
                content.size(), kMaxContent);
  }
  trie_.Insert(content, static_cast<int32_t>(tokens_.size()));  // of equal contents the later token wins
  tokens_.push_back(token);
  return {};
}

bool AddedTokenFinder::Next(std::string_view text, bool parse_special, Cursor& cursor, Match& match) const {
  if (tokens_.empty()) return false;
  for (size_t i = cursor.search; i < text.size(); i++) {
    if (!trie_.CanStart(text[i])) continue;
    const AddedToken* found = nullptr;
    size_t end = 0;
    uint32_t node = ByteTrie::kRoot;
    for (size_t j = i; j < text.size(); j++) {
      node = trie_.Step(node, text[j]);
      if (node == ByteTrie::kDeadEnd) break;
      if (trie_.ValueAt(node) < 0) continue;
      const AddedToken& token = tokens_[static_cast<size_t>(trie_.ValueAt(node))];
      if (token.special && !parse_special) continue;
      found = &token;
      end = j + 1;
    }
    if (found == nullptr) continue;
    cursor.search = end;
    if (found->single_word) {
      const bool joined_before = i > 0 && IsWordForTokens(ReadUtf8Before(text.data() + i).code);
      const bool joined_after = end < text.size() && IsWordForTokens(ReadUtf8(text.data() + end).code);
      if (joined_before || joined_after) {
        i = end - 1;
        continue;
      }
    }
    match.begin = found->lstrip ? std::max(SpaceBegin(text.substr(0, i), i), cursor.taken) : i;
    match.end = found->rstrip ? SpaceEnd(text, end) : end;
    match.token = found;
    cursor.search = cursor.taken = match.end;
    return true;
  }
  return false;
}

}  // namespace bothy
