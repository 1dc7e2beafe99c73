#include "store/content/known_chunks.h"

#include <algorithm>
#include <map>

#include "store/content/batch.h"

namespace bothy::content {

bool KnownChunks::IsFound(const xet::Hash& chunk) const {
  return own_loaded_.chunks.contains(chunk) ||
         std::ranges::any_of(loaded_, [&](const Loaded& loaded) { return loaded.chunks.contains(chunk); });
}

void KnownChunks::Keep(Loaded loaded) {
  loaded_.push_front(std::move(loaded));
  if (loaded_.size() > kMaxLoaded) loaded_.pop_back();
}

void KnownChunks::Load(std::shared_ptr<const Xorb> xorb) {
  Loaded loaded;
  const auto hashes = xorb->chunks.hashes();
  loaded.chunks.reserve(hashes.size());
  for (uint32_t i = 0; i < hashes.size(); i++) loaded.chunks.emplace(hashes[i], i);
  loaded.xorb = std::move(xorb);
  Keep(std::move(loaded));
}

Result<void> KnownChunks::Prepare(std::span<const xet::Hash> chunks) {
  std::vector<int64_t> missing;
  std::map<int64_t, size_t> hits;  // how many of them each xorb of the database may have
  for (const xet::Hash& chunk : chunks) {
    if (IsFound(chunk)) continue;
    if (const auto own = own_index_.find(IndexKey(chunk)); own != own_index_.end()) {
      Load(own->second);
    } else {
      missing.push_back(IndexKey(chunk));
    }
  }
  if (missing.empty()) return {};
  TRY(InBatches(std::span<const int64_t>(missing), [&](std::span<const int64_t> batch) -> Result<void> {
    Statement query("SELECT xorb_id FROM content_chunks WHERE prefix IN (");
    AddAlternatives(query, batch);
    query.Add(")");
    for (const int64_t id : TRY(backing_.database.Read([&](Transaction& t) { return t.Query<int64_t>(query); }))) {
      hits[id]++;
    }
    return {};
  }));
  std::vector<std::pair<size_t, int64_t>> best;
  for (const auto& [id, count] : hits) best.emplace_back(count, id);
  std::ranges::sort(best, std::greater());
  if (best.size() > kMaxLoadsAtOnce) best.resize(kMaxLoadsAtOnce);
  for (const auto& [count, id] : best) {
    const auto is_loaded = [&](const Loaded& loaded) { return loaded.xorb->id == id; };
    if (std::ranges::any_of(loaded_, is_loaded)) continue;  // another chunk's hash begins as one of its does
    if (auto xorb = TRY(LoadXorbToUse(backing_, id))) Load(std::move(xorb));
  }
  return {};
}

std::optional<KnownChunks::Place> KnownChunks::Find(const xet::Hash& chunk) {
  const auto found = [&](const Xorb& xorb, uint32_t index) {
    last_ = PlaceIn(xorb, index);
    return last_;
  };
  for (auto loaded = loaded_.begin(); last_ && loaded != loaded_.end(); ++loaded) {
    const Xorb& xorb = *loaded->xorb;
    if (xorb.id != last_->xorb_id) continue;
    const uint32_t next = last_->chunk + 1;
    if (next < xorb.chunks.size() && xorb.chunks.hashes()[next] == chunk) return found(xorb, next);
    break;
  }
  for (auto loaded = loaded_.begin(); loaded != loaded_.end(); ++loaded) {
    const auto place = loaded->chunks.find(chunk);
    if (place == loaded->chunks.end()) continue;
    loaded_.splice(loaded_.begin(), loaded_, loaded);
    return found(*loaded->xorb, place->second);
  }
  if (const auto place = own_loaded_.chunks.find(chunk); place != own_loaded_.chunks.end()) {
    return found(*own_, place->second);
  }
  return std::nullopt;
}

void KnownChunks::BeginOwn(std::shared_ptr<Xorb> xorb) {
  if (own_ != nullptr) {
    for (uint32_t i = 0; i < own_->chunks.size(); i++) {
      if (IsIndexed(own_->chunks, i)) own_index_.emplace(IndexKey(own_->chunks.hashes()[i]), own_);
    }
    Keep(std::exchange(own_loaded_, {}));
  }
  own_ = std::move(xorb);
  own_loaded_.xorb = own_;
}

void KnownChunks::Append(const xet::Hash& hash, uint32_t size) {
  own_loaded_.chunks.emplace(hash, own_->chunks.size());
  own_->chunks.Add(hash, size);
}

}  // namespace bothy::content
