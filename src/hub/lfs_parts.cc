#include "hub/lfs_parts.h"

#include "base/hex.h"
#include "store/blobs/local_blob_store.h"

namespace bothy {
namespace {

Result<BlobName> NameOf(const LfsTicket& ticket, uint64_t number, std::string_view tag) {
  const std::string text = fmt::format("lfs part {} {} {} {} {}", ticket.user_id, ticket.sha256, ticket.size, number,
                                       tag.substr(0, 2 * sizeof(Digest256)));
  return BlobName::Parse(EncodeHex(Sha256::Of(text)));
}

}  // namespace

Result<LfsParts> LfsParts::Open(const std::filesystem::path& data) {
  return LfsParts(TRY(OpenLocalBlobStore(data / "lfs-parts")));
}

Result<LfsParts::Writer> LfsParts::Create(const LfsTicket& ticket, uint64_t number) {
  if (number < 1 || number > LfsPartCount(ticket.size)) {
    return Fail(ErrorCode::kInvalidArgument, "part {}: a file of {} bytes has {} parts", number, ticket.size,
                LfsPartCount(ticket.size));
  }
  return Writer(*store_, ticket, number, TRY(store_->Create(LfsPartBytes(ticket.size, number))));
}

Result<void> LfsParts::Writer::Write(std::span<const std::byte> bytes) {
  const uint64_t expected = LfsPartBytes(ticket_.size, number_);
  if (bytes.size() > expected - blob_->size()) {
    return Fail(ErrorCode::kInvalidArgument, "part {}: expected {} bytes, found more", number_, expected);
  }
  sha256_.Update(bytes);
  return blob_->Write(bytes);
}

Result<std::string> LfsParts::Writer::Finish() {
  const uint64_t expected = LfsPartBytes(ticket_.size, number_);
  if (blob_->size() != expected) {
    return Fail(ErrorCode::kInvalidArgument, "part {}: expected {} bytes, found {}", number_, expected, blob_->size());
  }
  const std::string tag = EncodeHex(sha256_.Finish());
  TRY(store_.Commit(TRY(NameOf(ticket_, number_, tag)), std::move(blob_)));
  return tag;
}

Result<std::unique_ptr<ByteSource>> LfsParts::OpenPart(const LfsTicket& ticket, uint64_t number,
                                                       std::string_view tag) const {
  auto part = store_->Open(TRY(NameOf(ticket, number, tag)));
  if (!part && part.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kNotFound, "part {} has not been sent, or is not here any more", number);
  }
  return part;
}

Result<void> LfsParts::Remove(const LfsTicket& ticket, uint64_t number, std::string_view tag) {
  TRY(store_->Remove(TRY(NameOf(ticket, number, tag))));
  return {};
}

Result<void> LfsParts::RemoveOlderThan(std::chrono::sys_seconds time) {
  std::optional<BlobName> last;
  for (;;) {
    const auto page = TRY(store_->List(last));
    if (page.empty()) return {};
    for (const BlobInfo& blob : page) {
      if (blob.committed < time) TRY(store_->Remove(blob.name));
    }
    last = page.back().name;
  }
}

}  // namespace bothy
