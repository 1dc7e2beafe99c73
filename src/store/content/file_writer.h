// Takes a file that comes as plain bytes: cuts it into chunks, keeps those that are not there yet, and computes both of
// its hashes, in one pass.
//
//   const auto writer = TRY(store.CreateFile({.sha256 = oid, .size = size, .uploader = user}));
//   while (...) TRY(writer->Write(bytes));
//   const File file = TRY(writer->Finish());
//
// Memory: 6 MB, and 0.7 MB for each GB that is new. For one thread at a time. Gone without a successful Finish, it
// leaves nothing behind.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "codec/xet/chunker.h"
#include "crypto/sha.h"
#include "store/content/file_assembly.h"
#include "store/content/known_chunks.h"

namespace bothy::content {

struct ExpectedFile {
  std::optional<Digest256> sha256;
  std::optional<uint64_t> size;
  std::optional<int64_t> uploader;  // who is sending it
};

class FileWriter {
 public:
  FileWriter(const Backing& backing, const ExpectedFile& expected);  // ContentStore::CreateFile

  // After an error it can only be dropped. More than was expected is kInvalidArgument at once.
  Result<void> Write(std::span<const std::byte> bytes);
  Result<void> Write(std::string_view text) { return Write(std::as_bytes(std::span(text))); }

  // When it returns success the file is there, also after a power cut. kInvalidArgument where it is not what was
  // expected; kUnavailable where what it shares with other files was collected meanwhile, which sending it again mends.
  Result<File> Finish();

 private:
  // Looked up together, in one query where chunks are of the usual size.
  static constexpr size_t kWindow = 4 << 20;

  struct WindowChunk {
    xet::Hash hash;
    uint32_t size = 0;
  };

  Result<void> SettleWindow();
  Result<void> Store(const WindowChunk& chunk, std::span<const std::byte> content);
  Result<void> CloseXorb();
  Result<void> CheckExpected(const File& file) const;
  Result<void> Record(NewFile file);

  const Backing& backing_;
  const ExpectedFile expected_;

  Sha256 sha256_;
  xet::Chunker chunker_;
  std::vector<std::byte> window_;    // whole chunks, then the open one
  std::vector<WindowChunk> chunks_;  // the whole ones
  size_t whole_ = 0;                 // bytes of them
  uint64_t size_ = 0;

  KnownChunks known_;
  FileAssembly assembly_;
  AskedChunks asked_;
  std::vector<std::shared_ptr<Xorb>> xorbs_;  // new ones; number -1 - i until they are recorded
  std::unique_ptr<BlobWriter> blob_;          // of the last of them, while it is open
  std::vector<NewBlob> blobs_;                // of the others
};

}  // namespace bothy::content
