// A source of bytes at random positions, which every parser and loader reads from: a file now, a hub file's segments
// later. Nothing above it knows where bytes lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace bothy {

class ByteSource {  // Safe to read from several threads at once.
 public:
  virtual ~ByteSource() = default;

  const std::string& name() const { return name_; }  // for messages: a path, or ns/name:file
  uint64_t size() const { return size_; }

  // Fills `out` with the bytes from `offset` on. Reading past the end is kOutOfRange.
  Result<void> Read(uint64_t offset, std::span<std::byte> out) const;

  // The whole content, for small files: kResourceExhausted where it is larger than `limit`.
  Result<std::string> ReadAll(uint64_t limit) const;

 protected:
  ByteSource(std::string name, uint64_t size) : name_(std::move(name)), size_(size) {}
  virtual Result<void> ReadRange(uint64_t offset, std::span<std::byte> out) const = 0;

 private:
  std::string name_;
  uint64_t size_;
};

// A file, read by pread: a weight is copied once, into its packed form, so a mapping would only double what is resident
// and turn a file that is cut short while we read into a signal.
Result<std::unique_ptr<ByteSource>> OpenFile(const std::filesystem::path& path);

// Bytes in memory, for tests, fuzzers and members of archives.
std::unique_ptr<ByteSource> MemorySource(std::string name, std::vector<std::byte> bytes);
std::unique_ptr<ByteSource> MemorySource(std::string name, std::string_view bytes);

}  // namespace bothy
