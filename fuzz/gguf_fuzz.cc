#include "codec/gguf.h"
#include "read_arrays.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto gguf = ReadGguf(InputSource(data, size));
  if (!gguf) return 0;
  ReadArrays(gguf->checkpoint);
  for (const GgufMetadata::Entry& entry : gguf->metadata.entries()) {
    (void)gguf->metadata.GetInt(entry.key);
    (void)gguf->metadata.GetInts(entry.key);
    (void)gguf->metadata.GetFloats(entry.key);
    const auto strings = gguf->metadata.GetStrings(entry.key);
    if (!strings) continue;
    for (size_t i = 0; i < (*strings)->size(); i++) (void)(*strings)->String(i);
  }
  return 0;
}
