#include "codec/byte_reader.h"
#include "codec/xet/shard.h"
#include "codec/xet/shard_format.h"

namespace bothy::xet {
namespace {

class ShardReader {
 public:
  explicit ShardReader(const ByteSource& source) : name_(source.name()), reader_(source) {}

  Result<Shard> Read() {
    Shard shard;
    TRY(ReadHeader());
    while (true) {
      const Hash hash = TRY(ReadHash("hash of a file"));
      if (hash == kEndOfList) break;
      shard.files.push_back(TRY(ReadFile(hash)));
    }
    TRY(reader_.Skip(kRecord - 32, "end of the list of files"));
    xorbs_offset_ = reader_.offset();
    while (true) {
      const Hash hash = TRY(ReadHash("hash of a xorb"));
      if (hash == kEndOfList) break;
      shard.xorbs.push_back(TRY(ReadXorb(hash)));
    }
    TRY(reader_.Skip(kRecord - 32, "end of the list of xorbs"));
    // hf-xet 1.2 announces a footer and sends none.
    if (footer_size_ != 0 && reader_.remaining() != 0) shard.footer = TRY(ReadFooter());
    if (reader_.remaining() != 0) return Wrong("end of the shard", "0 bytes", reader_.remaining());
    return shard;
  }

 private:
  template <class Expected, class Found>
  tl::unexpected<Error> Wrong(std::string_view what, const Expected& expected, const Found& found) const {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: {}: expected {}, found {}", name_, reader_.offset(), what,
                expected, found);
  }

  Result<uint32_t> Number(std::string_view what) { return reader_.Number<uint32_t>(what); }
  Result<uint64_t> Number64(std::string_view what) { return reader_.Number<uint64_t>(what); }

  Result<Hash> ReadHash(std::string_view what) {
    Hash hash;
    const auto view = TRY(reader_.View(hash.bytes.size(), what));
    std::memcpy(hash.bytes.data(), view.data(), view.size());
    return hash;
  }

  // So many records must be there before room is made for them.
  Result<uint32_t> Count(std::string_view what, uint64_t records_each) {
    const uint32_t count = TRY(Number(what));
    const uint64_t most = reader_.remaining() / (kRecord * records_each);
    if (count > most) return Wrong(what, fmt::format("at most {}, for which there are bytes", most), count);
    return count;
  }

  Result<void> ReadHeader() {
    const auto tag = TRY(reader_.View(kShardTag.size(), "tag"));
    if (tag != kShardTag) return Wrong("tag", "that of a shard", "other bytes");
    const auto magic = TRY(reader_.View(kShardMagic.size(), "tag"));
    if (std::memcmp(magic.data(), kShardMagic.data(), kShardMagic.size()) != 0) {
      return Wrong("tag", "that of a shard", "other bytes");
    }
    if (const uint64_t version = TRY(Number64("version")); version != kShardVersion) {
      return Fail(ErrorCode::kUnimplemented, "{}: a shard of version {}, known is {}", name_, version, kShardVersion);
    }
    footer_size_ = TRY(Number64("size of the footer"));
    if (footer_size_ != 0 && footer_size_ != kShardFooter) {
      return Wrong("size of the footer", fmt::format("0 or {}", kShardFooter), footer_size_);
    }
    return {};
  }

  Result<ShardFile> ReadFile(const Hash& hash) {
    ShardFile file;
    file.hash = hash;
    const uint32_t flags = TRY(Number("flags of a file"));
    if ((flags & ~(kHasRangeHashes | kHasMetadata)) != 0) {
      return Fail(ErrorCode::kUnimplemented, "{}: offset {}: flags {:#x} of a file, of which some are not known", name_,
                  reader_.offset(), flags);
    }
    const bool has_range_hashes = (flags & kHasRangeHashes) != 0;
    const uint32_t count = TRY(Count("number of segments", has_range_hashes ? 2 : 1));
    TRY(reader_.Skip(8, "file"));
    file.segments.reserve(count);
    for (uint32_t i = 0; i < count; i++) file.segments.push_back(TRY(ReadSegment()));
    if (has_range_hashes) {
      file.range_hashes.reserve(count);
      for (uint32_t i = 0; i < count; i++) {
        file.range_hashes.push_back(TRY(ReadHash("range hash")));
        TRY(reader_.Skip(kRecord - 32, "range hash"));
      }
    }
    if ((flags & kHasMetadata) != 0) {
      file.sha256 = Sha256FromShard(TRY(ReadHash("SHA-256")));
      TRY(reader_.Skip(kRecord - 32, "SHA-256"));
    }
    return file;
  }

  Result<Segment> ReadSegment() {
    Segment segment;
    segment.xorb = TRY(ReadHash("xorb of a segment"));
    segment.flags = TRY(Number("flags of a segment"));
    segment.raw_bytes = TRY(Number("bytes of a segment"));
    segment.chunk_begin = TRY(Number("first chunk of a segment"));
    segment.chunk_end = TRY(Number("last chunk of a segment"));
    if (segment.chunk_begin >= segment.chunk_end || segment.chunk_end > kMaxXorbChunks) {
      return Wrong("chunks of a segment", fmt::format("a range within {}", kMaxXorbChunks),
                   fmt::format("{} to {}", segment.chunk_begin, segment.chunk_end));
    }
    const uint32_t chunks = segment.chunk_end - segment.chunk_begin;
    const uint64_t most = std::min<uint64_t>(kMaxXorbRawBytes, uint64_t{chunks} * kMaxChunk);
    if (segment.raw_bytes < chunks || segment.raw_bytes > most) {
      return Wrong("bytes of a segment", fmt::format("{} to {} for {} chunks", chunks, most, chunks),
                   segment.raw_bytes);
    }
    return segment;
  }

  Result<ShardXorb> ReadXorb(const Hash& hash) {
    ShardXorb xorb;
    xorb.hash = hash;
    xorb.flags = TRY(Number("flags of a xorb"));
    const uint32_t count = TRY(Count("number of chunks", 1));
    if (count > kMaxXorbChunks) return Wrong("number of chunks", fmt::format("at most {}", kMaxXorbChunks), count);
    xorb.raw_bytes = TRY(Number("bytes of a xorb"));
    if (xorb.raw_bytes > kMaxXorbRawBytes) {
      return Wrong("bytes of a xorb", fmt::format("at most {}", kMaxXorbRawBytes), xorb.raw_bytes);
    }
    xorb.stored_bytes = TRY(Number("stored bytes of a xorb"));
    xorb.chunks.reserve(count);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
      ShardChunk chunk;
      chunk.hash = TRY(ReadHash("hash of a chunk"));
      chunk.raw_begin = TRY(Number("offset of a chunk"));
      if (chunk.raw_begin != sum) return Wrong("offset of a chunk", sum, chunk.raw_begin);
      chunk.raw_bytes = TRY(Number("bytes of a chunk"));
      if (chunk.raw_bytes == 0 || chunk.raw_bytes > kMaxChunk || chunk.raw_bytes > xorb.raw_bytes - sum) {
        return Wrong("bytes of a chunk", fmt::format("1 to {}", std::min<uint64_t>(kMaxChunk, xorb.raw_bytes - sum)),
                     chunk.raw_bytes);
      }
      sum += chunk.raw_bytes;
      chunk.flags = TRY(Number("flags of a chunk"));
      TRY(reader_.Skip(4, "chunk"));
      xorb.chunks.push_back(chunk);
    }
    if (sum != xorb.raw_bytes) return Wrong("bytes of a xorb's chunks together", xorb.raw_bytes, sum);
    return xorb;
  }

  Result<ShardFooter> ReadFooter() {
    const uint64_t lists_end = reader_.offset();
    if (reader_.remaining() < kShardFooter) {
      return Wrong("footer", fmt::format("{} bytes", kShardFooter), reader_.remaining());
    }
    const uint64_t footer_offset = lists_end + reader_.remaining() - kShardFooter;
    TRY(reader_.Skip(footer_offset - lists_end, "lookup tables"));
    if (const uint64_t version = TRY(Number64("version of the footer")); version != kShardFooterVersion) {
      return Fail(ErrorCode::kUnimplemented, "{}: offset {}: a footer of version {}, known is {}", name_, footer_offset,
                  version, kShardFooterVersion);
    }
    TRY(Expect("offset of the files", kRecord));
    TRY(Expect("offset of the xorbs", xorbs_offset_));
    uint64_t tables_size = 0;
    for (const uint64_t entry : {kLookup, kLookup, kChunkLookup}) {
      const uint64_t offset = TRY(Number64("offset of a lookup table"));
      const uint64_t count = TRY(Number64("entries of a lookup table"));
      if (count == 0) continue;  // some writers then leave out the offset
      if (offset < lists_end || offset > footer_offset || count > (footer_offset - offset) / entry) {
        return Wrong("lookup table", fmt::format("within {} to {}", lists_end, footer_offset),
                     fmt::format("{} entries at {}", count, offset));
      }
      tables_size += count * entry;
    }
    if (tables_size != footer_offset - lists_end) {
      return Wrong("bytes of the lookup tables", footer_offset - lists_end, tables_size);
    }
    ShardFooter footer;
    footer.key = TRY(ReadHash("key"));
    footer.created = TRY(Number64("time of creation"));
    footer.key_expiry = TRY(Number64("time of expiry"));
    TRY(reader_.Skip(48, "buffer"));
    footer.stored_bytes_on_disk = TRY(Number64("stored bytes on disk"));
    footer.materialized_bytes = TRY(Number64("materialized bytes"));
    footer.stored_bytes = TRY(Number64("stored bytes"));
    TRY(Expect("offset of the footer", footer_offset));
    return footer;
  }

  Result<void> Expect(std::string_view what, uint64_t expected) {
    const uint64_t found = TRY(Number64(what));
    if (found != expected) return Wrong(what, expected, found);
    return {};
  }

  const std::string& name_;
  ByteReader reader_;
  uint64_t footer_size_ = 0;
  uint64_t xorbs_offset_ = 0;
};

}  // namespace

Result<Shard> ReadShard(const ByteSource& source) {
  if (source.size() > kMaxShardBytes) {
    return Fail(ErrorCode::kResourceExhausted, "{}: a shard has at most {} bytes, this has {}", source.name(),
                kMaxShardBytes, source.size());
  }
  return ShardReader(source).Read();
}

}  // namespace bothy::xet
