#include "hub/repository_folder.h"

#include <fstream>

#include "base/output_file.h"
#include "store/git/repository.h"

namespace bothy {
namespace {

constexpr std::string_view kIdFile = "bothy-id";

// Calls `use` with the name of every entry of a folder; there is none where the folder is not there.
template <class Use>
Result<void> ForEachName(const std::filesystem::path& folder, const Use& use) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    TRY(use(it->path().filename().string()));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Fail(ErrorCode::kInternal, "{}: {}", folder.string(), error.message());
  }
  return {};
}

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

Result<void> ForEachFolder(const std::filesystem::path& root,
                           const std::function<Result<void>(const std::string& folder)>& use) {
  for (const RepositoryKind kind : kRepositoryKinds) {
    const std::string plural(KindPlural(kind));
    TRY(ForEachName(root / plural, [&](const std::string& owner) {
      return ForEachName(root / plural / owner,
                         [&](const std::string& name) { return use(fmt::format("{}/{}/{}", plural, owner, name)); });
    }));
  }
  return {};
}

bool IsLeftoverFolder(std::string_view folder) {
  return folder.substr(folder.rfind('/') + 1).starts_with(git::kTemporaryPrefix);
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
