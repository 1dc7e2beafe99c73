#include "codec/torch_checkpoint.h"
#include "read_arrays.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (const auto checkpoint = ReadTorchCheckpoint(InputSource(data, size))) ReadArrays(*checkpoint);
  return 0;
}
