#include "net/body.h"

#include <algorithm>
#include <cstring>

namespace bothy::net {

Task<Result<std::string>> ReadAll(BodyReader& body, size_t limit) {
  constexpr size_t kPiece = 16 << 10;
  std::string content;
  for (;;) {
    const size_t size = content.size();
    // One byte more than the limit, to see whether there is one.
    content.resize(size + std::min(std::max(kPiece, size), limit - size + 1));
    auto read = co_await body.Read(std::as_writable_bytes(std::span(content).subspan(size)));
    const size_t bytes = CO_TRY(read);
    content.resize(size + bytes);
    if (bytes == 0) co_return content;
    if (content.size() > limit) co_return Fail(ErrorCode::kResourceExhausted, "more than {} bytes", limit);
  }
}

Task<Result<size_t>> MemoryBody::Read(std::span<std::byte> out) {
  const size_t count = std::min({out.size(), content_.size() - position_, piece_});
  std::memcpy(out.data(), content_.data() + position_, count);
  position_ += count;
  co_return count;
}

}  // namespace bothy::net
