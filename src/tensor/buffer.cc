#include "tensor/buffer.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace bothy {
namespace {
constexpr size_t kHugePage = size_t{2} << 20;
}

Result<Buffer> Buffer::Allocate(size_t bytes) {
  Buffer buffer;
  if (bytes == 0) return buffer;
  // Small buffers need no huge page, and rounding them up to one would be most of their size.
  const size_t alignment = bytes >= kHugePage ? kHugePage : 4096;
  const size_t mapped_size = bytes + alignment;
  void* mapped = mapped_size < bytes ? MAP_FAILED
                                     : mmap(nullptr, mapped_size, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    return Fail(ErrorCode::kResourceExhausted, "cannot allocate {} MB of memory: {}", bytes >> 20,
                std::strerror(errno));
  }
  const auto address = reinterpret_cast<uintptr_t>(mapped);
  buffer.mapped_ = mapped;
  buffer.mapped_size_ = mapped_size;
  buffer.data_ = reinterpret_cast<std::byte*>((address + alignment - 1) / alignment * alignment);
  buffer.size_ = bytes;
  if (alignment == kHugePage) madvise(buffer.data_, bytes, MADV_HUGEPAGE);  // a wish; without it we are only slower
  return buffer;
}

Buffer::~Buffer() {
  if (mapped_ != nullptr) munmap(mapped_, mapped_size_);
}

}  // namespace bothy
