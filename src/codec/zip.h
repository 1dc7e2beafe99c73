// Reads zip archives (APPNOTE 6.3), zip64 included: members that are stored or deflated.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "codec/derived_source.h"

namespace bothy {

struct ZipMember {
  std::string name;
  uint16_t method = 0;  // 0: stored, 8: deflated
  bool encrypted = false;
  uint32_t crc = 0;
  uint64_t packed_size = 0;
  uint64_t size = 0;
  uint64_t header = 0;  // offset of its local header
};

class ZipArchive {
 public:
  // Reads the table at the end. Members that share bytes (which is how small files become large ones) and two of one
  // name are kCorrupt.
  static Result<ZipArchive> Open(std::shared_ptr<const ByteSource> source);

  const std::string& name() const { return source_->name(); }
  std::span<const ZipMember> members() const { return members_; }  // sorted by name
  const ZipMember* Find(std::string_view name) const;              // null where there is none

  // Where a stored member's bytes lie in the archive's source.
  Result<uint64_t> DataOffset(const ZipMember& member) const;

  // A member as a source of its own: a stored one is read where it lies, a deflated one is unpacked, and its CRC
  // checked, when it is first read. kUnimplemented for other methods and encrypted ones; kCorrupt where the size said
  // is more than deflate can make of the packed bytes.
  Result<std::shared_ptr<const ByteSource>> OpenMember(const ZipMember& member) const;

  // A member in memory, its CRC checked; kResourceExhausted where it is larger than `limit`.
  Result<std::string> ReadMember(const ZipMember& member, uint64_t limit) const;

 private:
  std::shared_ptr<const ByteSource> source_;
  std::vector<ZipMember> members_;
  std::shared_ptr<LastMade> last_unpacked_;
};

}  // namespace bothy
