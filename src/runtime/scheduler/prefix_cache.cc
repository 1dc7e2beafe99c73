#include "runtime/scheduler/prefix_cache.h"

#include <algorithm>
#include <random>

namespace bothy {
namespace {

// Both halves of a product with a secret: without it nobody knows what a difference in the tokens comes to.
uint64_t Mix(uint64_t value, uint64_t secret) {
  const auto product = static_cast<unsigned __int128>(value) * secret;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t Secret() {
  std::random_device random;
  return (uint64_t{random()} << 32 | random()) | 1;
}

}  // namespace

size_t PrefixCache::Hash::operator()(const Key& key) const {
  uint64_t hash = Mix(reinterpret_cast<uintptr_t>(key.parent) ^ secret, secret);
  for (size_t i = 0; i < kPageTokens; i += 2) {
    const uint64_t two =
        static_cast<uint64_t>(static_cast<uint32_t>(key.tokens[i])) << 32 | static_cast<uint32_t>(key.tokens[i + 1]);
    hash = Mix(hash ^ two, secret) + secret;
  }
  return hash;
}

PrefixCache::PrefixCache() : nodes_(0, Hash{Secret()}) {}
PrefixCache::~PrefixCache() = default;

PrefixCache::Lease::Lease(PrefixCache& cache, Node& node) : cache_(&cache), node_(&node) {}

void PrefixCache::Lease::Reset() {
  if (node_ != nullptr) cache_->Release(std::exchange(node_, nullptr));
}

PrefixCache::Lease PrefixCache::Lease::Fork() const {
  for (Node* node = node_; node != nullptr; node = node->parent) cache_->Hold(*node);
  return Lease(*cache_, *node_);
}

size_t PrefixCache::Lease::pages() const { return node_->depth; }

PrefixCache::Lease PrefixCache::Open(const std::string& scope) {
  std::unique_ptr<Node>& root = roots_[scope];
  if (root == nullptr) {
    root = std::make_unique<Node>();
    root->scope = scope;
  }
  Hold(*root);
  return Lease(*this, *root);
}

PrefixCache::Node* PrefixCache::Child(const Node& parent, std::span<const int32_t> page_tokens) const {
  Key key = {&parent, {}};
  std::ranges::copy(page_tokens, key.tokens.begin());
  const auto found = nodes_.find(key);
  return found == nodes_.end() ? nullptr : found->second.get();
}

size_t PrefixCache::Advance(Lease& lease, std::span<const int32_t> tokens, size_t most, KvSequence& sequence) {
  const size_t before = sequence.length();
  if (before != lease.pages() * kPageTokens) return 0;
  for (size_t at = before; at + kPageTokens <= std::min(most, tokens.size()); at += kPageTokens) {
    Node* child = Child(*lease.node_, tokens.subspan(at, kPageTokens));
    if (child == nullptr) break;
    Hold(*child);
    lease.node_ = child;
    sequence.Append(*child->page);
  }
  return sequence.length() - before;
}

void PrefixCache::Enter(Lease& lease, std::span<const int32_t> tokens, KvSequence& sequence) {
  for (size_t page = lease.pages(); (page + 1) * kPageTokens <= sequence.length(); page++) {
    const auto page_tokens = tokens.subspan(page * kPageTokens, kPageTokens);
    Node* child = Child(*lease.node_, page_tokens);
    if (child != nullptr) {
      sequence.Replace(page, *child->page);
    } else {
      auto node = std::make_unique<Node>();
      node->parent = lease.node_;
      node->page = sequence.Hold(page);
      node->depth = page + 1;
      child = node.get();
      Key key = {lease.node_, {}};
      std::ranges::copy(page_tokens, key.tokens.begin());
      child->key = &nodes_.emplace(key, std::move(node)).first->first;
      lease.node_->children++;
      unused_++;
    }
    Hold(*child);
    lease.node_ = child;
  }
}

PrefixCache::Known PrefixCache::Find(const std::string& scope, std::span<const int32_t> tokens, size_t most) const {
  Known known;
  const auto root = roots_.find(scope);
  if (root == roots_.end()) return known;
  const Node* node = root->second.get();
  while (known.tokens + kPageTokens <= std::min(most, tokens.size())) {
    node = Child(*node, tokens.subspan(known.tokens, kPageTokens));
    if (node == nullptr) break;
    known.tokens += kPageTokens;
    if (node->leases == 0) known.unused_pages++;
  }
  return known;
}

void PrefixCache::Hold(Node& node) {
  if (node.leases++ > 0 || node.parent == nullptr) return;
  unused_--;
  idle_leaves_.erase(&node);
}

// From the end to the root, so that what is nearer to the root counts as used later and is evicted later.
void PrefixCache::Release(Node* node) {
  while (node != nullptr) {
    Node* const parent = node->parent;
    if (--node->leases == 0) {
      node->last_use = ++uses_;
      if (parent != nullptr) unused_++;
      if (node->children == 0) {
        if (parent != nullptr) {
          idle_leaves_.insert(node);
        } else {
          roots_.erase(roots_.find(node->scope));
        }
      }
    }
    node = parent;
  }
}

void PrefixCache::Forget(Node* node) {
  Node* const parent = node->parent;
  idle_leaves_.erase(node);
  unused_--;
  nodes_.erase(nodes_.find(*node->key));
  if (--parent->children > 0 || parent->leases > 0) return;
  if (parent->parent != nullptr) {
    idle_leaves_.insert(parent);
  } else {
    roots_.erase(roots_.find(parent->scope));
  }
}

size_t PrefixCache::Evict(size_t pages) {
  size_t evicted = 0;
  for (; evicted < pages && !idle_leaves_.empty(); evicted++) Forget(*idle_leaves_.begin());
  return evicted;
}

}  // namespace bothy
