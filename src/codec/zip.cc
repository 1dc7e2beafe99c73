#include "codec/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace bothy {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kCentralHeader = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kEnd64Locator = 0x07064b50;
constexpr uint64_t kLocalHeaderSize = 30;
constexpr uint64_t kCentralHeaderSize = 46;
constexpr uint64_t kEndSize = 22;
constexpr uint64_t kEnd64Size = 56;
constexpr uint64_t kLocatorSize = 20;
constexpr uint64_t kMaxComment = 65535;
constexpr uint64_t kMaxMembers = 1 << 20;
constexpr uint64_t kMaxDirectory = 1 << 30;
constexpr uint64_t kMaxRatio = 1032;  // no deflated byte makes more (zlib's technical details)
constexpr uint16_t kStored = 0, kDeflated = 8;

template <class T>
T Load(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

tl::unexpected<Error> Corrupt(const ByteSource& source, uint64_t offset, std::string_view expected,
                              std::string_view found) {
  return Fail(ErrorCode::kCorrupt, "{}: offset {}: expected {}, found {}", source.name(), offset, expected, found);
}

Result<std::string> ReadBytes(const ByteSource& source, uint64_t offset, uint64_t size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  TRY(source.Read(offset, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

// The table of members.
struct Directory {
  uint64_t count = 0, size = 0, offset = 0;
};

Result<Directory> FindDirectory(const ByteSource& source) {
  const uint64_t size = source.size();
  if (size < kEndSize) return Corrupt(source, 0, "a zip archive", fmt::format("a file of {} bytes", size));
  const uint64_t tail_size = std::min(size, kEndSize + kMaxComment);
  const uint64_t tail_offset = size - tail_size;
  const std::string tail = TRY(ReadBytes(source, tail_offset, tail_size));
  // The record has to reach exactly to the end of the file: a second one in the comment would be another archive.
  size_t at = tail.size() - kEndSize + 1;
  do {
    if (at == 0) return Corrupt(source, size - kEndSize, "the end record of a zip archive", "none");
    at--;
  } while (Load<uint32_t>(tail, at) != kEnd || at + kEndSize + Load<uint16_t>(tail, at + 20) != tail.size());
  const uint64_t end = tail_offset + at;
  Directory directory = {.count = Load<uint16_t>(tail, at + 10),
                         .size = Load<uint32_t>(tail, at + 12),
                         .offset = Load<uint32_t>(tail, at + 16)};
  if (Load<uint16_t>(tail, at + 4) != 0 && Load<uint16_t>(tail, at + 4) != 0xffff) {
    return Fail(ErrorCode::kUnimplemented, "{}: offset {}: an archive in several files is not supported", source.name(),
                end + 4);
  }
  uint64_t limit = end;  // the directory ends before this
  if (directory.count == 0xffff || directory.size == 0xffffffff || directory.offset == 0xffffffff) {
    if (end < kLocatorSize) return Corrupt(source, end, "a zip64 locator before it", "the start of the file");
    const std::string locator = TRY(ReadBytes(source, end - kLocatorSize, kLocatorSize));
    if (Load<uint32_t>(locator, 0) == kEnd64Locator) {
      const auto end64 = Load<uint64_t>(locator, 8);
      if (end64 > end || end - end64 < kEnd64Size + kLocatorSize) {
        return Corrupt(source, end - kLocatorSize + 8, "the offset of a zip64 end record before this",
                       std::to_string(end64));
      }
      const std::string record = TRY(ReadBytes(source, end64, kEnd64Size));
      if (Load<uint32_t>(record, 0) != kEnd64) {
        return Corrupt(source, end64, "a zip64 end record", fmt::format("{:#010x}", Load<uint32_t>(record, 0)));
      }
      directory = {.count = Load<uint64_t>(record, 32),
                   .size = Load<uint64_t>(record, 40),
                   .offset = Load<uint64_t>(record, 48)};
      limit = end64;
    }
  }
  if (directory.offset > limit || directory.size > limit - directory.offset) {
    return Corrupt(source, end, fmt::format("a directory that ends before offset {}", limit),
                   fmt::format("{} bytes at offset {}", directory.size, directory.offset));
  }
  if (directory.count > directory.size / kCentralHeaderSize) {
    return Corrupt(source, end,
                   fmt::format("at most {} members, which is what the directory has room for",
                               directory.size / kCentralHeaderSize),
                   std::to_string(directory.count));
  }
  if (directory.count > kMaxMembers || directory.size > kMaxDirectory) {
    return Fail(ErrorCode::kResourceExhausted, "{}: offset {}: at most {} members are read, found {} in {} bytes",
                source.name(), directory.offset, kMaxMembers, directory.count, directory.size);
  }
  return directory;
}

// Sizes and offset that did not fit 32 bits stand in an extra field, those only, in this order.
Result<void> TakeZip64(const ByteSource& source, uint64_t offset, std::string_view extra, ZipMember& member) {
  uint64_t* const wide[] = {&member.size, &member.packed_size, &member.header};
  if (std::ranges::none_of(wide, [](const uint64_t* v) { return *v == 0xffffffff; })) return {};
  for (size_t at = 0; at + 4 <= extra.size();) {
    const auto id = Load<uint16_t>(extra, at);
    const auto size = Load<uint16_t>(extra, at + 2);
    at += 4;
    if (size > extra.size() - at) break;
    if (id == 1) {
      size_t next = at;
      for (uint64_t* const v : wide) {
        if (*v != 0xffffffff) continue;
        if (next + 8 > at + size)
          return Corrupt(source, offset, "a zip64 field with all that it is needed for", "less");
        *v = Load<uint64_t>(extra, next);
        next += 8;
      }
      return {};
    }
    at += size;
  }
  return {};  // then the number really is 2^32 - 1
}

Result<void> CheckMembers(const ByteSource& source, const std::vector<ZipMember>& members, uint64_t directory) {
  std::vector<const ZipMember*> order;
  for (size_t i = 0; i < members.size(); i++) {
    if (i > 0 && members[i].name == members[i - 1].name) {
      return Fail(ErrorCode::kCorrupt, "{}: member \"{}\" is there twice", source.name(), members[i].name);
    }
    order.push_back(&members[i]);
  }
  std::ranges::sort(order, {}, &ZipMember::header);
  for (size_t i = 0; i < order.size(); i++) {
    const ZipMember& member = *order[i];
    const uint64_t end = i + 1 < order.size() ? order[i + 1]->header : directory;
    const uint64_t least = kLocalHeaderSize + member.name.size();
    if (member.header > end || end - member.header < least || member.packed_size > end - member.header - least) {
      return Fail(ErrorCode::kCorrupt,
                  "{}: member \"{}\": expected {} bytes at offset {} before offset {}, where {} begins", source.name(),
                  member.name, member.packed_size, member.header, end,
                  i + 1 < order.size() ? fmt::format("\"{}\"", order[i + 1]->name) : "the directory");
    }
  }
  return {};
}

// All of a deflated member.
Result<void> Inflate(const ByteSource& source, uint64_t offset, const ZipMember& member, std::span<std::byte> out) {
  const auto wrong = [&](std::string_view what) {
    return Fail(ErrorCode::kCorrupt, "{}: member \"{}\": {}", source.name(), member.name, what);
  };
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return Fail(ErrorCode::kResourceExhausted, "inflate: no memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, inflateEnd);
  std::vector<std::byte> packed(static_cast<size_t>(std::min<uint64_t>(member.packed_size, 1 << 18)));
  uint64_t left = member.packed_size;
  size_t made = 0;
  int status = Z_OK;
  std::byte beyond{};  // one byte more shows that there is more than was said
  while (status != Z_STREAM_END) {
    if (stream.avail_in == 0 && left > 0) {
      const auto piece = std::span(packed).first(static_cast<size_t>(std::min<uint64_t>(left, packed.size())));
      TRY(source.Read(offset, piece));
      stream.next_in = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_in = static_cast<uInt>(piece.size());
      offset += piece.size();
      left -= piece.size();
    }
    const auto room = static_cast<uInt>(std::min<size_t>(out.size() - made, 1 << 30));
    stream.next_out = reinterpret_cast<Bytef*>(room > 0 ? out.data() + made : &beyond);
    stream.avail_out = room > 0 ? room : 1;
    const uInt before = stream.avail_out;
    status = inflate(&stream, Z_NO_FLUSH);
    const size_t now = before - stream.avail_out;
    if (room == 0 && now > 0) return wrong(fmt::format("expected {} unpacked bytes, found more", out.size()));
    made += now;
    if (status == Z_BUF_ERROR && stream.avail_in == 0 && left > 0) continue;
    if (status != Z_OK && status != Z_STREAM_END) {
      return wrong(fmt::format("broken deflated data after {} unpacked bytes", made));
    }
  }
  if (made != out.size()) return wrong(fmt::format("expected {} unpacked bytes, found {}", out.size(), made));
  return {};
}

Result<void> CheckCrc(const ByteSource& source, const ZipMember& member, std::span<const std::byte> bytes) {
  const auto crc = static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  if (bytes.empty() || crc == member.crc) return {};
  return Fail(ErrorCode::kCorrupt, "{}: member \"{}\": expected CRC {:#010x}, found {:#010x}", source.name(),
              member.name, member.crc, crc);
}

}  // namespace

Result<ZipArchive> ZipArchive::Open(std::shared_ptr<const ByteSource> source) {
  ZipArchive archive;
  const Directory directory = TRY(FindDirectory(*source));
  const std::string table = TRY(ReadBytes(*source, directory.offset, directory.size));
  size_t at = 0;
  for (uint64_t i = 0; i < directory.count; i++) {
    const uint64_t offset = directory.offset + at;
    if (table.size() - at < kCentralHeaderSize || Load<uint32_t>(table, at) != kCentralHeader) {
      return Corrupt(*source, offset, fmt::format("the directory's entry {} of {}", i + 1, directory.count), "none");
    }
    const size_t name_size = Load<uint16_t>(table, at + 28);
    const size_t extra_size = Load<uint16_t>(table, at + 30);
    const size_t whole = kCentralHeaderSize + name_size + extra_size + Load<uint16_t>(table, at + 32);
    if (table.size() - at < whole) {
      return Corrupt(*source, offset, fmt::format("an entry of {} bytes", whole), "the directory's end");
    }
    ZipMember member;
    member.name = table.substr(at + kCentralHeaderSize, name_size);
    member.encrypted = (Load<uint16_t>(table, at + 8) & 1) != 0;
    member.method = Load<uint16_t>(table, at + 10);
    member.crc = Load<uint32_t>(table, at + 16);
    member.packed_size = Load<uint32_t>(table, at + 20);
    member.size = Load<uint32_t>(table, at + 24);
    member.header = Load<uint32_t>(table, at + 42);
    const std::string_view extra(table.data() + at + kCentralHeaderSize + name_size, extra_size);
    TRY(TakeZip64(*source, offset, extra, member));
    archive.members_.push_back(std::move(member));
    at += whole;
  }
  std::ranges::sort(archive.members_, {}, &ZipMember::name);
  TRY(CheckMembers(*source, archive.members_, directory.offset));
  archive.source_ = std::move(source);
  archive.last_unpacked_ = NewLastMade();
  return archive;
}

const ZipMember* ZipArchive::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(members_, name, {}, &ZipMember::name);
  return found != members_.end() && found->name == name ? &*found : nullptr;
}

Result<uint64_t> ZipArchive::DataOffset(const ZipMember& member) const {
  const std::string header = TRY(ReadBytes(*source_, member.header, kLocalHeaderSize + member.name.size()));
  if (Load<uint32_t>(header, 0) != kLocalHeader) {
    return Corrupt(*source_, member.header, fmt::format("the header of member \"{}\"", member.name),
                   fmt::format("{:#010x}", Load<uint32_t>(header, 0)));
  }
  if (Load<uint16_t>(header, 26) != member.name.size() || header.substr(kLocalHeaderSize) != member.name ||
      Load<uint16_t>(header, 8) != member.method) {
    return Corrupt(*source_, member.header, fmt::format("member \"{}\" as the directory has it", member.name),
                   "another name or method");
  }
  const uint64_t data = member.header + header.size() + Load<uint16_t>(header, 28);
  if (data > source_->size() || member.packed_size > source_->size() - data) {
    return Corrupt(*source_, data, fmt::format("{} bytes of member \"{}\"", member.packed_size, member.name),
                   fmt::format("the end of the file at {}", source_->size()));
  }
  return data;
}

Result<std::shared_ptr<const ByteSource>> ZipArchive::OpenMember(const ZipMember& member) const {
  if (member.encrypted || (member.method != kStored && member.method != kDeflated)) {
    return Fail(ErrorCode::kUnimplemented, "{}: member \"{}\": {} is not supported", name(), member.name,
                member.encrypted ? "encryption" : fmt::format("compression method {}", member.method));
  }
  const uint64_t offset = TRY(DataOffset(member));
  std::string member_name = fmt::format("{}:{}", name(), member.name);
  if (member.method == kStored) {
    if (member.size != member.packed_size) {
      return Fail(ErrorCode::kCorrupt, "{}: member \"{}\": expected {} stored bytes, found {}", name(), member.name,
                  member.size, member.packed_size);
    }
    return SliceSource(std::move(member_name), source_, offset, member.size);
  }
  if (member.size / kMaxRatio > member.packed_size) {
    return Fail(ErrorCode::kCorrupt, "{}: member \"{}\": {} deflated bytes cannot become the {} that it says", name(),
                member.name, member.packed_size, member.size);
  }
  MakeBytes make = [source = source_, member, offset]() -> Result<std::vector<std::byte>> {
    std::vector<std::byte> bytes(static_cast<size_t>(member.size));
    TRY(Inflate(*source, offset, member, bytes));
    TRY(CheckCrc(*source, member, bytes));
    return bytes;
  };
  return MadeSource(std::move(member_name), member.size, std::move(make), last_unpacked_);
}

Result<std::string> ZipArchive::ReadMember(const ZipMember& member, uint64_t limit) const {
  const auto source = TRY(OpenMember(member));
  std::string bytes = TRY(source->ReadAll(limit));
  TRY(CheckCrc(*source_, member, std::as_bytes(std::span(bytes))));
  return bytes;
}

}  // namespace bothy
