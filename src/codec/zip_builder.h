// For tests: writes zip archives field by field, so that each can be made wrong.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace bothy {

inline void AppendNumber(std::string& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) out += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
}

inline std::string Deflate(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct ZipBuilder {
  struct Member {
    std::string name;
    std::string packed;
    uint64_t size = 0;
    uint32_t crc = 0;
    uint16_t method = 0;
    uint16_t flags = 0;
    uint64_t header = 0;
    std::string local_name;  // what the member's own header says
    uint64_t packed_size = 0;
  };
  std::string bytes;
  std::vector<Member> members;

  Member& Add(std::string_view name, std::string_view content, bool deflated = false) {
    Member member;
    member.name = member.local_name = name;
    member.packed = deflated ? Deflate(content) : content;
    member.size = content.size();
    member.packed_size = member.packed.size();
    member.method = deflated ? 8 : 0;
    member.crc = static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
    member.header = bytes.size();
    AppendNumber(bytes, 0x04034b50, 4);
    AppendNumber(bytes, 20, 2);
    AppendNumber(bytes, member.flags, 2);
    AppendNumber(bytes, member.method, 2);
    AppendNumber(bytes, 0, 4);
    AppendNumber(bytes, member.crc, 4);
    AppendNumber(bytes, member.packed_size, 4);
    AppendNumber(bytes, member.size, 4);
    AppendNumber(bytes, name.size(), 2);
    AppendNumber(bytes, 0, 2);
    bytes += name;
    bytes += member.packed;
    members.push_back(std::move(member));
    return members.back();
  }

  // Members may have been changed since they were added: what is written now is the directory only.
  std::string Finish(bool zip64 = false, int64_t more_members = 0) const {
    std::string out = bytes;
    for (const Member& member : members) {
      std::string extra;
      if (zip64) {
        AppendNumber(extra, 0x7777, 2);  // of some other program
        AppendNumber(extra, 3, 2);
        extra += "abc";
        AppendNumber(extra, 1, 2);
        AppendNumber(extra, 24, 2);
        for (const uint64_t number : {member.size, member.packed_size, member.header}) AppendNumber(extra, number, 8);
      }
      AppendNumber(out, 0x02014b50, 4);
      AppendNumber(out, 20, 2);
      AppendNumber(out, 20, 2);
      AppendNumber(out, member.flags, 2);
      AppendNumber(out, member.method, 2);
      AppendNumber(out, 0, 4);
      AppendNumber(out, member.crc, 4);
      AppendNumber(out, zip64 ? 0xffffffff : member.packed_size, 4);
      AppendNumber(out, zip64 ? 0xffffffff : member.size, 4);
      AppendNumber(out, member.name.size(), 2);
      AppendNumber(out, extra.size(), 2);
      AppendNumber(out, 0, 2 + 2 + 2 + 4);
      AppendNumber(out, zip64 ? 0xffffffff : member.header, 4);
      out += member.name;
      out += extra;
    }
    const uint64_t directory = bytes.size(), end = out.size();
    const uint64_t count = members.size() + static_cast<uint64_t>(more_members);
    if (zip64) {
      AppendNumber(out, 0x06064b50, 4);
      AppendNumber(out, 44, 8);
      AppendNumber(out, 45, 2);
      AppendNumber(out, 45, 2);
      AppendNumber(out, 0, 8);
      AppendNumber(out, count, 8);
      AppendNumber(out, count, 8);
      AppendNumber(out, end - directory, 8);
      AppendNumber(out, directory, 8);
      AppendNumber(out, 0x07064b50, 4);
      AppendNumber(out, 0, 4);
      AppendNumber(out, end, 8);
      AppendNumber(out, 1, 4);
    }
    AppendNumber(out, 0x06054b50, 4);
    AppendNumber(out, 0, 4);
    AppendNumber(out, zip64 ? 0xffff : count, 2);
    AppendNumber(out, zip64 ? 0xffff : count, 2);
    AppendNumber(out, zip64 ? 0xffffffff : end - directory, 4);
    AppendNumber(out, zip64 ? 0xffffffff : directory, 4);
    AppendNumber(out, 0, 2);
    return out;
  }
};

}  // namespace bothy
