#include <algorithm>
#include <concepts>

#include "codec/xet/shard.h"
#include "codec/xet/shard_format.h"

namespace bothy::xet {
namespace {

class Bytes {
 public:
  void Append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void Append(const Hash& hash) { Append(hash.bytes); }
  template <std::integral... T>
  void Numbers(T... values) {
    (Append(std::as_bytes(std::span(&values, 1))), ...);
  }
  void Zeros(size_t count) { bytes_.resize(bytes_.size() + count); }
  void EndList() {
    Append(kEndOfList);
    Zeros(kRecord - 32);
  }
  uint64_t size() const { return bytes_.size(); }
  std::vector<std::byte> Take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

// By the first word of a hash, where its file or xorb begins (in records from the first of its list), and, for a
// chunk, its index there.
struct LookupEntry {
  uint64_t word = 0;
  uint32_t record = 0;
  uint32_t chunk = 0;
  auto operator<=>(const LookupEntry&) const = default;
};

void WriteFile(Bytes& out, const ShardFile& file) {
  CHECK(file.range_hashes.empty() || file.range_hashes.size() == file.segments.size());
  const uint32_t flags =
      (file.range_hashes.empty() ? 0 : kHasRangeHashes) | (file.sha256.has_value() ? kHasMetadata : 0);
  out.Append(file.hash);
  out.Numbers(flags, static_cast<uint32_t>(file.segments.size()), uint64_t{0});
  for (const Segment& segment : file.segments) {
    out.Append(segment.xorb);
    out.Numbers(segment.flags, segment.raw_bytes, segment.chunk_begin, segment.chunk_end);
  }
  for (const Hash& hash : file.range_hashes) {
    out.Append(hash);
    out.Zeros(kRecord - 32);
  }
  if (file.sha256) {
    out.Append(Sha256ForShard(*file.sha256));
    out.Zeros(kRecord - 32);
  }
}

void WriteXorb(Bytes& out, const ShardXorb& xorb) {
  out.Append(xorb.hash);
  out.Numbers(xorb.flags, static_cast<uint32_t>(xorb.chunks.size()), xorb.raw_bytes, xorb.stored_bytes);
  for (const ShardChunk& chunk : xorb.chunks) {
    out.Append(chunk.hash);
    out.Numbers(chunk.raw_begin, chunk.raw_bytes, chunk.flags, uint32_t{0});
  }
}

}  // namespace

std::vector<std::byte> WriteShard(const Shard& shard, LookupTables tables) {
  Bytes out;
  out.Append(std::as_bytes(std::span(kShardTag)));
  out.Append(std::as_bytes(std::span(kShardMagic)));
  out.Numbers(kShardVersion, shard.footer ? kShardFooter : uint64_t{0});

  std::vector<LookupEntry> file_lookup, xorb_lookup, chunk_lookup;
  const uint64_t files_offset = out.size();
  for (const ShardFile& file : shard.files) {
    file_lookup.push_back({file.hash.Word(0), static_cast<uint32_t>((out.size() - files_offset) / kRecord)});
    WriteFile(out, file);
  }
  out.EndList();
  const uint64_t xorbs_offset = out.size();
  for (const ShardXorb& xorb : shard.xorbs) {
    const auto record = static_cast<uint32_t>((out.size() - xorbs_offset) / kRecord);
    xorb_lookup.push_back({xorb.hash.Word(0), record});
    for (uint32_t chunk = 0; chunk < xorb.chunks.size(); chunk++) {
      chunk_lookup.push_back({xorb.chunks[chunk].hash.Word(0), record, chunk});
    }
    WriteXorb(out, xorb);
  }
  out.EndList();
  if (!shard.footer) return out.Take();

  if (tables == LookupTables::kNone) {
    file_lookup.clear();
    xorb_lookup.clear();
    chunk_lookup.clear();
  }
  const uint64_t file_lookup_offset = out.size();
  std::ranges::sort(file_lookup);
  for (const LookupEntry& entry : file_lookup) out.Numbers(entry.word, entry.record);
  const uint64_t xorb_lookup_offset = out.size();
  std::ranges::sort(xorb_lookup);
  for (const LookupEntry& entry : xorb_lookup) out.Numbers(entry.word, entry.record);
  const uint64_t chunk_lookup_offset = out.size();
  std::ranges::sort(chunk_lookup);
  for (const LookupEntry& entry : chunk_lookup) out.Numbers(entry.word, entry.record, entry.chunk);

  const ShardFooter& footer = *shard.footer;
  const uint64_t footer_offset = out.size();
  out.Numbers(kShardFooterVersion, files_offset, xorbs_offset);
  out.Numbers(file_lookup_offset, uint64_t{file_lookup.size()});
  out.Numbers(xorb_lookup_offset, uint64_t{xorb_lookup.size()});
  out.Numbers(chunk_lookup_offset, uint64_t{chunk_lookup.size()});
  out.Append(footer.key);
  out.Numbers(footer.created, footer.key_expiry);
  out.Zeros(48);
  out.Numbers(footer.stored_bytes_on_disk, footer.materialized_bytes, footer.stored_bytes, footer_offset);
  return out.Take();
}

}  // namespace bothy::xet
