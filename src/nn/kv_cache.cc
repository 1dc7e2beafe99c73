#include "nn/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "tensor/ops.h"

namespace bothy {

Result<std::unique_ptr<KvCache>> KvCache::Create(const KvShape& shape, KvType type, size_t tokens) {
  auto cache = std::make_unique<KvCache>();
  cache->shape_ = shape;
  cache->type_ = type;
  const size_t element = type == KvType::kF16 ? 2 : 4;
  cache->head_bytes_ = (shape.head_dim + PaddedHeadDim(shape.head_dim)) * kPageTokens * element;
  cache->page_bytes_ = shape.layers * shape.kv_heads * cache->head_bytes_;
  const size_t pages = (tokens + kPageTokens - 1) / kPageTokens;
  if (pages > size_t{std::numeric_limits<int32_t>::max()} ||
      (cache->page_bytes_ > 0 && pages > (size_t{1} << 46) / cache->page_bytes_)) {
    return Fail(ErrorCode::kResourceExhausted, "a cache for {} tokens is too large", tokens);
  }
  cache->buffer_ = TRY(Buffer::Allocate(pages * cache->page_bytes_));
  cache->references_.resize(pages);
  for (size_t page = pages; page-- > 0;) cache->free_.push_back(static_cast<int32_t>(page));
  return cache;
}

Result<int32_t> KvCache::Take() {
  if (free_.empty()) {
    return Fail(ErrorCode::kResourceExhausted, "the cache's {} tokens are all in use", pages() * kPageTokens);
  }
  const int32_t page = free_.back();
  free_.pop_back();
  references_[static_cast<size_t>(page)] = 1;
  return page;
}

void KvCache::Release(int32_t page) {
  if (--references_[static_cast<size_t>(page)] == 0) free_.push_back(page);
}

void KvCache::Write(size_t layer, size_t head, int32_t page, size_t slot, const float* key, const float* value) {
  std::byte* keys =
      buffer_.data() + static_cast<size_t>(page) * page_bytes_ + (layer * shape_.kv_heads + head) * head_bytes_;
  const size_t dim = shape_.head_dim, padded = PaddedHeadDim(dim);
  if (type_ == KvType::kF32) {
    auto* k = reinterpret_cast<float*>(keys);
    auto* v = k + dim * kPageTokens + slot * padded;
    for (size_t d = 0; d < dim; d++) k[d * kPageTokens + slot] = key[d];
    std::copy_n(value, dim, v);
    return;
  }
  auto* k = reinterpret_cast<uint16_t*>(keys);
  auto* v = k + dim * kPageTokens + slot * padded;
  constexpr size_t kAtOnce = 128;
  uint16_t converted[kAtOnce];
  for (size_t first = 0; first < dim; first += kAtOnce) {
    const size_t count = std::min(kAtOnce, dim - first);
    ToFiniteF16(key + first, converted, count);
    for (size_t d = 0; d < count; d++) k[(first + d) * kPageTokens + slot] = converted[d];
  }
  ToFiniteF16(value, v, dim);
}

bool KvSequence::HasSharedTail() const {
  return length_ % kPageTokens != 0 && cache_->references_[static_cast<size_t>(pages_.back())] > 1;
}

size_t KvSequence::PagesFor(size_t count) const {
  if (count == 0) return 0;
  return (length_ + count + kPageTokens - 1) / kPageTokens - pages_.size() + (HasSharedTail() ? 1 : 0);
}

Result<void> KvSequence::Extend(size_t count) {
  if (PagesFor(count) > cache_->free_pages()) {
    return Fail(ErrorCode::kResourceExhausted,
                "the cache of {} tokens has room for {} more, {} are needed: give fewer, or make it larger",
                cache_->pages() * kPageTokens, cache_->free_pages() * kPageTokens, count);
  }
  if (count > 0 && HasSharedTail()) {
    const int32_t copy = TRY(cache_->Take());
    std::byte* const base = cache_->buffer_.data();
    std::memcpy(base + static_cast<size_t>(copy) * cache_->page_bytes_,
                base + static_cast<size_t>(pages_.back()) * cache_->page_bytes_, cache_->page_bytes_);
    cache_->Release(pages_.back());
    pages_.back() = copy;
  }
  const size_t wanted = (length_ + count + kPageTokens - 1) / kPageTokens;
  while (pages_.size() < wanted) pages_.push_back(TRY(cache_->Take()));
  length_ += count;
  return {};
}

void KvSequence::Append(const KvPage& page) {
  DCHECK(length_ == pages_.size() * kPageTokens);
  cache_->Retain(page.page_);
  pages_.push_back(page.page_);
  length_ += kPageTokens;
}

void KvSequence::Replace(size_t index, const KvPage& page) {
  DCHECK((index + 1) * kPageTokens <= length_);
  cache_->Retain(page.page_);
  cache_->Release(std::exchange(pages_[index], page.page_));
}

void KvSequence::Truncate(size_t length) {
  length_ = std::min(length_, length);
  const size_t keep = (length_ + kPageTokens - 1) / kPageTokens;
  while (pages_.size() > keep) {
    cache_->Release(pages_.back());
    pages_.pop_back();
  }
}

KvSequence KvSequence::Fork() const {
  KvSequence fork(*cache_);
  fork.pages_ = pages_;
  fork.length_ = length_;
  for (const int32_t page : pages_) cache_->Retain(page);
  return fork;
}

}  // namespace bothy
