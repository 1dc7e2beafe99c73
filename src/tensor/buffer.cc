#include "tensor/buffer.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace bothy {
namespace {
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kSharedMapping = size_t{64} << 20;
constexpr size_t kAlignment = 64;

// What small buffers are cut from; under g_mutex.
std::mutex g_mutex;
}  // namespace

struct Buffer::Mapping {
  void* mapped = nullptr;
  size_t mapped_size = 0;
  std::byte* begin = nullptr;  // aligned to a huge page
  size_t size = 0;
  size_t used = 0;

  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (mapped != nullptr) munmap(mapped, mapped_size);
  }
};

Result<std::shared_ptr<Buffer::Mapping>> Buffer::Map(size_t bytes) {
  auto mapping = std::make_shared<Mapping>();
  const size_t size = bytes + kHugePage;
  void* mapped = size < bytes
                     ? MAP_FAILED
                     : mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    return Fail(ErrorCode::kResourceExhausted, "cannot allocate {} MB of memory: {}", bytes >> 20,
                std::strerror(errno));
  }
  mapping->mapped = mapped;
  mapping->mapped_size = size;
  const auto address = reinterpret_cast<uintptr_t>(mapped);
  mapping->begin = reinterpret_cast<std::byte*>((address + kHugePage - 1) / kHugePage * kHugePage);
  mapping->size = bytes;
  madvise(mapping->begin, bytes, MADV_HUGEPAGE);  // a wish; without it we are only slower
  return mapping;
}

Result<Buffer> Buffer::Allocate(size_t bytes) {
  Buffer buffer;
  buffer.size_ = bytes;
  if (bytes == 0) return buffer;
  if (bytes > kSharedMapping / 2) {
    buffer.mapping_ = TRY(Map(bytes));
    buffer.data_ = buffer.mapping_->begin;
    return buffer;
  }
  static std::weak_ptr<Mapping> shared;
  const std::scoped_lock lock(g_mutex);
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  std::shared_ptr<Mapping> mapping = shared.lock();
  if (!mapping || mapping->size - mapping->used < rounded) {
    mapping = TRY(Map(kSharedMapping));
    shared = mapping;
  }
  buffer.data_ = mapping->begin + mapping->used;
  mapping->used += rounded;
  buffer.mapping_ = std::move(mapping);
  return buffer;
}

}  // namespace bothy
