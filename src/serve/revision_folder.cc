#include "serve/revision_folder.h"

#include <map>

#include "client/file_choice.h"

namespace bothy::serve {
namespace {

// Files that git holds itself: tokenizers and settings; weights are large files.
constexpr uint64_t kMaxInMemory = uint64_t{256} << 20;

class RevisionFolder final : public Folder {
 public:
  RevisionFolder(std::string name, std::shared_ptr<const RepositoryFiles> files,
                 std::map<std::string, RepositoryEntry, std::less<>> entries)
      : Folder(std::move(name), NamesOf(entries)), files_(std::move(files)), entries_(std::move(entries)) {}

 private:
  static std::vector<std::string> NamesOf(const std::map<std::string, RepositoryEntry, std::less<>>& entries) {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries) names.push_back(name);
    return names;
  }

  Result<std::unique_ptr<ByteSource>> OpenPlain(const std::string& file) const override {
    return files_->Open(entries_.find(file)->second, kMaxInMemory);
  }

  std::shared_ptr<const RepositoryFiles> files_;
  std::map<std::string, RepositoryEntry, std::less<>> entries_;  // by name without folders
};

Result<std::vector<RepositoryEntry>> List(const RepositoryFiles& files, const git::Oid& commit,
                                          const std::string& folder, bool recursive, const std::string& name) {
  std::vector<RepositoryEntry> found;
  TreeOptions options{.folder = folder, .recursive = recursive};
  do {
    TreePage page = TRY(files.ListTree(commit, options));
    for (RepositoryEntry& entry : page.entries) {
      if (!entry.is_folder) found.push_back(std::move(entry));
    }
    if (found.size() > kMaxModelFiles) {
      return Fail(ErrorCode::kResourceExhausted, "{}: more than {} files, too many to look for a model among", name,
                  kMaxModelFiles);
    }
    options.cursor = page.cursor;
  } while (!options.cursor.empty());
  return found;
}

}  // namespace

Result<ModelFiles> OpenRevision(std::shared_ptr<const RepositoryFiles> files, const git::Oid& commit,
                                const std::string& wanted, const std::string& name) {
  std::string folder, file;
  if (!wanted.empty()) {
    std::vector<std::string> paths;
    for (const RepositoryEntry& entry : TRY(List(*files, commit, "", true, name))) paths.push_back(entry.path);
    file = TRY(ChooseFiles(name, paths, wanted)).front();
    if (const size_t slash = file.rfind('/'); slash != std::string::npos) {
      folder = file.substr(0, slash);
      file = file.substr(slash + 1);
    }
  }
  std::map<std::string, RepositoryEntry, std::less<>> entries;
  for (RepositoryEntry& entry : TRY(List(*files, commit, folder, false, name))) {
    std::string plain = entry.path.substr(folder.empty() ? 0 : folder.size() + 1);
    entries.emplace(std::move(plain), std::move(entry));
  }
  auto opened = std::make_shared<RevisionFolder>(name, std::move(files), std::move(entries));
  return OpenModelFiles(name, std::move(opened), file);
}

}  // namespace bothy::serve
