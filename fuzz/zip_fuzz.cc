#include "codec/zip.h"
#include "read_arrays.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto archive = ZipArchive::Open(InputSource(data, size));
  if (!archive) return 0;
  for (const ZipMember& member : archive->members()) (void)archive->ReadMember(member, 1 << 20);
  return 0;
}
