// A folder that after a crash, an error or a change of mind is either there whole or not at all.
#pragma once

#include <filesystem>
#include <utility>

#include "base/error.h"

namespace bothy {

class PartFolder {
 public:
  // Makes it, for its owner alone. kAlreadyExists where anything is there.
  static Result<PartFolder> Make(std::filesystem::path path);
  ~PartFolder();  // removes it unless it was moved
  PartFolder(PartFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PartFolder& operator=(PartFolder&&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Makes sure that all of it is on the disk, then gives it its name, where nothing or an empty folder may be.
  Result<void> MoveTo(const std::filesystem::path& target);

 private:
  explicit PartFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;  // empty: moved
};

}  // namespace bothy
