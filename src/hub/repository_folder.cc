#include "hub/repository_folder.h"

#include <fstream>

#include "base/output_file.h"

namespace bothy {
namespace {

constexpr std::string_view kIdFile = "bothy-id";

}  // namespace

std::string FolderOf(RepositoryKind kind, std::string_view owner, std::string_view name) {
  return fmt::format("{}/{}/{}.git", KindPlural(kind), owner, name);
}

std::optional<FolderNames> NamesOfFolder(std::string_view folder) {
  constexpr std::string_view kEnding = ".git";
  const size_t first = folder.find('/');
  const size_t last = folder.rfind('/');
  if (first == last || !folder.ends_with(kEnding)) return std::nullopt;
  folder.remove_suffix(kEnding.size());
  return FolderNames{std::string(folder.substr(first + 1, last - first - 1)), std::string(folder.substr(last + 1))};
}

std::optional<int64_t> ReadRepositoryId(const std::filesystem::path& folder) {
  std::ifstream file(folder / kIdFile);
  int64_t id = 0;
  if (!(file >> id)) return std::nullopt;
  return id;
}

Result<void> WriteRepositoryId(const std::filesystem::path& folder, int64_t id) {
  const auto file = TRY(OutputFile::Create(folder / kIdFile));
  TRY(file->Write(fmt::format("{}\n", id)));
  return file->Commit();
}

tl::unexpected<Error> NameIsTaken(RepositoryKind kind, std::string_view owner, std::string_view name) {
  return Fail(ErrorCode::kAlreadyExists, "A {} repository called {}/{} already exists", KindName(kind), owner, name);
}

}  // namespace bothy
