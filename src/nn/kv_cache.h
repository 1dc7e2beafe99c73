// The paged cache of keys and values: one pool of pages, and sequences that own lists of them. Many sequences, forks
// and shared prefixes live in one pool (Kwon et al. 2023, PagedAttention).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tensor/attention.h"
#include "tensor/buffer.h"

namespace bothy {

enum class KvType : uint8_t { kF16, kF32 };

struct KvShape {
  size_t layers = 0;
  size_t kv_heads = 0;
  size_t head_dim = 0;
};

// A page holds the keys and values of kPageTokens consecutive tokens for all layers and heads. Not thread-safe, but for
// Write and the reading of pages.
class KvCache {
 public:
  // Room for `tokens`, rounded up to pages; memory is taken from the system as pages are first used.
  static Result<std::unique_ptr<KvCache>> Create(const KvShape& shape, KvType type, size_t tokens);

  const KvShape& shape() const { return shape_; }
  KvType type() const { return type_; }
  size_t pages() const { return references_.size(); }
  size_t free_pages() const { return free_.size(); }
  size_t page_bytes() const { return page_bytes_; }

  // Where the pages of one layer and head begin: page p lies at base + p * page_bytes().
  const std::byte* Base(size_t layer, size_t head) const {
    return buffer_.data() + (layer * shape_.kv_heads + head) * head_bytes_;
  }

  // Stores one token's key and value, head_dim values each, of one layer and head, in slot 0 to 15 of a page. What f16
  // has no room for is stored as +-65504: an infinity among keys or values makes every later score a NaN.
  void Write(size_t layer, size_t head, int32_t page, size_t slot, const float* key, const float* value);

 private:
  friend class KvPage;
  friend class KvSequence;
  Result<int32_t> Take();
  void Retain(int32_t page) { references_[static_cast<size_t>(page)]++; }
  void Release(int32_t page);

  KvShape shape_;
  KvType type_ = KvType::kF16;
  size_t head_bytes_ = 0;
  size_t page_bytes_ = 0;
  Buffer buffer_;
  std::vector<int32_t> free_;  // the page to take next is the last
  std::vector<uint32_t> references_;
};

// A hold on a page, for who keeps pages for sequences to come. Must not outlive the cache.
class KvPage {
 public:
  ~KvPage() {
    if (cache_ != nullptr) cache_->Release(page_);
  }
  KvPage(KvPage&& other) noexcept : cache_(std::exchange(other.cache_, nullptr)), page_(other.page_) {}
  KvPage& operator=(KvPage&& other) noexcept {
    std::swap(cache_, other.cache_);
    std::swap(page_, other.page_);
    return *this;
  }
  KvPage(const KvPage&) = delete;
  KvPage& operator=(const KvPage&) = delete;

 private:
  friend class KvSequence;
  KvPage(KvCache& cache, int32_t page) : cache_(&cache), page_(page) { cache.Retain(page); }

  KvCache* cache_;
  int32_t page_;
};

// One sequence's place in the cache. Returns its pages when it is destroyed, and must not outlive the cache.
class KvSequence {
 public:
  explicit KvSequence(KvCache& cache) : cache_(&cache) {}
  ~KvSequence() { Truncate(0); }
  KvSequence(KvSequence&& other) noexcept : cache_(other.cache_) { *this = std::move(other); }
  KvSequence& operator=(KvSequence&& other) noexcept {
    std::swap(cache_, other.cache_);
    std::swap(pages_, other.pages_);
    std::swap(length_, other.length_);
    return *this;
  }
  KvSequence(const KvSequence&) = delete;
  KvSequence& operator=(const KvSequence&) = delete;

  KvCache& cache() const { return *cache_; }
  size_t length() const { return length_; }  // tokens stored
  std::span<const int32_t> pages() const { return pages_; }

  // Makes room for `count` more tokens and counts them as stored. A page shared with another sequence is copied before
  // it is written to. kResourceExhausted, and nothing changed, where the pool has too few pages.
  Result<void> Extend(size_t count);

  // The most pages that Extend(count) would take from the pool.
  size_t PagesFor(size_t count) const;

  KvPage Hold(size_t index) const { return KvPage(*cache_, pages_[index]); }

  // Appends a full page that holds what this sequence's next kPageTokens tokens would leave there. length() is a
  // multiple of kPageTokens.
  void Append(const KvPage& page);

  // Puts a page with the same contents in the place of a full one.
  void Replace(size_t index, const KvPage& page);

  // Forgets all tokens from `length` on.
  void Truncate(size_t length);

  // Another sequence with the same tokens, sharing all pages.
  KvSequence Fork() const;

 private:
  bool HasSharedTail() const;

  KvCache* cache_;
  std::vector<int32_t> pages_;
  size_t length_ = 0;
};

}  // namespace bothy
