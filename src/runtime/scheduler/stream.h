// One continuation on its way through a scheduler, and the request that it belongs to.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "runtime/scheduler/draft_policy.h"
#include "runtime/scheduler/ngram_lookup.h"
#include "runtime/scheduler/prefix_cache.h"
#include "runtime/scheduler/stream_request.h"
#include "runtime/text_stream.h"
#include "runtime/token_choice.h"

namespace bothy {

struct SchedulerUser;
struct Stream;

// A place among the requests that wait, taken from a limited number of them.
class WaitingPlace {
 public:
  WaitingPlace() = default;
  explicit WaitingPlace(std::atomic<size_t>& taken) : taken_(&taken) {}  // counted already
  ~WaitingPlace() { Leave(); }
  WaitingPlace(WaitingPlace&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  WaitingPlace& operator=(WaitingPlace&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  void Leave() {
    if (taken_ != nullptr) std::exchange(taken_, nullptr)->fetch_sub(1);
  }

 private:
  std::atomic<size_t>* taken_ = nullptr;
};

struct Request {
  StreamId id = 0;
  StreamRequest asked;
  Sampler sampler;
  StreamSink sink;
  WaitingPlace place;  // until it first runs
  double submitted = 0;
  size_t max_length = 0;  // tokens, prompt included
  RequestEnd result;
  std::string_view outcome = "done";             // for the metrics
  std::vector<std::unique_ptr<Stream>> streams;  // the first alone until the prompt has been run
  size_t ended = 0;                              // of the streams

  const std::vector<int32_t>& prompt() const { return asked.generation.prompt; }
  size_t count() const { return static_cast<size_t>(asked.generation.params.num_return_sequences); }
};

struct Stream {
  enum class State { kWaiting, kRunning, kEnded };

  Request* request = nullptr;
  SchedulerUser* user = nullptr;
  uint32_t number = 0;
  State state = State::kWaiting;
  TokenHistory history;
  KvSequence sequence;  // what has been run of the history
  PrefixCache::Lease lease;
  NgramLookup lookup;
  Acceptance acceptance;
  std::optional<TextStream> text;
  std::unique_ptr<TokenConstraint> constraint;
  double last_token = 0;

  size_t pending() const { return history.size() - sequence.length(); }  // to be run before the next token

  // Whether this one goes before the other where not all can go on.
  bool IsSenior(const Stream& other) const {
    if (request->asked.priority != other.request->asked.priority) {
      return request->asked.priority > other.request->asked.priority;
    }
    if (request->id != other.request->id) return request->id < other.request->id;
    return number < other.number;
  }
};

}  // namespace bothy
