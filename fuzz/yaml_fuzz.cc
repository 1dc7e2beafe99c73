#include <cstdlib>

#include "codec/yaml.h"
#include "input.h"

using namespace bothy;

// What was read can be written as JSON and is JSON.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value =
      yaml::Parse(InputText(data, size), "input", {.bytes = 64 << 10, .values = 1000, .copied = 64 << 10});
  if (!value) return 0;
  const auto text = json::Serialize(*value);
  const auto again = json::Parse(text, "output");
  if (again && json::Serialize(*again) != text) std::abort();
  return 0;
}
