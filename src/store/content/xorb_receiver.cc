#include "store/content/xorb_receiver.h"

#include "store/content/xorbs.h"

namespace bothy::content {

XorbReceiver::XorbReceiver(const Backing& backing, const xet::Hash& hash, std::optional<int64_t> uploader,
                           std::unique_ptr<BlobWriter> blob, std::unique_ptr<HashAhead::Place> place)
    : backing_(backing),
      hash_(hash),
      uploader_(uploader),
      blob_(std::move(blob)),
      place_(std::move(place)),
      reader_(fmt::format("xorb {}", xet::ToText(hash))) {}

Result<void> XorbReceiver::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (TRY(reader_.Next(bytes)) && blob_ != nullptr) TRY(blob_->Write(reader_.content()));
  }
  return {};
}

Result<bool> XorbReceiver::Finish() {
  const xet::Xorb xorb = TRY(reader_.Finish(hash_));
  ChunkList chunks;
  for (const xet::XorbChunk& chunk : xorb.chunks) chunks.Add(chunk.hash, chunk.raw_end - chunks.raw_bytes());
  const bool stores = blob_ != nullptr;
  if (stores) TRY(backing_.blobs.Commit(BlobOf(hash_), std::move(blob_)));
  const Timestamp now = backing_.options.now();
  TRY(backing_.database.Write([&](Transaction& t) -> Result<void> {
    int64_t id = 0;
    if (stores) {
      id = TRY(RecordXorb(t, backing_.blobs, hash_, chunks, now));
    } else {
      const auto row = TRY(FindXorbRow(t, hash_));
      if (!row) {
        return Fail(ErrorCode::kUnavailable,
                    "xorb {}: was removed as unused while it was sent again; send it once more", xet::ToText(hash_));
      }
      id = row->id;
      TRY(TouchXorbs(t, std::span(&id, 1), now));
    }
    if (uploader_) TRY(RecordXorbSender(t, id, *uploader_, now));
    return {};
  }));
  if (place_ != nullptr) place_->Came({BlobOf(hash_), chunks.raw_bytes()});
  return stores;
}

}  // namespace bothy::content
