// Progress of what goes through several things one after the other: a line on stderr for each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/terminal.h"

namespace bothy::cli {

class Stages {
 public:
  // "checking": then the lines are "checking content: ...".
  explicit Stages(std::string doing) : doing_(std::move(doing)) {}

  // Bytes of "content" and of "database", of anything else how many. False once somebody has pressed Ctrl-C.
  bool Update(std::string_view what, uint64_t done, uint64_t total);
  void Clear();

 private:
  const std::string doing_;
  std::string what_;
  std::optional<Progress> progress_;
};

}  // namespace bothy::cli
