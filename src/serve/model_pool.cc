#include "serve/model_pool.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/human.h"

namespace bothy::serve {
namespace {

uint64_t ThreeQuartersOfMemory() {
  const auto pages = static_cast<uint64_t>(std::max(sysconf(_SC_PHYS_PAGES), 1L));
  const auto page = static_cast<uint64_t>(std::max(sysconf(_SC_PAGESIZE), 1L));
  return pages / 4 * 3 * page;
}

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

ModelPool::Options WithDefaults(ModelPool::Options options) {
  if (options.memory_bytes == 0) options.memory_bytes = ThreeQuartersOfMemory();
  // On a small machine the cache leaves room for the model.
  options.serving.cache_bytes = std::min(options.serving.cache_bytes, options.memory_bytes / 4);
  if (!options.now) options.now = SteadySeconds;
  return options;
}

// Errors that are remembered: anybody can ask for any number of files that are no models.
constexpr std::ptrdiff_t kMaxFailures = 256;

// What another try would find again, as the files do not change.
bool IsLasting(const Error& error) {
  return error.code != ErrorCode::kResourceExhausted && error.code != ErrorCode::kUnavailable &&
         error.code != ErrorCode::kCancelled && error.code != ErrorCode::kInternal;
}

}  // namespace

ModelPool::ModelPool(Options options) : options_(WithDefaults(std::move(options))) {}

Result<std::shared_ptr<ServedModel>> ModelPool::Get(const ModelPlace& place) {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto found = slots_.find(place.key);
    if (found == slots_.end()) return Load(place, lock);
    Slot& slot = found->second;
    if (slot.error) return tl::unexpected(*slot.error);
    if (slot.model != nullptr) {
      slot.used = options_.now();
      return slot.model;
    }
    loaded_.wait(lock);  // somebody loads it; where that failed for now, this is the next to try
  }
}

Result<std::shared_ptr<ServedModel>> ModelPool::Load(const ModelPlace& place, std::unique_lock<std::mutex>& lock) {
  Slot& slot = slots_[place.key];  // nobody else removes it while it has neither model nor error
  slot.entry = {.key = place.key, .model = place.model};
  slot.used = options_.now();
  std::vector<std::shared_ptr<ServedModel>> unloaded;  // freed without the lock
  lock.unlock();
  auto loaded = [&]() -> Result<std::shared_ptr<ServedModel>> {
    ModelFiles files = TRY(place.open());
    const uint64_t bytes = ExpectedBytes(files, options_.serving);
    {
      const std::lock_guard again(mutex_);
      TRY(MakeRoom(bytes, unloaded, place.key));
      slot.entry.bytes = bytes;
    }
    unloaded.clear();
    return ServedModel::Load(std::move(files), options_.serving, [&](uint64_t done, uint64_t total) {
      const std::lock_guard again(mutex_);
      slot.entry.done = done;
      slot.entry.total = total;
    });
  }();
  lock.lock();
  loaded_.notify_all();
  if (!loaded && !IsLasting(loaded.error())) {
    slots_.erase(place.key);
    return loaded;
  }
  if (!loaded) {
    slot.error = loaded.error();
    slot.entry.state = PoolEntry::State::kFailed;
    slot.entry.error = loaded.error().message;
    slot.entry.bytes = 0;
    ForgetOldFailures();
    return loaded;
  }
  slot.model = *loaded;
  slot.entry.state = PoolEntry::State::kReady;
  slot.entry.bytes = slot.model->bytes();
  slot.used = options_.now();
  // Its other revisions: nobody new asks for them, so they and their errors go; who still answers with one finishes.
  std::erase_if(slots_, [&](auto& other) {
    const Slot& old = other.second;
    const bool goes = other.first != place.key && old.entry.model == place.model && !old.entry.pinned &&
                      (old.model != nullptr || old.error);
    if (goes && old.model != nullptr) unloaded.push_back(old.model);
    return goes;
  });
  lock.unlock();
  unloaded.clear();
  return loaded;
}

void ModelPool::ForgetOldFailures() {
  const auto failed = [](const auto& slot) { return slot.second.error.has_value(); };
  while (std::ranges::count_if(slots_, failed) > kMaxFailures) {
    auto oldest = slots_.end();
    for (auto slot = slots_.begin(); slot != slots_.end(); slot++) {
      if (failed(*slot) && (oldest == slots_.end() || slot->second.used < oldest->second.used)) oldest = slot;
    }
    slots_.erase(oldest);
  }
}

bool ModelPool::IsIdle(const Slot& slot) { return slot.model != nullptr && slot.model.use_count() == 1; }

uint64_t ModelPool::BytesInUse() const {
  uint64_t bytes = 0;
  for (const auto& [key, slot] : slots_) bytes += slot.entry.bytes;
  return bytes;
}

Result<void> ModelPool::MakeRoom(uint64_t bytes, std::vector<std::shared_ptr<ServedModel>>& unloaded,
                                 const std::string& key) {
  if (bytes > options_.memory_bytes) {
    return Fail(ErrorCode::kResourceExhausted,
                "{}: needs {} of memory, and models may have {} together: raise the limit, or serve a smaller one "
                "(bothy quantize)",
                key, HumanBytes(bytes), HumanBytes(options_.memory_bytes));
  }
  while (BytesInUse() + bytes > options_.memory_bytes) {
    auto oldest = slots_.end();
    for (auto slot = slots_.begin(); slot != slots_.end(); slot++) {
      if (!IsIdle(slot->second) || slot->second.entry.pinned) continue;
      if (oldest == slots_.end() || slot->second.used < oldest->second.used) oldest = slot;
    }
    if (oldest == slots_.end()) {
      return Fail(ErrorCode::kResourceExhausted,
                  "{}: needs {} of memory; {} of {} are taken by models that answer now or are pinned: try again later",
                  key, HumanBytes(bytes), HumanBytes(BytesInUse()), HumanBytes(options_.memory_bytes));
    }
    unloaded.push_back(std::move(oldest->second.model));
    slots_.erase(oldest);
  }
  return {};
}

void ModelPool::Pin(const std::string& key, bool pinned) {
  const std::lock_guard lock(mutex_);
  if (const auto found = slots_.find(key); found != slots_.end()) found->second.entry.pinned = pinned;
}

bool ModelPool::Unload(const std::string& key) {
  std::shared_ptr<ServedModel> model;  // freed without the lock
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(key);
  if (found == slots_.end() || found->second.entry.state == PoolEntry::State::kLoading) return false;
  model = std::move(found->second.model);
  slots_.erase(found);
  return true;
}

std::vector<PoolEntry> ModelPool::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<PoolEntry> list;
  for (const auto& [key, slot] : slots_) {
    list.push_back(slot.entry);
    list.back().in_use = slot.model != nullptr && !IsIdle(slot);
    list.back().idle_seconds = options_.now() - slot.used;
  }
  return list;
}

}  // namespace bothy::serve
