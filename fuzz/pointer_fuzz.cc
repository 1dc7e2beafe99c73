#include <cstdlib>
#include <string_view>

#include "store/git/pointer.h"

using namespace bothy::git;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto pointer = ParsePointer(std::string_view(reinterpret_cast<const char*>(data), size));
  // What was read is written in a form that is read as the same.
  if (pointer && ParsePointer(FormatPointer(*pointer)) != pointer) std::abort();
  return 0;
}
