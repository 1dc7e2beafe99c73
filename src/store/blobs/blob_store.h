// Content kept under the hash of its bytes: whoever writes computes the hash on the way and commits under it. On a
// local disk now; nothing here assumes that a blob has a path.
//
// Durability: when Commit returns success, each of its blobs is whole under its name, also after a power cut. After an
// error or a crash, each is either there whole or not at all; that some of a group are there does no harm, because
// nothing refers to them yet. A name's content never changes: committing it again leaves the same bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "store/blobs/blob_name.h"

namespace bothy {

// Takes a blob's bytes, in any pieces, in memory that does not grow with them. For one thread at a time. Gone without
// Commit, it leaves nothing behind. After a failed Write it can only be dropped.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual Result<void> Write(std::span<const std::byte> bytes) = 0;
  Result<void> Write(std::string_view text) { return Write(std::as_bytes(std::span(text))); }

  // Nothing more follows: brings the bytes to the disk and gives back what holds them open, for who collects many
  // before committing them together.
  virtual Result<void> Close() = 0;

  uint64_t size() const { return size_; }  // bytes written so far

 protected:
  uint64_t size_ = 0;
};

struct NewBlob {
  BlobName name;
  std::unique_ptr<BlobWriter> content;  // of the same store
};

struct BlobInfo {
  BlobName name;
  uint64_t size = 0;
  std::chrono::sys_seconds committed;  // when it was last committed
};

// A part of an open file, for sendfile. Stays readable when the blob is removed.
class FileSlice {
 public:
  FileSlice(int fd, uint64_t offset, uint64_t size) : fd_(fd), offset_(offset), size_(size) {}
  FileSlice(FileSlice&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), offset_(other.offset_), size_(other.size_) {}
  FileSlice& operator=(FileSlice&& other) noexcept {
    std::swap(fd_, other.fd_);
    offset_ = other.offset_;
    size_ = other.size_;
    return *this;
  }
  ~FileSlice();  // closes it

  int fd() const { return fd_; }
  uint64_t offset() const { return offset_; }
  uint64_t size() const { return size_; }

 private:
  int fd_;
  uint64_t offset_;
  uint64_t size_;
};

class BlobStore {  // Safe to use from several threads and, for one folder or bucket, from several processes.
 public:
  virtual ~BlobStore() = default;

  // `expected_size`, where it is known: kResourceExhausted now instead of after having taken most of it.
  virtual Result<std::unique_ptr<BlobWriter>> Create(uint64_t expected_size = 0) = 0;

  // Many together cost less than one by one: the disk works on all of them while they are waited for.
  virtual Result<void> Commit(std::vector<NewBlob> blobs) = 0;
  Result<void> Commit(BlobName name, std::unique_ptr<BlobWriter> content);
  Result<void> Put(const BlobName& name, std::span<const std::byte> bytes);  // Create, Write, Commit

  // Nothing where there is no such blob.
  virtual Result<std::optional<uint64_t>> Size(const BlobName& name) const = 0;

  // Stays readable when the blob is removed, where the store has files. kNotFound.
  virtual Result<std::unique_ptr<ByteSource>> Open(const BlobName& name) const = 0;

  // Nothing where the store has no files: then Open and read. kNotFound; kOutOfRange past the end.
  virtual Result<std::optional<FileSlice>> OpenSlice(const BlobName& name, uint64_t offset, uint64_t size) const = 0;

  // A hint: nobody is expected to read it soon, so its bytes need not stay in memory.
  virtual void WillNotNeed(const BlobName& name) const = 0;

  // Whether it was there.
  virtual Result<bool> Remove(const BlobName& name) = 0;

  // The next blobs after `after`, in the order of their names; as many as the store finds convenient, none at the end.
  // What is committed or removed meanwhile may be there or not.
  virtual Result<std::vector<BlobInfo>> List(const std::optional<BlobName>& after) const = 0;
};

}  // namespace bothy
