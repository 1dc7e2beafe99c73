// For tests: writes xorbs as clients do, chunk by chunk, so that each field can be made wrong.
#pragma once

#include <lz4frame.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/xet/xorb_format.h"

namespace bothy::xet {

inline std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string PackLz4(std::string_view raw) {
  std::string packed(LZ4F_compressFrameBound(raw.size(), nullptr), '\0');
  const size_t size = LZ4F_compressFrame(packed.data(), packed.size(), raw.data(), raw.size(), nullptr);
  CHECK(!LZ4F_isError(size));
  packed.resize(size);
  return packed;
}

inline std::string GroupBytes(std::string_view raw) {
  std::string grouped;
  for (size_t group = 0; group < 4; group++) {
    for (size_t i = group; i < raw.size(); i += 4) grouped += raw[i];
  }
  return grouped;
}

inline void AppendBytes(std::string& out, std::span<const std::byte> bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

inline void AppendStored(std::string& out, Scheme scheme, std::string_view stored, size_t raw_size) {
  AppendBytes(out, ChunkHeader(scheme, static_cast<uint32_t>(stored.size()), static_cast<uint32_t>(raw_size)));
  out += stored;
}

inline void AppendChunk(std::string& out, Scheme scheme, std::string_view raw) {
  if (scheme == Scheme::kNone) AppendStored(out, scheme, raw, raw.size());
  if (scheme == Scheme::kLz4) AppendStored(out, scheme, PackLz4(raw), raw.size());
  if (scheme == Scheme::kByteGrouping4Lz4) AppendStored(out, scheme, PackLz4(GroupBytes(raw)), raw.size());
}

// A footer of version 1, with its length.
inline std::string FooterOf(const Xorb& xorb) {
  std::string out;
  const auto number = [&](size_t value) {
    const auto number32 = static_cast<uint32_t>(value);
    AppendBytes(out, std::as_bytes(std::span(&number32, 1)));
  };
  const size_t count = xorb.chunks.size();
  out += "XETBLOB\x01";
  AppendBytes(out, xorb.hash.bytes);
  out += std::string_view("XBLBHSH\0", 8);
  number(count);
  for (const XorbChunk& chunk : xorb.chunks) AppendBytes(out, chunk.hash.bytes);
  out += "XBLBBND\x01";
  number(count);
  for (const XorbChunk& chunk : xorb.chunks) number(chunk.stored_end);
  for (const XorbChunk& chunk : xorb.chunks) number(chunk.raw_end);
  number(count);
  number(12 + count * 32 + 12 + count * 8 + 28);
  number(12 + count * 8 + 28);
  out += "0123456789abcdef";
  number(out.size());
  return out;
}

// What a xorb of these chunks is, by the hashes of the parts that make it.
inline Xorb XorbOf(const std::vector<std::string>& chunks, const std::vector<uint32_t>& stored_ends) {
  Xorb xorb;
  TreeHasher tree;
  uint32_t raw_end = 0;
  for (size_t i = 0; i < chunks.size(); i++) {
    raw_end += static_cast<uint32_t>(chunks[i].size());
    xorb.chunks.push_back({ChunkHash(BytesOf(chunks[i])), raw_end, stored_ends[i]});
    tree.Add(xorb.chunks.back().hash, chunks[i].size());
  }
  xorb.hash = tree.Finish();
  return xorb;
}

}  // namespace bothy::xet
