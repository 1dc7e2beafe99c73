// Takes a xorb as a client sends it: each chunk is unpacked and hashed while it arrives and kept as it is unpacked.
//
//   const auto receiver = TRY(store.ReceiveXorb(hash, user));
//   while (...) TRY(receiver->Write(bytes));
//   const bool is_new = TRY(receiver->Finish());
//
// Memory: 1 MB. For one thread at a time. Gone without a successful Finish, it leaves nothing behind.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "codec/xet/xorb_reader.h"
#include "store/content/backing.h"
#include "store/content/hash_ahead.h"

namespace bothy::content {

class XorbReceiver {
 public:
  // Without `blob` the xorb is only verified: it is there, and who sends it must still have it.
  XorbReceiver(const Backing& backing, const xet::Hash& hash, std::optional<int64_t> uploader,
               std::unique_ptr<BlobWriter> blob,
               std::unique_ptr<HashAhead::Place> place);  // ContentStore::ReceiveXorb

  // kCorrupt where it is no xorb or breaks a limit. After an error the receiver can only be dropped.
  Result<void> Write(std::span<const std::byte> bytes);

  // Whether it was not there before. When it returns success the xorb is there, also after a power cut.
  Result<bool> Finish();

 private:
  const Backing& backing_;
  const xet::Hash hash_;
  const std::optional<int64_t> uploader_;
  std::unique_ptr<BlobWriter> blob_;
  std::unique_ptr<HashAhead::Place> place_;  // null without uploader
  xet::XorbReader reader_;
};

}  // namespace bothy::content
