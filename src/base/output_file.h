// Writes a file that after a crash, an error or a change of mind is either there whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy {

class OutputFile {
 public:
  // Writes to a temporary name beside `path`. What `path` names stays as it is until Commit; if that is no regular file
  // (a folder, a device), it is kInvalidArgument now.
  static Result<std::unique_ptr<OutputFile>> Create(const std::filesystem::path& path);
  ~OutputFile();  // removes the temporary file unless Commit has succeeded
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& name() const { return name_; }
  uint64_t offset() const { return offset_; }  // bytes written so far

  Result<void> Write(std::span<const std::byte> bytes);
  Result<void> Write(std::string_view text) { return Write(std::as_bytes(std::span(text))); }

  // Makes sure that the bytes are on the disk, then gives them their name. Nothing may be written afterwards.
  Result<void> Commit();

 private:
  OutputFile(std::filesystem::path path, std::filesystem::path temporary, int fd);
  Result<void> WriteThrough(std::span<const std::byte> bytes);
  tl::unexpected<Error> SystemError(std::string_view doing) const;

  std::string name_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_;
  uint64_t offset_ = 0;
  std::string buffer_;
};

}  // namespace bothy
