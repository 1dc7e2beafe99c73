// The SHA-256 of a file that comes as xorbs, worked on before the shard that says which file they make: a guess that
// its xorbs are begun in the file's order, which is how clients send a large one. Where the guess was right, nothing
// but its end is left to read when the shard comes: 1 GiB took 0.9 s then. A thread of its own does it, so that the
// answer to a xorb does not wait.
//
// And since the bytes of a xorb were then read for the last time in a while, they leave the page cache: an upload does
// not push out what is being served, and the next xorb finds memory that the kernel has at hand, not new memory of a
// virtual machine (5.4 s of system time for 1 GiB there, 1.9 s with it).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "crypto/sha.h"
#include "store/blobs/blob_store.h"
#include "store/content/lru_cache.h"

namespace bothy::content {

// A xorb that is a file's next part as a whole.
struct WholeXorb {
  BlobName blob;
  uint64_t raw_bytes = 0;
  bool operator==(const WholeXorb&) const = default;
};

class HashAhead {  // Safe to use from several threads.
 public:
  // Xorbs of fewer bytes are the end of a file, and are not hashed ahead: clients fill xorbs of 64 MiB, and send the
  // last one when they like.
  static constexpr uint64_t kFull = 48 << 20;
  explicit HashAhead(const BlobStore& blobs, uint64_t full = kFull) : blobs_(blobs), full_(full) {}
  ~HashAhead();

  // A xorb's place among those of its sender, from when it begins to come. Gone without Came, it holds up nobody. Must
  // not outlive the object that gave it.
  class Place;
  std::unique_ptr<Place> Stand(int64_t uploader);

  // The SHA-256 of the first `xorbs` of a file that begins with `file`, as far as it was worked out.
  struct Begun {
    Sha256 sha256;
    size_t xorbs = 0;
  };
  Begun Find(int64_t uploader, std::span<const WholeXorb> file);

  // The files of its xorbs are known now: what it sends next is the beginning of another.
  void BeginNext(int64_t uploader);

 private:
  struct Waiting {
    std::optional<WholeXorb> came;
    bool gone = false;
  };
  struct Step {
    WholeXorb xorb;
    Sha256 after;
  };
  struct Line {
    std::deque<std::shared_ptr<Waiting>> waiting;
    std::vector<Step> steps;
    bool hashing = false;  // by one thread at a time
    bool broken = false;   // a xorb could not be read, or there were too many: nothing is added until the next file
    uint64_t file = 0;     // counts files
  };

  std::shared_ptr<Line> LineOf(int64_t uploader);
  void WakeFor(std::shared_ptr<Line> line);
  void Hash(Line& line, std::unique_lock<std::mutex>& lock);
  void Work();

  const BlobStore& blobs_;
  const uint64_t full_;
  std::mutex mutex_;
  std::condition_variable hashed_, came_;
  std::deque<std::shared_ptr<Line>> ready_;  // a xorb of theirs has come
  bool stop_ = false;
  std::thread thread_;                                   // from the first xorb on
  LruCache<int64_t, std::shared_ptr<Line>> lines_{256};  // by sender
};

class HashAhead::Place {
 public:
  Place(HashAhead& ahead, std::shared_ptr<Line> line, std::shared_ptr<Waiting> waiting)
      : ahead_(ahead), line_(std::move(line)), waiting_(std::move(waiting)) {}
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // It is stored.
  void Came(const WholeXorb& xorb);

 private:
  HashAhead& ahead_;
  std::shared_ptr<Line> line_;
  std::shared_ptr<Waiting> waiting_;
};

}  // namespace bothy::content
