#include <cstdlib>

#include "api/lfs/batch_request.h"
#include "input.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto batch = api::ReadLfsBatch(InputText(data, size));
  if (batch && batch->objects.size() > api::LfsBatch::kMaxObjects) std::abort();
  if (batch && batch->revision.empty()) std::abort();
  return 0;
}
