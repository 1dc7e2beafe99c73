// Puts a file together from chunks of xorbs, in order, and says what the database has to know about it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "codec/xet/hash.h"
#include "crypto/digest.h"
#include "store/database/database.h"

namespace bothy::content {

struct File {
  Digest256 sha256{};
  xet::Hash hash;  // of Xet
  uint64_t size = 0;
  bool operator==(const File&) const = default;
};

// Of a xorb that the database knows, or will: negative numbers are given to those that are still being made.
struct NewSegment {
  int64_t xorb_id = 0;
  uint32_t chunk_begin = 0, chunk_end = 0;
  uint32_t raw_begin = 0, raw_bytes = 0;  // in the xorb
};

// Which chunks clients may ask for, and the xorb that each is in.
using AskedChunks = std::unordered_map<xet::Hash, int64_t, xet::HashOfHash>;

struct NewFile {
  File file;
  std::vector<NewSegment> segments;
};

class FileAssembly {
 public:
  // The next chunk of the file. Those that are asked for are added to `asked`.
  void Add(int64_t xorb_id, uint32_t chunk, uint32_t raw_begin, uint32_t size, const xet::Hash& hash,
           AskedChunks& asked);

  size_t segments() const { return segments_.size(); }
  uint64_t size() const { return size_; }

  // The object then begins anew.
  NewFile Finish();

 private:
  std::vector<NewSegment> segments_;
  xet::TreeHasher tree_;
  uint64_t size_ = 0;
};

// Whether it is new; otherwise it is touched. Its xorbs must be whole, in this transaction.
Result<bool> RecordFile(Transaction& t, const NewFile& file, std::optional<int64_t> uploader, Timestamp now);

Result<int64_t> RecordGroup(Transaction& t, std::span<const int64_t> xorb_ids, Timestamp now);
Result<void> RecordAskedChunks(Transaction& t, int64_t group, std::span<const std::pair<xet::Hash, int64_t>> chunks);

}  // namespace bothy::content
