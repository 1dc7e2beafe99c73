#include "runtime/sampling/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace bothy {
namespace {

// Bytes at the end that begin a UTF-8 character without ending it.
size_t UnfinishedBytes(std::string_view text) {
  for (size_t n = 1; n <= std::min<size_t>(3, text.size()); n++) {
    const auto byte = static_cast<unsigned char>(text[text.size() - n]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t whole = byte >= 0xF0 && byte <= 0xF4 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1;
    return byte <= 0xF4 && whole > n ? n : 0;
  }
  return 0;
}

}  // namespace

StopMatcher::StopMatcher(std::vector<std::string> stops) {
  for (auto& stop : stops) {
    Pattern pattern{std::move(stop), {}, 0};
    // Knuth, Morris, Pratt 1977.
    pattern.shorter.assign(pattern.text.size() + 1, 0);
    for (size_t i = 1, n = 0; i < pattern.text.size(); i++) {
      while (n > 0 && pattern.text[i] != pattern.text[n]) n = pattern.shorter[n];
      if (pattern.text[i] == pattern.text[n]) n++;
      pattern.shorter[i + 1] = n;
    }
    patterns_.push_back(std::move(pattern));
  }
}

std::string StopMatcher::Append(std::string_view piece) {
  if (found_) return {};
  size_t undecided = 0;
  for (size_t i = 0; i < piece.size(); i++) {
    undecided = 0;
    for (size_t p = 0; p < patterns_.size(); p++) {
      auto& [text, shorter, matched] = patterns_[p];
      if (text.empty()) continue;
      while (matched > 0 && text[matched] != piece[i]) matched = shorter[matched];
      if (text[matched] == piece[i]) matched++;
      if (matched == text.size() && (!found_ || matched > patterns_[*found_].text.size())) found_ = p;
      undecided = std::max(undecided, matched);
    }
    if (found_) {
      held_.append(piece.substr(0, i + 1));
      held_.resize(held_.size() - patterns_[*found_].text.size());
      return std::exchange(held_, {});
    }
  }
  if (piece.empty()) return {};
  held_.append(piece);
  const size_t shown = held_.size() - std::max(undecided, UnfinishedBytes(held_));
  std::string result = held_.substr(0, shown);
  held_.erase(0, shown);
  return result;
}

std::string StopMatcher::Finish() { return std::exchange(held_, {}); }

}  // namespace bothy
