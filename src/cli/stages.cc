#include "cli/stages.h"

#include <fmt/core.h>

namespace bothy::cli {

bool Stages::Update(std::string_view what, uint64_t done, uint64_t total) {
  if (what != what_) {
    progress_.reset();
    progress_.emplace(fmt::format("{} {}:", doing_, what));
    what_ = what;
  }
  what == "content" || what == "database" ? progress_->Update(done, total) : progress_->UpdateCount(done, total);
  return !Interrupted();
}

void Stages::Clear() {
  progress_.reset();
  what_.clear();
}

}  // namespace bothy::cli
