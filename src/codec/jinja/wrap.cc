#include "codec/jinja/wrap.h"

#include <algorithm>

#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

using Chunk = std::u32string_view;

bool IsBlank(char32_t c) { return c == ' ' || (c >= 0x09 && c <= 0x0D); }
bool IsLetter(char32_t c) { return IsWordCharacter(c) && !IsDecimal(c); }
bool IsWordOrPunctuation(char32_t c) { return IsWordCharacter(c) || Chunk(U"!\"'&.,?").find(c) != Chunk::npos; }

bool IsAllSpace(Chunk chunk) { return std::all_of(chunk.begin(), chunk.end(), IsSpace); }

// Where the next chunk ends: a run of blanks, a dash between words, or a word up to a hyphen, a dash or a blank.
class Splitter {
 public:
  Splitter(const std::u32string& text, bool on_hyphens) : text_(text), on_hyphens_(on_hyphens) {}

  size_t ChunkEnd(size_t i) const {
    if (IsBlank(text_[i])) {
      while (i < text_.size() && IsBlank(text_[i])) ++i;
      return i;
    }
    if (!on_hyphens_) {
      while (i < text_.size() && !IsBlank(text_[i])) ++i;
      return i;
    }
    if (i > 0 && IsWordOrPunctuation(text_[i - 1])) {
      if (const size_t dash = DashEnd(i); dash != i) return dash;
    }
    for (size_t end = i + 1;; ++end) {
      if (end == text_.size() || IsBlank(text_[end])) return end;
      if (text_[end] == '-' && IsHyphen(end)) return end + 1;
      if (IsWordOrPunctuation(text_[end - 1]) && DashEnd(end) != end) return end;
    }
  }

 private:
  char32_t At(size_t i) const { return i < text_.size() ? text_[i] : U'\0'; }
  bool LetterAt(size_t i) const { return i < text_.size() && IsLetter(text_[i]); }

  // Behind two or more dashes that a word character follows; `i` where there are none.
  size_t DashEnd(size_t i) const {
    size_t end = i;
    while (At(end) == '-') ++end;
    return end - i >= 2 && end < text_.size() && IsWordCharacter(text_[end]) ? end : i;
  }

  // A hyphen in a word: two letters before it, or a letter, a hyphen and one character; two letters behind.
  bool IsHyphen(size_t i) const {
    const bool letters = i >= 2 && IsLetter(text_[i - 1]) && IsLetter(text_[i - 2]);
    const bool again = i >= 3 && IsWordOrPunctuation(text_[i - 1]) && text_[i - 2] == '-' && IsLetter(text_[i - 3]);
    if (!letters && !again) return false;
    return LetterAt(i + 1) && (LetterAt(i + 2) || (At(i + 2) == '-' && LetterAt(i + 3)));
  }

  const std::u32string& text_;
  bool on_hyphens_;
};

// How much of a chunk that is longer than a line goes into the `room` that is left.
size_t BreakAt(Chunk chunk, size_t room, bool on_hyphens) {
  if (!on_hyphens || chunk.size() <= room) return std::min(room, chunk.size());
  const size_t hyphen = room == 0 ? Chunk::npos : chunk.substr(0, room).rfind('-');
  if (hyphen == Chunk::npos || hyphen == 0) return room;
  const Chunk before = chunk.substr(0, hyphen);
  return before.find_first_not_of('-') != Chunk::npos ? hyphen + 1 : room;
}

}  // namespace

std::vector<std::string> WrapText(std::string_view text, const WrapOptions& options) {
  const std::u32string points = CodePoints(text);
  const Splitter splitter(points, options.break_on_hyphens);
  std::vector<Chunk> chunks;
  for (size_t i = 0; i < points.size();) {
    const size_t end = splitter.ChunkEnd(i);
    chunks.push_back(Chunk(points).substr(i, end - i));
    i = end;
  }
  const auto width = static_cast<size_t>(options.width);
  std::vector<std::string> lines;
  for (size_t next = 0; next < chunks.size();) {
    if (!lines.empty() && IsAllSpace(chunks[next]) && ++next == chunks.size()) break;
    std::vector<Chunk> line;
    size_t length = 0;
    while (next < chunks.size() && length + chunks[next].size() <= width) {
      length += chunks[next].size();
      line.push_back(chunks[next++]);
    }
    if (next < chunks.size() && chunks[next].size() > width) {
      if (options.break_long_words) {
        const size_t end = BreakAt(chunks[next], width - length, options.break_on_hyphens);
        line.push_back(chunks[next].substr(0, end));
        chunks[next].remove_prefix(end);
      } else if (line.empty()) {
        line.push_back(chunks[next++]);
      }
    }
    if (!line.empty() && IsAllSpace(line.back())) line.pop_back();
    if (line.empty()) continue;
    std::string& out = lines.emplace_back();
    for (const Chunk chunk : line) {
      for (const char32_t c : chunk) AppendCodePoint(out, c);
    }
  }
  return lines;
}

}  // namespace bothy::jinja
