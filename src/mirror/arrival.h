// One large file on its way from the other hub into the content store, which hands on what has come in the meantime.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/hub_api.h"
#include "client/partial_file.h"
#include "client/range_fetch.h"
#include "hub/upstream.h"
#include "store/content/content_store.h"

namespace bothy {

class Arrival final : public Arriving {
 public:
  // Given out when the hash of all is right, and not before: without them nobody has the whole.
  static constexpr uint64_t kHeldBack = 64 << 10;
  static constexpr size_t kConnections = 4;
  // A pointer may say anything; more than a file system's files have.
  static constexpr uint64_t kMaxBytes = uint64_t{1} << 44;

  // `folder` is where the part that has come lies until all of it is in the store; what an earlier try has left there
  // is gone on from. `api` must outlive the object, and `came` is told of every byte that comes.
  Arrival(client::HubApi& api, HubName name, git::Pointer pointer, const std::filesystem::path& folder,
          std::function<void(uint64_t bytes)> came);

  // Fetches it and puts it into the store, on the calling thread and some more. Once. kCorrupt where the other hub has
  // sent another content, of which nothing stays.
  Result<void> Run(const content::ContentStore& store);

  // Ends it, from any thread, also before Run: kCancelled.
  void Cancel();

  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override;

  // Some of it was left by an earlier try.
  bool resumed() const { return resumed_; }
  const git::Pointer& pointer() const { return pointer_; }

 private:
  class Sink;

  Result<void> CheckRoom() const;
  Result<void> Bring(const content::ContentStore& store);
  Result<void> TakeIn(const content::ContentStore& store);
  void FetchParts();
  std::optional<size_t> TakePart();
  Result<void> FetchPart(size_t part);
  Result<void> FetchBytes(uint64_t begin, uint64_t end, client::RangeSink& sink, client::Retries& retries);
  Result<client::LargeObject> Object();
  void SetError(Error error);
  uint64_t There(uint64_t offset) const;     // the end of what has come without a gap from there on
  uint64_t GivenOut(uint64_t offset) const;  // and of that what clients get

  client::HubApi& api_;
  const HubName name_;
  const git::Pointer pointer_;
  const std::string what_;  // for messages
  const std::filesystem::path folder_, path_;
  const std::function<void(uint64_t bytes)> came_;
  bool resumed_ = false;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::unique_ptr<client::PartialFile> partial_;
  std::vector<bool> taken_;         // parts that somebody fetches or has fetched
  size_t first_ = 0;                // all before it are taken
  bool gives_parts_ = false;        // the other side is seen to give parts: until then one fetches alone
  bool alone_ = false;              // that one is at work
  std::multiset<uint64_t> wanted_;  // where readers wait
  std::optional<client::LargeObject> object_;
  std::optional<Error> error_;
  bool complete_ = false;
};

}  // namespace bothy
