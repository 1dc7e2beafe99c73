#include "codec/safetensors.h"
#include "read_arrays.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (const auto file = ReadSafetensors(InputSource(data, size))) ReadArrays(file->checkpoint);
  return 0;
}
