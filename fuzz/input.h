// How the targets read an input: as a source of bytes, as several files with zero bytes between, as a folder of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "codec/folder.h"

namespace bothy {

inline std::string_view InputText(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline std::shared_ptr<const ByteSource> InputSource(const uint8_t* data, size_t size) {
  return MemorySource("input", InputText(data, size));
}

// Takes what lies before the next zero byte, and that byte, off `input`; all of it where there is none.
inline std::string_view TakePart(std::string_view& input) {
  const size_t zero = std::min(input.find('\0'), input.size());
  const std::string_view part = input.substr(0, zero);
  input.remove_prefix(std::min(zero + 1, input.size()));
  return part;
}

// Files by name. What they hold must outlive it.
class FolderInMemory final : public Folder {
 public:
  using Files = std::map<std::string, std::string_view>;

  explicit FolderInMemory(Files files) : Folder("folder", Names(files)), contents_(std::move(files)) {}

 private:
  static std::vector<std::string> Names(const Files& files) {
    std::vector<std::string> names;
    for (const auto& [name, content] : files) names.push_back(name);
    return names;
  }
  Result<std::unique_ptr<ByteSource>> OpenPlain(const std::string& file) const override {
    return MemorySource(file, contents_.at(file));
  }

  Files contents_;
};

}  // namespace bothy
