#include "hub/git_attributes.h"
#include "hub/git_ignore.h"
#include "input.h"

using namespace bothy;

// A .gitattributes of the root, one of the folder "a", a .gitignore, and paths, each up to a zero byte.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, std::min<size_t>(size, 4096));
  GitAttributes attributes;
  attributes.Add("", TakePart(input));
  attributes.Add("a", TakePart(input));
  const GitIgnore ignore(TakePart(input));
  while (!input.empty()) {
    const std::string_view path = TakePart(input);
    attributes.IsLarge(path);
    ignore.Ignores(path);
  }
  return 0;
}
