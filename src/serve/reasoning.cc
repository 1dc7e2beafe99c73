#include "serve/reasoning.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bothy::serve {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr size_t kMaxBlanks = 64;  // that are held back; more are not what stands around thoughts

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kTags = {
    {{"<think>", "</think>"}, {"<|START_THINKING|>", "<|END_THINKING|>"}, {"[THINK]", "[/THINK]"}}};

// How many of the text's last bytes may be the beginning of `marker` and the blanks before it.
size_t Undecided(std::string_view text, std::string_view marker) {
  size_t tail = 0;
  for (size_t n = std::min(text.size(), marker.size() - 1); n > 0 && tail == 0; n--) {
    if (text.ends_with(marker.substr(0, n))) tail = n;
  }
  const size_t last = text.substr(0, text.size() - tail).find_last_not_of(kBlanks);
  return std::min(text.size() - (last == std::string_view::npos ? 0 : last + 1), tail + kMaxBlanks);
}

}  // namespace

ReasoningTags FindReasoningTags(std::string_view source) {
  for (const auto& [open, close] : kTags) {
    if (source.find(open) != std::string_view::npos || source.find(close) != std::string_view::npos) {
      return {std::string(open), std::string(close)};
    }
  }
  return {};
}

ReasoningReader::ReasoningReader(ReasoningTags tags, std::string_view prompt)
    : tags_(std::move(tags)), state_(tags_.open.empty() ? State::kText : State::kStart) {
  const size_t end = prompt.find_last_not_of(kBlanks);
  if (state_ != State::kStart || end == std::string_view::npos) return;
  const std::string_view said = prompt.substr(0, end + 1);
  if (said.ends_with(tags_.open)) state_ = State::kThinking;
  if (said.ends_with(tags_.close)) state_ = State::kText;
}

ReasoningReader::Parts ReasoningReader::Feed(std::string_view piece) {
  Parts parts;
  if (state_ == State::kText) {
    parts.text = piece;
    return parts;
  }
  held_ += piece;
  if (state_ == State::kStart) {
    const size_t begin = held_.find_first_not_of(kBlanks);
    if (begin == std::string::npos) return parts;
    const std::string_view said = std::string_view(held_).substr(begin);
    if (said.starts_with(tags_.open)) {
      held_.erase(0, begin + tags_.open.size());
      state_ = State::kThinking;
    } else if (tags_.open.starts_with(said)) {
      return parts;
    } else {
      state_ = State::kText;
      parts.text = std::exchange(held_, "");
      return parts;
    }
  }
  if (state_ == State::kThinking) {
    if (!shown_) held_.erase(0, std::min(held_.find_first_not_of(kBlanks), held_.size()));
    const size_t close = held_.find(tags_.close);
    const bool ends = close != std::string::npos;
    std::string_view certain = std::string_view(held_).substr(0, ends ? close : held_.size());
    certain.remove_suffix(ends ? certain.size() - (certain.find_last_not_of(kBlanks) + 1)
                               : Undecided(certain, tags_.close));
    parts.reasoning = certain;
    shown_ = shown_ || !certain.empty();
    held_.erase(0, ends ? close + tags_.close.size() : certain.size());
    if (!ends) return parts;
    state_ = State::kBehind;
  }
  held_.erase(0, std::min(held_.find_first_not_of(kBlanks), held_.size()));
  if (held_.empty()) return parts;
  state_ = State::kText;
  parts.text = std::exchange(held_, "");
  return parts;
}

ReasoningReader::Parts ReasoningReader::Finish() {
  Parts parts;
  // Of what was held back, the beginning of a mark is what the model said, in whichever part it was.
  (state_ == State::kThinking ? parts.reasoning : parts.text) = std::exchange(held_, "");
  return parts;
}

}  // namespace bothy::serve
