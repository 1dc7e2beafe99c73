#include "codec/pickle.h"
#include "codec/torch_pickle.h"
#include "read_arrays.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto source = InputSource(data, size);
  ByteReader reader(*source);
  const auto pickle = Pickle::Read(reader, "input", TorchGlobals());
  if (!pickle) return 0;
  (void)FindTensors(*pickle, "input");
  (void)FindStorages(*pickle, "input");
  return 0;
}
