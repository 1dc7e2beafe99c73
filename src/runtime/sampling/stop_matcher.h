// Finds stop strings in text that arrives in pieces. What might be the beginning of one is held back until that is
// decided, so that nothing is ever shown and then taken away.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bothy {

class StopMatcher {
 public:
  // Empty strings never match.
  explicit StopMatcher(std::vector<std::string> stops);

  // Takes the next piece of the text, which may end anywhere, even within a character; returns what can be shown now,
  // whole characters only. When a stop string is complete (of several, the one that is complete first, of those the
  // longest), that is the text up to its beginning, and everything after it is ignored.
  std::string Append(std::string_view piece);

  // The text ends here: what was held back, where no stop string was found.
  std::string Finish();

  // Which stop string was found.
  std::optional<size_t> found() const { return found_; }
  const std::string& stop(size_t index) const { return patterns_[index].text; }

 private:
  struct Pattern {
    std::string text;
    std::vector<size_t> shorter;  // shorter[n]: of the first n bytes, the longest end that is also a beginning
    size_t matched = 0;
  };

  std::vector<Pattern> patterns_;
  std::string held_;
  std::optional<size_t> found_;
};

}  // namespace bothy
