// Finds chunks that are stored already, for one file that comes in as plain bytes. Files share long runs of chunks, so
// a chunk that the database's index finds brings the whole chunk list of its xorb, in which the next ones are found
// without asking again. For one thread at a time.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "store/content/xorbs.h"

namespace bothy::content {

class KnownChunks {
 public:
  struct Place {
    int64_t xorb_id = 0;
    uint32_t chunk = 0, raw_begin = 0;
  };

  explicit KnownChunks(const Backing& backing) : backing_(backing) {}

  // Loads the chunk lists that are the most promising for these chunks: one query for kBatch of them that are not found
  // yet, and at most kMaxLoadsAtOnce lists.
  Result<void> Prepare(std::span<const xet::Hash> chunks);

  // In the lists that are loaded: where the last one was continued, if that is possible.
  std::optional<Place> Find(const xet::Hash& chunk);

  // A xorb that this file makes and that the database does not know yet; Append adds its chunks one by one.
  void BeginOwn(std::shared_ptr<Xorb> xorb);
  void Append(const xet::Hash& hash, uint32_t size);

 private:
  // 16 lists of 64 MiB take 1 MB, or 10 MB where all of their chunks are as small as can be.
  static constexpr size_t kMaxLoaded = 16, kMaxLoadsAtOnce = 8;

  struct Loaded {
    std::shared_ptr<const Xorb> xorb;
    std::unordered_map<xet::Hash, uint32_t, xet::HashOfHash> chunks;
  };

  bool IsFound(const xet::Hash& chunk) const;
  void Keep(Loaded loaded);
  void Load(std::shared_ptr<const Xorb> xorb);
  static Place PlaceIn(const Xorb& xorb, uint32_t chunk) { return {xorb.id, chunk, xorb.chunks.RawBegin(chunk)}; }

  const Backing& backing_;
  std::list<Loaded> loaded_;  // the latest used first
  std::optional<Place> last_;

  std::shared_ptr<Xorb> own_;  // the open one; its chunks are in own_loaded_
  Loaded own_loaded_;
  // The closed ones by the same index that the database will have.
  std::unordered_map<int64_t, std::shared_ptr<const Xorb>> own_index_;
};

}  // namespace bothy::content
