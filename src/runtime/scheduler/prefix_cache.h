// Pages of the cache that hold the beginnings of earlier texts, so that a prompt that begins like one of them is not
// run again from its start.
//
// A tree of full pages: a node is a page and its tokens behind a parent, so where a text is found the tokens themselves
// were compared and nobody can pass for another's text by a hash. Trees of different scopes share nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "nn/kv_cache.h"

namespace bothy {

class PrefixCache {
  struct Node;

 public:
  PrefixCache();  // ends before the KvCache that its pages are of
  ~PrefixCache();
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;

  // A sequence's way from its scope's root along the pages that are entered. While a lease is there they stay. Leases
  // end before the cache.
  class Lease {
   public:
    ~Lease() { Reset(); }
    Lease(Lease&& other) noexcept : cache_(other.cache_), node_(std::exchange(other.node_, nullptr)) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(cache_, other.cache_);
      std::swap(node_, other.node_);
      return *this;
    }
    Lease Fork() const;
    void Reset();          // ends it
    size_t pages() const;  // that are entered

   private:
    friend class PrefixCache;
    Lease(PrefixCache& cache, Node& node);
    PrefixCache* cache_;
    Node* node_;
  };

  // The lease of a sequence that is still empty.
  Lease Open(const std::string& scope);

  // Appends known pages to a sequence that is as long as its lease, while they hold the tokens that come next of
  // `tokens`, the sequence's whole text; it does not get longer than `most`. Returns the tokens that were appended.
  size_t Advance(Lease& lease, std::span<const int32_t> tokens, size_t most, KvSequence& sequence);

  // Enters the full pages that a sequence has behind its lease. Where a page is known already the sequence gives its
  // own back for that one, which holds the same bits.
  void Enter(Lease& lease, std::span<const int32_t> tokens, KvSequence& sequence);

  // The tokens, up to `most`, that Advance would find from the start; and how many of their pages nobody holds now.
  struct Known {
    size_t tokens = 0;
    size_t unused_pages = 0;
  };
  Known Find(const std::string& scope, std::span<const int32_t> tokens, size_t most) const;

  // Gives up to `pages` pages back to the cache, of those in no lease the least recently used first, later pages of a
  // text before earlier ones. Returns how many.
  size_t Evict(size_t pages);

  size_t pages() const { return nodes_.size(); }
  size_t unused_pages() const { return unused_; }  // in no lease: all of them can be evicted

 private:
  using PageTokens = std::array<int32_t, kPageTokens>;
  struct Key {
    const Node* parent;
    PageTokens tokens;
    bool operator==(const Key&) const = default;
  };
  // Keyed by a secret of the process: tokens are chosen by strangers, who could otherwise make all their pages collide.
  struct Hash {
    uint64_t secret;
    size_t operator()(const Key& key) const;
  };
  struct Node {
    Node* parent = nullptr;  // null: a scope's root, which has no page
    std::optional<KvPage> page;
    const Key* key = nullptr;  // its place in nodes_
    size_t depth = 0;          // pages up to here
    size_t leases = 0;         // that end here or behind it
    size_t children = 0;
    uint64_t last_use = 0;
    std::string scope;  // a root's
  };
  struct LessRecent {
    bool operator()(const Node* a, const Node* b) const { return a->last_use < b->last_use; }
  };

  Node* Child(const Node& parent, std::span<const int32_t> page_tokens) const;
  void Hold(Node& node);     // that one alone: a lease on its parent moves on
  void Release(Node* node);  // and all on the way to it
  void Forget(Node* node);   // a leaf in no lease

  std::unordered_map<Key, std::unique_ptr<Node>, Hash> nodes_;
  std::unordered_map<std::string, std::unique_ptr<Node>> roots_;
  std::set<Node*, LessRecent> idle_leaves_;  // in no lease and without children; each use has a number of its own
  size_t unused_ = 0;
  uint64_t uses_ = 0;
};

}  // namespace bothy
