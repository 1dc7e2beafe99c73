// Reads and verifies xorbs while they arrive, in the memory of two chunks.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/xet/lz4_frame.h"
#include "codec/xet/xorb_format.h"

namespace bothy::xet {

// for (; !bytes.empty();) { if (TRY(reader.Next(bytes))) Store(reader.hash(), reader.content()); }
class XorbReader {
 public:
  explicit XorbReader(std::string name) : name_(std::move(name)) {}  // for messages

  // Takes bytes from the front of `bytes`, which may be cut anywhere: true as soon as another chunk is whole, false
  // when all are taken. Whatever breaks the format or its limits is kCorrupt, and the reader is then of no more use.
  Result<bool> Next(std::span<const std::byte>& bytes);

  // The chunk that Next has just found. `content` may lie in what Next was given, and is good until it is called again.
  const Hash& hash() const { return chunks_.back().hash; }
  std::span<const std::byte> content() const { return content_; }

  // All chunks so far, of which the last is the one that Next has just found.
  std::span<const XorbChunk> chunks() const { return chunks_; }

  // When all bytes were given: checks that they are a whole xorb of at least one chunk whose hash is `expected`, and
  // that the footer, if there is one, says the same.
  Result<Xorb> Finish(const Hash& expected);

  // The same for a row of chunks out of a xorb, as downloads are: without the hash of the whole.
  Result<std::vector<XorbChunk>> FinishPart();

 private:
  enum class Part { kHeader, kChunk, kFooter };
  struct Header {
    Scheme scheme = Scheme::kNone;
    uint32_t stored = 0, raw = 0;
  };

  bool Collect(std::span<const std::byte>& bytes, size_t size);
  Result<void> ReadHeader(std::span<const std::byte> bytes);
  Result<void> Unpack(std::span<const std::byte> stored);
  Result<void> CheckFooter(const Hash& hash) const;
  template <class... Args>
  tl::unexpected<Error> Corrupt(fmt::format_string<Args...> format, Args&&... args) const;

  std::string name_;
  Part part_ = Part::kHeader;
  Header header_;
  uint32_t offset_ = 0;  // of what is being read: a header, a chunk's bytes, the footer
  std::vector<std::byte> collected_;
  std::span<const std::byte> whole_;  // what Collect has found, here or in the input
  std::vector<std::byte> raw_, grouped_;
  std::span<const std::byte> content_;
  std::vector<XorbChunk> chunks_;
  Lz4Frames lz4_;
};

}  // namespace bothy::xet
