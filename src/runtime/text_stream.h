// The text of one continuation: its tokens go in one by one, whole characters come out, and a stop string ends it
// without being shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/sampling/stop_matcher.h"
#include "text/tokenizer.h"

namespace bothy {

class TextStream {
 public:
  // The tokenizer must outlive it.
  TextStream(const Tokenizer& tokenizer, std::vector<std::string> stop_strings, bool show_special_tokens = false)
      : decoder_(tokenizer, !show_special_tokens), stops_(std::move(stop_strings)) {}

  // What can be shown now. After a stop string was found that is nothing.
  std::string Push(int32_t token) { return stops_.Append(decoder_.Push(token)); }

  // What was held back: there are no more tokens.
  std::string Finish() {
    if (stops_.found()) return {};
    std::string rest = stops_.Append(decoder_.Finish());
    return rest += stops_.Finish();
  }

  // The index of the stop string that was found.
  std::optional<size_t> stop() const { return stops_.found(); }

 private:
  StreamingDecoder decoder_;
  StopMatcher stops_;
};

}  // namespace bothy
