#include "codec/llama2c.h"
#include "read_arrays.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (const auto model = ReadLlama2c(InputSource(data, size))) ReadArrays(model->checkpoint);
  return 0;
}
