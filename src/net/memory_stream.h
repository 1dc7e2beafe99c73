// A byte stream without a peer, for tests and fuzzers: what will be read is given, what is written is kept.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "net/byte_stream.h"

namespace bothy::net {

class MemoryStream final : public ByteStream {
 public:
  // Hands out at most `piece` bytes a read; then the end.
  explicit MemoryStream(std::string input, size_t piece = SIZE_MAX) : input_(std::move(input)), piece_(piece) {}

  const std::string& written() const { return written_; }

  Result<std::optional<size_t>> TryRead(std::span<std::byte> out) override {
    const size_t count = std::min({out.size(), input_.size() - position_, piece_});
    std::memcpy(out.data(), input_.data() + position_, count);
    position_ += count;
    return count;
  }
  Result<std::optional<size_t>> TryWrite(std::span<const std::byte> bytes, bool) override {
    const size_t count = std::min(bytes.size(), piece_);
    written_.append(reinterpret_cast<const char*>(bytes.data()), count);
    return count;
  }
  Result<std::optional<size_t>> TrySendFile(int, uint64_t, size_t, bool) override {
    return Fail(ErrorCode::kUnimplemented, "no files in memory");
  }
  Task<Result<void>> WaitToRead(Deadline) override { co_return Result<void>(); }
  Task<Result<void>> WaitToWrite(Deadline) override { co_return Result<void>(); }

 private:
  std::string input_;
  size_t position_ = 0;
  size_t piece_;
  std::string written_;
};

}  // namespace bothy::net
