#include "codec/xet/xorb_reader.h"

#include <algorithm>
#include <cstring>

#include "base/hex.h"
#include "codec/byte_reader.h"

namespace bothy::xet {
namespace {

constexpr std::string_view kFooterIdent = "XETBLOB", kHashesIdent = "XBLBHSH", kBoundsIdent = "XBLBBND";

uint32_t Number24(std::span<const std::byte> bytes) {
  return std::to_integer<uint32_t>(bytes[0]) | std::to_integer<uint32_t>(bytes[1]) << 8 |
         std::to_integer<uint32_t>(bytes[2]) << 16;
}

void UngroupBytes(std::span<const std::byte> grouped, std::span<std::byte> out) {
  const size_t whole = out.size() / 4, rest = out.size() % 4;
  const std::byte* groups[4];
  for (size_t group = 0, begin = 0; group < 4; group++) {
    groups[group] = grouped.data() + begin;
    begin += whole + (group < rest ? 1 : 0);
  }
  for (size_t i = 0; i < whole; i++) {
    for (size_t group = 0; group < 4; group++) out[4 * i + group] = groups[group][i];
  }
  for (size_t group = 0; group < rest; group++) out[4 * whole + group] = groups[group][whole];
}

}  // namespace

std::array<std::byte, kChunkHeader> ChunkHeader(Scheme scheme, uint32_t stored_size, uint32_t raw_size) {
  const auto byte = [](uint32_t value, int index) { return static_cast<std::byte>(value >> (8 * index)); };
  return {std::byte{0},
          byte(stored_size, 0),
          byte(stored_size, 1),
          byte(stored_size, 2),
          static_cast<std::byte>(scheme),
          byte(raw_size, 0),
          byte(raw_size, 1),
          byte(raw_size, 2)};
}

template <class... Args>
tl::unexpected<Error> XorbReader::Corrupt(fmt::format_string<Args...> format, Args&&... args) const {
  return Fail(ErrorCode::kCorrupt, "{}: offset {}: {}", name_, offset_,
              fmt::format(format, std::forward<Args>(args)...));
}

// Whether `size` bytes are there, as whole_: in the input where they lie together, else collected from several inputs.
bool XorbReader::Collect(std::span<const std::byte>& bytes, size_t size) {
  if (collected_.empty() && bytes.size() >= size) {
    whole_ = bytes.first(size);
    bytes = bytes.subspan(size);
    return true;
  }
  const auto taken = bytes.first(std::min(bytes.size(), size - collected_.size()));
  collected_.insert(collected_.end(), taken.begin(), taken.end());
  bytes = bytes.subspan(taken.size());
  whole_ = collected_;
  return collected_.size() == size;
}

Result<bool> XorbReader::Next(std::span<const std::byte>& bytes) {
  while (!bytes.empty()) {
    switch (part_) {
      case Part::kHeader: {
        if (!Collect(bytes, kChunkHeader)) return false;
        TRY(ReadHeader(whole_));
        if (part_ == Part::kFooter) {
          if (collected_.empty()) collected_.assign(whole_.begin(), whole_.end());
          continue;
        }
        collected_.clear();
        offset_ += kChunkHeader;
        continue;
      }
      case Part::kChunk: {
        if (!Collect(bytes, header_.stored)) return false;
        TRY(Unpack(whole_));
        collected_.clear();
        offset_ += header_.stored;
        const uint32_t raw_begin = chunks_.empty() ? 0 : chunks_.back().raw_end;
        chunks_.push_back({ChunkHash(content_), raw_begin + header_.raw, offset_});
        part_ = Part::kHeader;
        return true;
      }
      case Part::kFooter: {
        const size_t size = kXorbFooterFixed + chunks_.size() * 40 + 4;
        if (collected_.size() + bytes.size() > size) {
          return Corrupt("expected a footer of {} bytes for {} chunks, found at least {}", size, chunks_.size(),
                         collected_.size() + bytes.size());
        }
        Collect(bytes, size);
        return false;
      }
    }
  }
  return false;
}

Result<void> XorbReader::ReadHeader(std::span<const std::byte> bytes) {
  if (std::memcmp(bytes.data(), kFooterIdent.data(), kFooterIdent.size()) == 0) {
    if (bytes[7] != std::byte{1}) {
      return Fail(ErrorCode::kUnimplemented, "{}: offset {}: a footer of version {}, known is 1", name_, offset_,
                  std::to_integer<int>(bytes[7]));
    }
    part_ = Part::kFooter;
    return {};
  }
  if (bytes[0] != std::byte{0}) {
    return Corrupt("expected a chunk header of version 0, found {}", std::to_integer<int>(bytes[0]));
  }
  const auto scheme = std::to_integer<uint8_t>(bytes[4]);
  if (scheme > static_cast<uint8_t>(Scheme::kByteGrouping4Lz4)) {
    return Corrupt("expected compression scheme 0, 1 or 2, found {}", scheme);
  }
  header_ = {static_cast<Scheme>(scheme), Number24(bytes.subspan(1)), Number24(bytes.subspan(5))};
  if (header_.raw == 0 || header_.raw > kMaxChunk) {
    return Corrupt("expected a chunk of 1 to {} bytes, found {}", kMaxChunk, header_.raw);
  }
  if (header_.stored == 0 || header_.stored > kMaxStoredChunk) {
    return Corrupt("expected a chunk stored in 1 to {} bytes, found {}", kMaxStoredChunk, header_.stored);
  }
  if (header_.scheme == Scheme::kNone && header_.stored != header_.raw) {
    return Corrupt("expected {} bytes of a chunk that is not compressed, found {}", header_.raw, header_.stored);
  }
  if (chunks_.size() == kMaxXorbChunks) return Corrupt("more than {} chunks", kMaxXorbChunks);
  const uint32_t raw_before = chunks_.empty() ? 0 : chunks_.back().raw_end;
  if (header_.raw > kMaxXorbRawBytes - raw_before) {
    return Corrupt("expected chunks of at most {} bytes together, found {}", kMaxXorbRawBytes,
                   raw_before + header_.raw);
  }
  if (header_.stored > kMaxXorbStoredBytes - kChunkHeader - offset_) {
    return Corrupt("expected at most {} bytes, found {}", kMaxXorbStoredBytes, offset_ + kChunkHeader + header_.stored);
  }
  part_ = Part::kChunk;
  return {};
}

Result<void> XorbReader::Unpack(std::span<const std::byte> stored) {
  if (header_.scheme == Scheme::kNone) {
    if (!collected_.empty()) {  // keep it where the next header does not go
      raw_.swap(collected_);
      collected_.clear();
      stored = raw_;
    }
    content_ = stored;
    return {};
  }
  raw_.resize(header_.raw);
  const std::string place = fmt::format("{}: offset {}", name_, offset_);
  if (header_.scheme == Scheme::kLz4) {
    TRY_CONTEXT(place, lz4_.Unpack(stored, raw_));
  } else {
    grouped_.resize(header_.raw);
    TRY_CONTEXT(place, lz4_.Unpack(stored, grouped_));
    UngroupBytes(grouped_, raw_);
  }
  content_ = raw_;
  return {};
}

// Only what was computed counts; a footer that says something else was made of other chunks.
Result<void> XorbReader::CheckFooter(const Hash& hash) const {
  const auto source = MemorySource(fmt::format("{}: footer at offset {}", name_, offset_), collected_);
  ByteReader reader(*source);
  const auto wrong = [&](std::string_view what, const auto& expected, const auto& found) {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: {}: expected {}, found {}", source->name(), reader.offset(), what,
                expected, found);
  };
  const auto ident = [&](std::string_view expected, int version) -> Result<void> {
    const std::string found(TRY(reader.View(7, "identifier")));
    if (found != expected) return wrong("identifier", expected, EncodeHex(std::as_bytes(std::span(found))));
    const int found_version = TRY(reader.Number<uint8_t>("version"));
    if (found_version != version) return wrong("version", version, found_version);
    return {};
  };
  const auto number = [&](std::string_view what, size_t expected) -> Result<void> {
    const auto found = TRY(reader.Number<uint32_t>(what));
    if (found != expected) return wrong(what, expected, found);
    return {};
  };
  const auto expect_hash = [&](std::string_view what, const Hash& expected) -> Result<void> {
    Hash found;
    TRY(reader.Copy(found.bytes, what));
    if (found != expected) return wrong(what, ToText(expected), ToText(found));
    return {};
  };
  const size_t count = chunks_.size();
  TRY(ident(kFooterIdent, 1));
  TRY(expect_hash("xorb hash", hash));
  TRY(ident(kHashesIdent, 0));
  TRY(number("number of chunks", count));
  for (const XorbChunk& chunk : chunks_) TRY(expect_hash("chunk hash", chunk.hash));
  TRY(ident(kBoundsIdent, 1));
  TRY(number("number of chunks", count));
  for (const XorbChunk& chunk : chunks_) TRY(number("end of a chunk in the xorb", chunk.stored_end));
  for (const XorbChunk& chunk : chunks_) TRY(number("end of a chunk when it is unpacked", chunk.raw_end));
  const size_t bounds_size = 12 + count * 8 + 12 + 16, hashes_size = 12 + count * 32;
  TRY(number("number of chunks", count));
  TRY(number("distance from the hashes to the end", hashes_size + bounds_size));
  TRY(number("distance from the bounds to the end", bounds_size));
  TRY(reader.Skip(16, "buffer"));  // anything: uploads put a random number there
  TRY(number("length of the footer", kXorbFooterFixed + count * 40));
  return {};
}

Result<Xorb> XorbReader::Finish(const Hash& expected) {
  if (part_ != Part::kFooter && (part_ == Part::kChunk || !collected_.empty())) {
    return Corrupt("expected {} bytes of a chunk, found {}", part_ == Part::kChunk ? header_.stored : kChunkHeader,
                   collected_.size());
  }
  if (chunks_.empty()) return Corrupt("expected a xorb of at least one chunk, found none");
  TreeHasher tree;
  uint32_t begin = 0;
  for (const XorbChunk& chunk : chunks_) {
    tree.Add(chunk.hash, chunk.raw_end - begin);
    begin = chunk.raw_end;
  }
  const Hash hash = tree.Finish();
  if (hash != expected) {
    return Fail(ErrorCode::kCorrupt, "{}: expected a xorb whose hash is {}, found {}", name_, ToText(expected),
                ToText(hash));
  }
  if (part_ == Part::kFooter) TRY(CheckFooter(hash));
  return Xorb{hash, std::move(chunks_)};
}

Result<std::vector<XorbChunk>> XorbReader::FinishPart() {
  if (part_ != Part::kHeader || !collected_.empty()) {
    return Corrupt("expected whole chunks, found {} bytes after them", collected_.size());
  }
  return std::move(chunks_);
}

}  // namespace bothy::xet
