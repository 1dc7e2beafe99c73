#include "codec/json.h"

#include <cstdlib>

using namespace bothy;

// What was read, written and read again is the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = json::Parse({reinterpret_cast<const char*>(data), size}, "input");
  if (!value) return 0;
  const std::string text = json::Serialize(*value);
  const auto again = json::Parse(text, "output");
  if (!again || json::Serialize(*again) != text) std::abort();
  return 0;
}
