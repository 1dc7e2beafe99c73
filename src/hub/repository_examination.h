// Whether one repository is whole: its folder is there, its objects are sound, and whatever its pointers lead to is
// here and listed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/repository.h"

namespace bothy {

class Hub;

// Something that is not as it has to be.
struct Finding {
  std::string_view kind;  // "missing_content": of a small set, for programs
  std::string subject;    // "models/ada/demo.git"
  std::string message;    // one line: what was expected, what was found, what can be done about it
  bool repaired = false;
};

struct ExaminationOptions {
  bool repair = false;
  bool quick = false;  // objects are there; that they are sound is not looked at
};

struct Examination {
  uint64_t large_files = 0;  // that its history points to, each once
  std::vector<Finding> findings;
};

// Looks again where something is wrong, and reports what is wrong both times: what a push, a move or a repack under way
// explains is gone by then. More than kMaxFindings are counted in the last of them.
inline constexpr size_t kMaxFindings = 1000;
Result<Examination> ExamineRepository(Hub& hub, const Repository& repository, const ExaminationOptions& options);

}  // namespace bothy
