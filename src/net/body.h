// Content that flows: read piece by piece, written piece by piece, never whole in memory unless asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/task.h"

namespace bothy::net {

inline std::span<const std::byte> AsBytes(std::string_view text) { return std::as_bytes(std::span(text)); }

struct FileSlice;

class BodyReader {
 public:
  virtual ~BodyReader() = default;

  // Reads at least one byte into `out`, which is not empty; 0 is the end.
  virtual Task<Result<size_t>> Read(std::span<std::byte> out) = 0;
};

class BodyWriter {
 public:
  virtual ~BodyWriter() = default;

  // Returns when the peer (or the system for it) has taken all of it, so that who writes is as slow as who reads.
  virtual Task<Result<void>> Write(std::span<const std::byte> bytes) = 0;
  Task<Result<void>> Write(std::string_view text) { return Write(AsBytes(text)); }

  // The same for a part of a file, which does not pass through memory where the connection can do without.
  virtual Task<Result<void>> WriteFile(FileSlice slice) = 0;
};

// The whole content; kResourceExhausted where it is longer than `limit`.
Task<Result<std::string>> ReadAll(BodyReader& body, size_t limit);

// Content in memory: for tests, and for what is already there.
class MemoryBody final : public BodyReader {
 public:
  // Hands out at most `piece` bytes at a time.
  explicit MemoryBody(std::string content, size_t piece = SIZE_MAX) : content_(std::move(content)), piece_(piece) {}
  Task<Result<size_t>> Read(std::span<std::byte> out) override;

 private:
  std::string content_;
  size_t position_ = 0;
  size_t piece_;
};

}  // namespace bothy::net
