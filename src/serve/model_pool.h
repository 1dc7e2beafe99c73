// The models that are loaded: each on first use, and unloaded again, the least recently used first, where another needs
// its memory.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/served_model.h"

namespace bothy::serve {

// What the name of a model stands for, found and its rights checked.
struct ModelPlace {
  std::string key;    // the same for the same content: "ns/name@COMMIT:file"
  std::string model;  // the same for every revision of it: "ns/name:file"
  std::function<Result<ModelFiles>()> open;
};

struct PoolEntry {
  enum class State { kLoading, kReady, kFailed };
  std::string key, model;
  State state = State::kLoading;
  uint64_t bytes = 0;            // of memory
  uint64_t done = 0, total = 0;  // of loading, in bytes
  bool pinned = false;
  bool in_use = false;
  std::string error;        // kFailed
  double idle_seconds = 0;  // since it was asked for
};

class ModelPool {  // Safe to use from several threads.
 public:
  struct Options {
    uint64_t memory_bytes = 0;  // of all models; 0: three quarters of the machine's
    ServingOptions serving;
    std::function<double()> now;  // seconds, ascending
  };
  explicit ModelPool(Options options);

  // The model, loaded if it is not: the caller waits, on a thread that may block. A revision that was found broken is
  // not tried again: its error is remembered until another is asked for, or many others fail. kResourceExhausted where
  // there is no room, which is tried again. Whoever keeps the pointer keeps the model in memory.
  Result<std::shared_ptr<ServedModel>> Get(const ModelPlace& place);

  // A pinned model is never unloaded for another.
  void Pin(const std::string& key, bool pinned);
  // Out of the pool; false where it is not there or still loads. Who answers with it may finish.
  bool Unload(const std::string& key);

  // Sorted by key.
  std::vector<PoolEntry> List() const;

 private:
  struct Slot {
    PoolEntry entry;
    std::shared_ptr<ServedModel> model;
    std::optional<Error> error;
    double used = 0;
  };

  Result<std::shared_ptr<ServedModel>> Load(const ModelPlace& place, std::unique_lock<std::mutex>& lock);
  Result<void> MakeRoom(uint64_t bytes, std::vector<std::shared_ptr<ServedModel>>& unloaded, const std::string& key);
  void ForgetOldFailures();
  uint64_t BytesInUse() const;
  static bool IsIdle(const Slot& slot);

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable loaded_;
  std::map<std::string, Slot> slots_;  // by key
};

}  // namespace bothy::serve
