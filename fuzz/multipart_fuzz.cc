#include <cstdlib>

#include "net/executor.h"
#include "net/form.h"

using namespace bothy;
using namespace bothy::net;

namespace {

Task<std::string> ReadEverything(BodyReader& body, std::string_view type, size_t out_size) {
  std::string seen;
  auto reader = MultipartReader::Create(body, type);
  if (!reader) co_return seen;
  std::vector<std::byte> piece(out_size);
  for (;;) {
    const auto part = co_await reader->NextPart();
    if (!part) co_return seen + "|refused";
    if (!*part) co_return seen;
    seen.append("|").append((*part)->name).append("|").append((*part)->filename.value_or("")).append("|");
    for (;;) {
      const auto read = co_await reader->Read(piece);
      if (!read) co_return seen + "|broken";
      if (*read == 0) break;
      seen.append(reinterpret_cast<const char*>(piece.data()), *read);
    }
  }
}

}  // namespace

// The first line is the content type, the rest the body. However the body is cut, it means the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string_view type = input.substr(0, line);
  const std::string text(input.substr(std::min(line + 1, input.size())));
  MemoryBody whole(text);
  const std::string seen = RunToCompletion(ReadEverything(whole, type, 1000));
  MemoryBody bytes(text, 1);
  if (RunToCompletion(ReadEverything(bytes, type, 1)) != seen) std::abort();
  MemoryBody pieces(text, 5);
  if (RunToCompletion(ReadEverything(pieces, type, 3)) != seen) std::abort();
  return 0;
}
