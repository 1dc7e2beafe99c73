// Large content, kept once and unpacked, by SHA-256 (as git-lfs and commits name it) and by Xet's hash. A file is a row
// of segments; a segment is a range of chunks of a xorb; a xorb is a blob of up to 64 MiB that holds its chunks back to
// back and has the xorb's hash for a name. By whichever way content comes (plain bytes, or xorbs and a shard), all of
// it is verified, cut at the same places and found by every way out.
//
// Order: blobs first, then, in one transaction, the rows; so after a crash a file is whole or not there. Whatever was
// left of it is found by Verify.
//
// Who may do what is the caller's to know: a hash finds content, it gives no right to it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "codec/xet/reconstruction.h"
#include "codec/xet/xorb_view.h"
#include "store/content/backing.h"
#include "store/content/blob_range.h"
#include "store/content/collection.h"
#include "store/content/file_writer.h"
#include "store/content/hash_ahead.h"
#include "store/content/shard_registration.h"
#include "store/content/verification.h"
#include "store/content/xorb_receiver.h"

namespace bothy::content {

struct XorbInfo {
  xet::Hash hash;
  uint32_t raw_bytes = 0;
  uint32_t view_bytes = 0;  // of the xorb as it is given out: the raw content with a header before each chunk
};

// A part of a xorb as it is given out: each piece's header bytes, then its raw bytes, which are in `blob`.
struct XorbPart {
  BlobName blob;
  std::vector<xet::ViewPiece> pieces;
};

struct Usage {
  uint64_t files = 0;
  uint64_t file_bytes = 0;  // if nothing were shared
  uint64_t xorbs = 0;
  uint64_t stored_bytes = 0;
};

class ContentStore {  // Safe to use from several threads, and from several processes over one database and blob store.
 public:
  // The blob store holds nothing else: what no row names is removed from it in time.
  ContentStore(Database& database, BlobStore& blobs, Options options = {})
      : backing_{database, blobs, std::move(options)}, ahead_(std::make_unique<HashAhead>(blobs)) {}

  // ---- In ----

  std::unique_ptr<FileWriter> CreateFile(const ExpectedFile& expected = {}) const;

  // `uploader` is remembered as who has sent it. A xorb that is there already is verified all the same.
  Result<std::unique_ptr<XorbReceiver>> ReceiveXorb(const xet::Hash& hash, std::optional<int64_t> uploader) const;

  // Checks every entry of the shard against what is stored, and then records its files, each whole or not at all.
  // kCorrupt, kInvalidArgument: the shard says something wrong; the message names file and segment.
  // kFailedPrecondition: it names a xorb that is not here (any more).
  // kPermissionDenied: it names a xorb that `uploader` has not sent, without the hash that only its chunks give.
  Result<ShardOutcome> RegisterShard(const ByteSource& shard, int64_t uploader,
                                     const ShardProgress& progress = {}) const;

  // ---- What is there ----

  Result<std::optional<File>> FindBySha256(const Digest256& sha256) const;
  Result<std::optional<File>> FindByHash(const xet::Hash& hash) const;
  Result<std::optional<XorbInfo>> FindXorb(const xet::Hash& hash) const;

  // For whoever is about to refer to content that may be there: what is there and sound, in the order of `sha256s`, and
  // safe from collection for as long as if it had just come.
  Result<std::vector<std::optional<File>>> Touch(std::span<const Digest256> sha256s) const;

  // Whether `uploader` has sent all of this content, or shown to have it.
  Result<bool> SentBy(int64_t uploader, const Digest256& sha256) const;

  // The answer to "who has this chunk?": a shard of the xorbs that were registered together with it, whose chunks only
  // who has them can recognise. Nothing where nobody has registered it.
  Result<std::optional<std::vector<std::byte>>> FindChunk(const xet::Hash& chunk) const;

  // ---- Out ----
  // kNotFound: no such file or xorb. kCorrupt: it is known to be damaged. kOutOfRange: bytes that it does not have.

  // Where bytes [begin, end) of a file lie, in order: the first kMaxRanges ranges, so whoever wants more asks again
  // from where they end.
  static constexpr size_t kMaxRanges = 1024;
  Result<std::vector<BlobRange>> Ranges(const xet::Hash& file, uint64_t begin, uint64_t end) const;

  Result<std::unique_ptr<ByteSource>> Open(const xet::Hash& file, std::string name) const;

  // What to fetch for bytes [begin, min(end, size)), which is kOutOfRange where it is empty.
  Result<xet::Reconstruction> Reconstruct(const xet::Hash& file, uint64_t begin, uint64_t end) const;

  // Bytes [begin, end) of a xorb as it is given out.
  Result<XorbPart> XorbBytes(const xet::Hash& xorb, uint64_t begin, uint64_t end) const;

  // ---- Care ----

  Result<Usage> Total() const;

  // Bytes of the xorbs that no other content has a part in: what would become free without this one.
  Result<uint64_t> UniqueBytes(const Digest256& sha256) const;

  // Removes what none of `references` names and nobody has used for `age` (at least kTouchEvery). Others go on beside
  // it; whoever refers to content that may be old calls Touch first. Xorbs of which a part is in use stay whole.
  Result<Collected> Collect(const References& references, std::chrono::seconds age,
                            const CollectionProgress& progress = {}) const;

  // Compares everything with its hashes; tells `found` what is wrong, and repairs what can be where asked to.
  Result<Verified> Verify(const VerifyOptions& options, const std::function<void(const Problem&)>& found) const;

 private:
  const Backing backing_;
  const std::unique_ptr<HashAhead> ahead_;
};

}  // namespace bothy::content
