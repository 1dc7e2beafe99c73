// Runs the texts of many requests through one engine, step by step, without a thread or a clock of its own.
//
// Each step is one token of every running text and a bounded time of work on prompts. What a text says does not depend
// on the steps: it is what GenerationSession would give, bit for bit.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/scheduler/cost_model.h"
#include "runtime/scheduler/prefix_cache.h"
#include "runtime/scheduler/scheduler_metrics.h"
#include "runtime/scheduler/stream.h"
#include "runtime/scheduler/user_queue.h"

namespace bothy {

struct SchedulerOptions {
  size_t max_running = 32;    // texts of one step
  size_t max_waiting = 1024;  // requests that have not begun
  // Work on prompts in a step: beside running texts, which wait for it, and where there are none. Then only arrivals
  // and cancellations wait.
  double prompt_seconds = 0.1;
  double lone_prompt_seconds = 0.2;
  bool look_up = true;  // speculative decoding by prompt look-up, where it pays
  SchedulerMetrics* metrics = nullptr;
  std::string metrics_label;  // the model
};

struct SchedulerStats {
  size_t waiting = 0;  // texts, those that were preempted among them
  size_t running = 0;
  size_t users = 0;  // with either
  uint64_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0;
  uint64_t steps = 0, preemptions = 0;
  uint64_t drafted_tokens = 0, accepted_tokens = 0;
  size_t pages = 0, pages_in_use = 0, pages_cached = 0;  // in use: by texts; cached: kept in case they come again
};

class SchedulerCore {
 public:
  // The engine is the scheduler's alone, and it and the tokenizer, which may be null, must outlive it.
  SchedulerCore(Engine& engine, const Tokenizer* tokenizer, CostModel cost, SchedulerOptions options,
                SchedulerClock clock);
  ~SchedulerCore();

  // Checks a request and takes a place for it; from any thread. kInvalidArgument for what makes no sense,
  // kUnimplemented for beams, kOutOfRange for a prompt that the model's context has no room for, kResourceExhausted for
  // one that the cache has no room for and where max_waiting requests wait already.
  Result<std::unique_ptr<Request>> Prepare(StreamRequest request, StreamSink sink);

  // From here on from one thread only, and not from a sink.
  void Add(std::unique_ptr<Request> request);
  void Cancel(StreamId id);       // its pages are free afterwards; nothing where it has ended
  void EndAll(const Error& why);  // every request, with this error
  bool Step();                    // one step; false where nothing is left to do
  SchedulerStats stats() const;

 private:
  struct Part {  // of a step
    Stream* stream = nullptr;
    size_t count = 0;               // tokens that are run
    bool decodes = false;           // the last token and proposed ones behind it; or else a piece of a prompt
    size_t logit_rows = 0;          // all of them, or one where the piece is the last
    std::vector<int32_t> proposal;  // what may come next, whether it is run or not
    std::vector<int32_t> tokens;    // of one that decodes

    size_t drafts() const { return decodes ? count - 1 : 0; }
    void SetDrafts(size_t drafts) { count = logit_rows = 1 + drafts; }
  };
  struct Lack {  // what a text needs and there is not
    size_t seats = 0, pages = 0;
    bool any() const { return seats + pages > 0; }
  };

  // scheduler_core_admission.cc
  void Admit();
  static size_t Seats(const Stream& stream);
  Lack LackFor(const Stream& stream) const;
  bool MakeRoom(const Stream& stream);
  void Start(Stream& stream);
  void Stop(Stream& stream);
  void Preempt(Stream& stream);

  // scheduler_core_plan.cc
  void MakePlan();
  void PlanDrafts();
  void PlanPrompts(std::vector<Stream*> prompts);
  void FitPages();
  StepWork Work() const;
  std::vector<EngineInput> Inputs();

  void TakeResults(double now);
  Result<void> TakePart(const Part& part, const float* logits, double now);
  void Keep(Stream& stream);
  void FanOut(Stream& first);
  Result<void> Choose(Stream& stream, std::span<const float> logits, double now);
  void End(Stream& stream, FinishReason reason);
  void EndRequest(Request& request, FinishReason reason, std::optional<Error> error);
  void Finish(Request& request);
  void Count(std::string_view kind, uint64_t& total, size_t tokens);

  Engine& engine_;
  const Tokenizer* tokenizer_;
  CostModel cost_;
  const SchedulerOptions options_;
  const SchedulerClock clock_;
  const bool reuses_;      // pages and proposals: what a token's result does not depend on the call's length for
  const size_t capacity_;  // tokens that one text has room for

  std::atomic<StreamId> next_id_{1};
  std::atomic<size_t> places_taken_{0};

  PrefixCache prefix_;
  UserQueue users_;
  std::unordered_map<StreamId, std::unique_ptr<Request>> requests_;
  std::vector<std::unique_ptr<Request>> ended_;  // until nothing of the step points at them
  std::vector<Stream*> running_;                 // the most senior first
  std::vector<Part> plan_;
  std::vector<float> logits_;
  ChoiceScratch scratch_;
  SchedulerStats stats_;
};

}  // namespace bothy
