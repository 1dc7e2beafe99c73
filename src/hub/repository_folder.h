// Where a repository's folder belongs, and the file in it that says whose it is.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "hub/repository.h"

namespace bothy {

// "models/ada/demo.git"
std::string FolderOf(RepositoryKind kind, std::string_view owner, std::string_view name);
inline std::string FolderOf(const Repository& repository) {
  return FolderOf(repository.kind, repository.owner, repository.name);
}

struct FolderNames {
  std::string owner;
  std::string name;
};
// The other way round; nothing where it is no such folder.
std::optional<FolderNames> NamesOfFolder(std::string_view folder);

// Calls `use` with every "models/ada/demo.git" that there is below `root`, and with what a crash has left beside them,
// whose names begin with git::kTemporaryPrefix.
Result<void> ForEachFolder(const std::filesystem::path& root,
                           const std::function<Result<void>(const std::string& folder)>& use);
bool IsLeftoverFolder(std::string_view folder);

// Each git repository holds the number of its row, so that a folder that has taken the place of another is never
// mistaken for it. Nothing where it has none.
std::optional<int64_t> ReadRepositoryId(const std::filesystem::path& folder);
Result<void> WriteRepositoryId(const std::filesystem::path& folder, int64_t id);

// kAlreadyExists with the words that clients look for.
tl::unexpected<Error> NameIsTaken(RepositoryKind kind, std::string_view owner, std::string_view name);

}  // namespace bothy
