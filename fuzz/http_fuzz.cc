#include <cstdlib>

#include "net/executor.h"
#include "net/memory_stream.h"
#include "net/request_reader.h"

using namespace bothy;
using namespace bothy::net;

namespace {

// Everything that a connection would make of the bytes.
Task<std::string> ReadEverything(ByteStream& stream, size_t out_size) {
  const ReadLimits limits;
  std::string seen;
  RequestReader reader(stream, limits);
  std::vector<std::byte> piece(out_size);
  for (;;) {
    const auto waited = co_await reader.WaitForRequest();
    if (!waited) co_return seen;
    const auto head = co_await reader.ReadHead();
    if (!head) {
      seen += "|refused";
      co_return seen;
    }
    seen.append("|").append(head->method).append(" ").append(head->target.path).append("?").append(head->target.query);
    for (const auto& [name, value] : head->headers) seen.append("\n").append(name).append(":").append(value);
    if (head->chunked && head->content_length) std::abort();
    seen += '>';
    for (;;) {
      const auto read = co_await reader.ReadBody(piece);
      if (!read) {
        seen += "|broken";
        co_return seen;
      }
      if (*read == 0) break;
      seen.append(reinterpret_cast<const char*>(piece.data()), *read);
    }
    if (!head->keep_alive) co_return seen;
  }
}

}  // namespace

// However the network cuts the bytes, they mean the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  MemoryStream whole(text);
  const std::string seen = RunToCompletion(ReadEverything(whole, 64));
  MemoryStream bytes(text, 1);
  if (RunToCompletion(ReadEverything(bytes, 1)) != seen) std::abort();
  MemoryStream pieces(text, 5);
  if (RunToCompletion(ReadEverything(pieces, 3)) != seen) std::abort();
  return 0;
}
