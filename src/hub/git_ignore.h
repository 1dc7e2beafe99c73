// What a .gitignore file passes over. Behaviour of git 2.39 (gitignore(5), dir.c) with one file in the root.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "hub/path_pattern.h"

namespace bothy {

class GitIgnore {
 public:
  explicit GitIgnore(std::string_view text);

  // Whether the file is ignored, or a folder that it is in.
  bool Ignores(std::string_view path) const;

  uint64_t bytes() const { return bytes_; }

 private:
  struct Rule {
    PathPattern pattern;
    bool ignore;  // false for what begins with "!"
  };

  void AddLine(std::string_view line);
  bool IgnoresItself(std::string_view path, bool is_folder) const;

  std::vector<Rule> rules_;
  uint64_t bytes_ = 0;
};

}  // namespace bothy
