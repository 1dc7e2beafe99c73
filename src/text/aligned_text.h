// A text that was changed on its way to the model and still knows, byte by byte, which part of the original it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/text_budget.h"
#include "text/utf8.h"

namespace bothy {

struct ByteSpan {
  uint32_t begin = 0, end = 0;
};

// A piece of text with its origin. Without `origin` it is a piece of the original itself, from byte `base` on.
struct Word {
  std::string_view text;
  const ByteSpan* origin = nullptr;  // one for each byte of text
  uint32_t base = 0;
  bool first = false;  // begins where the original begins

  Word Part(size_t begin, size_t end) const {
    return {text.substr(begin, end - begin), origin != nullptr ? origin + begin : nullptr,
            base + (origin != nullptr ? 0 : static_cast<uint32_t>(begin)), first && begin == 0};
  }
  // The bytes of the original that the character with byte `at` stands for.
  ByteSpan OriginOf(size_t at) const {
    if (origin != nullptr) return origin[at];
    while (at > 0 && IsUtf8Continuation(text[at])) at--;
    const auto begin = base + static_cast<uint32_t>(at);
    return {begin, begin + Utf8Size(text[at])};
  }
  ByteSpan OriginOf(size_t begin, size_t end) const {
    if (begin >= end) return {};
    return {OriginOf(begin).begin, OriginOf(end - 1).end};
  }
};

// A new text built from pieces of an old one. Where nobody asks for offsets only the text is kept.
class AlignedText {
 public:
  // Every byte that is written is taken from the budget; once that is exhausted nothing is written.
  AlignedText(bool tracked, TextBudget& budget) : tracked_(tracked), budget_(&budget) {}

  void Keep(const Word& from, size_t begin, size_t end) {  // copies a part
    if (!budget_->TakeBytes(end - begin)) return;
    text_.append(from.text.substr(begin, end - begin));
    if (!tracked_) return;
    for (size_t i = begin; i < end; i++) origin_.push_back(from.OriginOf(i));
  }
  void Put(std::string_view text, ByteSpan origin) {
    if (!budget_->TakeBytes(text.size())) return;
    text_.append(text);
    if (tracked_) origin_.insert(origin_.end(), text.size(), origin);
  }
  void Put(char32_t code, ByteSpan origin) {
    if (!budget_->TakeBytes(4)) return;
    const size_t before = text_.size();
    AppendUtf8(text_, code);
    if (tracked_) origin_.insert(origin_.end(), text_.size() - before, origin);
  }
  void RemoveEnd(size_t bytes) {
    text_.resize(text_.size() - bytes);
    if (tracked_) origin_.resize(text_.size());
  }
  void Clear() {
    text_.clear();
    origin_.clear();
  }

  // The whole of it, which stands for `from`. Where origins are not kept the offsets of its parts mean nothing.
  Word AsWord(const Word& from) const { return {text_, tracked_ ? origin_.data() : nullptr, from.base, from.first}; }
  const std::string& text() const { return text_; }
  bool tracked() const { return tracked_; }
  TextBudget& budget() const { return *budget_; }

 private:
  std::string text_;
  std::vector<ByteSpan> origin_;
  bool tracked_;
  TextBudget* budget_;
};

// Copies a text character by character with changes, and gives each new character the origin that Hugging Face's
// NormalizedString gives it.
class Rewriter {
 public:
  Rewriter(const Word& from, AlignedText& to) : from_(from), to_(to) {}

  size_t at() const { return at_; }
  void KeepTo(size_t end) {
    to_.Keep(from_, at_, end);
    at_ = end;
  }
  void Skip(size_t bytes) { at_ += bytes; }

  // change 0: `code` stands in the place of the next character; -n: of the next and n more; 1: it is put in besides,
  // and counts as part of the character before.
  void Put(char32_t code, int change) {
    if (change > 0) {
      to_.Put(code, at_ > 0 && to_.tracked() ? from_.OriginOf(at_ - 1) : ByteSpan{});
      return;
    }
    to_.Put(code, at_ < from_.text.size() && to_.tracked() ? from_.OriginOf(at_) : ByteSpan{});
    for (; change <= 0 && at_ < from_.text.size(); change++) at_ += Utf8Size(from_.text[at_]);
  }

 private:
  const Word& from_;
  AlignedText& to_;
  size_t at_ = 0;
};

}  // namespace bothy
