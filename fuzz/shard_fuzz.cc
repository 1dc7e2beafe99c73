// A shard. What is read is the same after it was written again.
#include <cstdint>

#include "codec/xet/shard.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto shard = xet::ReadShard(*MemorySource("shard", std::vector(bytes.begin(), bytes.end())));
  if (!shard) return 0;
  for (const auto tables : {xet::LookupTables::kNone, xet::LookupTables::kAll}) {
    const auto again = xet::ReadShard(*MemorySource("again", xet::WriteShard(*shard, tables)));
    CHECK(again && *again == *shard);
  }
  return 0;
}
