#include "codec/folder.h"

#include <algorithm>

namespace bothy {
namespace {

class FolderOnDisk final : public Folder {
 public:
  FolderOnDisk(const std::filesystem::path& path, std::vector<std::string> files)
      : Folder(path.string(), std::move(files)), path_(path) {}

 private:
  Result<std::unique_ptr<ByteSource>> OpenPlain(const std::string& file) const override {
    return OpenFile(path_ / file);
  }

  std::filesystem::path path_;
};

}  // namespace

Folder::Folder(std::string name, std::vector<std::string> files) : name_(std::move(name)), files_(std::move(files)) {
  std::ranges::sort(files_);
}

bool Folder::Has(std::string_view file) const { return std::ranges::binary_search(files_, file, {}); }

Result<std::shared_ptr<const ByteSource>> Folder::Open(std::string_view file) const {
  if (file.empty() || file == "." || file == ".." || file.find_first_of(std::string_view("/\\\0", 3)) != file.npos) {
    return Fail(ErrorCode::kInvalidArgument, "{}: expected the plain name of a file, found \"{}\"", name_, file);
  }
  if (!Has(file)) return Fail(ErrorCode::kNotFound, "{}: there is no file \"{}\"", name_, file);
  return TRY(OpenPlain(std::string(file)));
}

Result<std::optional<json::object>> Folder::ReadObject(std::string_view file, uint64_t limit) const {
  if (!Has(file)) return std::nullopt;
  const auto source = TRY(Open(file));
  const auto text = TRY(source->ReadAll(limit));
  auto parsed = TRY(json::Parse(text, source->name()));
  if (!parsed.is_object()) {
    return Fail(ErrorCode::kCorrupt, "{}: expected a JSON object, found another value", source->name());
  }
  return std::move(parsed.get_object());
}

Result<std::unique_ptr<Folder>> OpenFolder(const std::filesystem::path& path) {
  std::error_code error;
  std::vector<std::string> files;
  for (auto entry = std::filesystem::directory_iterator(path, error); !error && entry != end(entry);
       entry.increment(error)) {
    std::error_code dangling;
    if (entry->is_regular_file(dangling)) files.push_back(entry->path().filename().string());
  }
  if (error) {
    const ErrorCode code = error == std::errc::no_such_file_or_directory ? ErrorCode::kNotFound
                           : error == std::errc::permission_denied       ? ErrorCode::kPermissionDenied
                                                                         : ErrorCode::kInvalidArgument;
    return Fail(code, "{}: {}", path.string(), error.message());
  }
  return std::make_unique<FolderOnDisk>(path, std::move(files));
}

}  // namespace bothy
