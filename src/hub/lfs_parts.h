// Parts of a large file that a client sends one by one (multipart), until it says that they are complete.
//
// A part is found by who sent it, for which content, at which place, and by the SHA-256 of its own bytes, which is the
// tag that the client got for it: nobody can name a part that they have not sent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/byte_source.h"
#include "crypto/sha.h"
#include "hub/lfs_tickets.h"
#include "store/blobs/blob_store.h"

namespace bothy {

inline constexpr uint64_t kLfsPartBytes = uint64_t{64} << 20;  // of each but the last
inline constexpr uint64_t kMaxLfsParts = 10'000;               // as S3 has it

constexpr uint64_t LfsPartCount(uint64_t size) { return (size + kLfsPartBytes - 1) / kLfsPartBytes; }
// `number` counts from 1.
constexpr uint64_t LfsPartBytes(uint64_t size, uint64_t number) {
  return number < LfsPartCount(size) ? kLfsPartBytes : size - (LfsPartCount(size) - 1) * kLfsPartBytes;
}

class LfsParts {
 public:
  static Result<LfsParts> Open(const std::filesystem::path& data);

  // Takes a part's bytes; its tag. kInvalidArgument where there are more or fewer than it has to have.
  class Writer {
   public:
    Result<void> Write(std::span<const std::byte> bytes);
    Result<std::string> Finish();

   private:
    friend class LfsParts;
    Writer(BlobStore& store, const LfsTicket& ticket, uint64_t number, std::unique_ptr<BlobWriter> blob)
        : store_(store), ticket_(ticket), number_(number), blob_(std::move(blob)) {}
    BlobStore& store_;
    const LfsTicket ticket_;
    const uint64_t number_;
    std::unique_ptr<BlobWriter> blob_;
    Sha256 sha256_;
  };
  Result<Writer> Create(const LfsTicket& ticket, uint64_t number);

  // kNotFound where this user has not sent such a part.
  Result<std::unique_ptr<ByteSource>> OpenPart(const LfsTicket& ticket, uint64_t number, std::string_view tag) const;

  // The parts are not needed any more.
  Result<void> Remove(const LfsTicket& ticket, uint64_t number, std::string_view tag);

  // What nobody has completed since.
  Result<void> RemoveOlderThan(std::chrono::sys_seconds time);

 private:
  explicit LfsParts(std::unique_ptr<BlobStore> store) : store_(std::move(store)) {}

  std::unique_ptr<BlobStore> store_;
};

}  // namespace bothy
