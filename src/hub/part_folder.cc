#include "hub/part_folder.h"

#include "base/copy_file.h"

namespace bothy {

namespace fs = std::filesystem;

Result<PartFolder> PartFolder::Make(fs::path path) {
  std::error_code error;
  if (fs::exists(path, error)) return Fail(ErrorCode::kAlreadyExists, "{}: is there already", path.string());
  fs::create_directories(path, error);
  if (!error) fs::permissions(path, fs::perms::owner_all, error);
  if (error) return Fail(ErrorCode::kInvalidArgument, "{}: cannot be made: {}", path.string(), error.message());
  return PartFolder(std::move(path));
}

PartFolder::~PartFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<void> PartFolder::MoveTo(const fs::path& target) {
  TRY(SyncFileSystem(path_));
  std::error_code error;
  fs::rename(path_, target, error);
  if (error) return Fail(ErrorCode::kInternal, "{}: giving it its name: {}", target.string(), error.message());
  path_.clear();
  return SyncFileSystem(target);
}

}  // namespace bothy
