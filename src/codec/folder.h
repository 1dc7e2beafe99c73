// The files of a model, by name: a folder on disk now, a revision of a repository later.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "codec/json.h"

namespace bothy {

class Folder {
 public:
  virtual ~Folder() = default;

  const std::string& name() const { return name_; }                 // for messages
  const std::vector<std::string>& files() const { return files_; }  // names without folders, sorted
  bool Has(std::string_view file) const;

  // kNotFound where there is none; kInvalidArgument for what is no plain name (names come from files, too).
  Result<std::shared_ptr<const ByteSource>> Open(std::string_view file) const;

  // A JSON object; nothing where there is no such file.
  Result<std::optional<json::object>> ReadObject(std::string_view file, uint64_t limit) const;

 protected:
  Folder(std::string name, std::vector<std::string> files);
  virtual Result<std::unique_ptr<ByteSource>> OpenPlain(const std::string& file) const = 0;

 private:
  std::string name_;
  std::vector<std::string> files_;
};

// What the folder holds now: files that come later are not seen. Links are followed.
Result<std::unique_ptr<Folder>> OpenFolder(const std::filesystem::path& path);

}  // namespace bothy
