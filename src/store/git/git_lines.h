// The output of the git program, line by line. Internal to store/git.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy::git {

class LineCutter {
 public:
  static constexpr size_t kMaxLineBytes = 64 * 1024;  // an oid and a path; more of a longer one is passed over

  explicit LineCutter(std::function<Result<void>(std::string_view)> consume) : consume_(std::move(consume)) {}
  Result<void> Add(std::string_view text) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      const std::string_view piece = text.substr(0, end);
      line_.append(piece.substr(0, kMaxLineBytes - std::min(kMaxLineBytes, line_.size())));
      if (end == std::string_view::npos) return {};
      text.remove_prefix(end + 1);
      TRY(consume_(line_));
      line_.clear();
    }
    return {};
  }

 private:
  std::function<Result<void>(std::string_view)> consume_;
  std::string line_;
};

}  // namespace bothy::git
