// What many at once get from one model: the longest gap between a text's tokens while a long prompt arrives, the
// throughput of eight beside one, the first token behind a beginning that is known, and what prompt look-up gives.
//
//   scheduler_bench MODEL.gguf [threads]
//
// Answers are drawn, so that a model with random weights does not fall into a loop, which look-up would foresee.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <future>
#include <vector>

#include "codec/model_files.h"
#include "models/families.h"
#include "runtime/scheduler/scheduler.h"

namespace bothy {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// When the tokens of a request came; it ends with the request.
struct Times {
  double start = 0;
  std::vector<double> tokens;
  RequestEnd end;

  double first() const { return tokens.front() - start; }
  double longest_gap(double from, double to) const {
    double longest = 0;
    for (size_t i = 1; i < tokens.size(); i++) {
      if (tokens[i] >= from && tokens[i - 1] <= to) longest = std::max(longest, tokens[i] - tokens[i - 1]);
    }
    return longest;
  }
};

class Bench {
 public:
  Bench(Engine& engine, bool look_up) : engine_(engine) {
    SchedulerOptions options;
    options.look_up = look_up;
    auto scheduler = Scheduler::Create(engine, nullptr, options);
    CHECK(scheduler);
    scheduler_ = *std::move(scheduler);
  }

  std::future<Times> Submit(std::vector<int32_t> prompt, int64_t tokens, bool draws = true) {
    StreamRequest request;
    request.generation.prompt = std::move(prompt);
    request.generation.params.max_new_tokens = tokens;
    request.generation.params.do_sample = draws;
    request.generation.params.seed = ++seed_;
    request.user = std::to_string(seed_);
    auto times = std::make_shared<Times>();
    auto done = std::make_shared<std::promise<Times>>();
    times->start = Now();
    last_ = scheduler_->Submit(std::move(request), [=](StreamEvent event) {
      if (std::holds_alternative<StreamToken>(event)) times->tokens.push_back(Now());
      if (const auto* end = std::get_if<RequestEnd>(&event)) {
        times->end = *end;
        done->set_value(std::move(*times));
      }
    });
    CHECK(last_);
    return done->get_future();
  }
  Result<StreamId> last() const { return last_; }
  void Cancel(StreamId id) { scheduler_->Cancel(id); }

  // Tokens that no earlier prompt had in this order.
  std::vector<int32_t> Prompt(size_t length) {
    std::vector<int32_t> prompt(length);
    for (int32_t& token : prompt) token = static_cast<int32_t>((next_ += 7919) % engine_.info().vocabulary);
    next_++;
    return prompt;
  }

  SchedulerStats stats() const { return scheduler_->stats(); }

 private:
  Engine& engine_;
  std::unique_ptr<Scheduler> scheduler_;
  Result<StreamId> last_ = 0;
  uint64_t seed_ = 0;
  size_t next_ = 1;
};

void MeasureGap(Bench& bench, size_t context) {
  const size_t length = std::min<size_t>(2000, context - 16);
  auto running = bench.Submit(bench.Prompt(16), static_cast<int64_t>(context - 32));
  const StreamId id = *bench.last();
  bench.Submit(bench.Prompt(16), 16).get();  // the first one is well under way then
  const double start = Now();
  const Times arriving = bench.Submit(bench.Prompt(length), 4).get();
  bench.Cancel(id);
  const Times times = running.get();
  const double end = arriving.tokens.front();
  CHECK(times.tokens.back() >= end);
  fmt::print(
      "gap       longest {:.3f} s while a prompt of {} tokens arrives in {:.1f} s; {:.3f} s before (at most 0.25)\n",
      times.longest_gap(start, end), length, end - start, times.longest_gap(0, start));
}

double Throughput(Bench& bench, size_t clients) {
  const double start = Now();
  std::vector<std::future<Times>> answers;
  size_t tokens = 0;
  for (size_t i = 0; i < clients; i++) answers.push_back(bench.Submit(bench.Prompt(16), 64));
  for (auto& answer : answers) tokens += answer.get().tokens.size();
  return static_cast<double>(tokens) / (Now() - start);
}

void MeasureThroughput(Bench& bench) {
  double one = 0;
  for (const size_t clients : {1u, 2u, 4u, 8u, 16u}) {
    std::vector<double> runs;
    for (int i = 0; i < 3; i++) runs.push_back(Throughput(bench, clients));
    std::ranges::sort(runs);
    if (clients == 1) one = runs[1];
    fmt::print("together  {:2} texts {:6.1f} tokens/s, {:.2f} times one{}\n", clients, runs[1], runs[1] / one,
               clients == 8 ? " (at least 2)" : "");
  }
}

void MeasureKnownBeginning(Bench& bench, size_t context) {
  std::vector<int32_t> prompt = bench.Prompt(std::min<size_t>(1500, context - 64));
  const auto with_question = [&] {
    std::vector<int32_t> whole = prompt;
    for (const int32_t token : bench.Prompt(16)) whole.push_back(token);
    return whole;
  };
  const Times first = bench.Submit(with_question(), 4).get(), second = bench.Submit(with_question(), 4).get();
  fmt::print(
      "beginning first token after {:.2f} s, the second time {:.3f} s with {} of {} tokens known: {:.1f} % (at most "
      "10)\n",
      first.first(), second.first(), second.end.cached_tokens, second.end.prompt_tokens,
      100 * second.first() / first.first());
}

double Greedy(Bench& bench) {
  const Times times = bench.Submit(bench.Prompt(16), 200, false).get();
  return static_cast<double>(times.tokens.size() - 1) / (times.tokens.back() - times.tokens.front());
}

int Main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: scheduler_bench MODEL.gguf [threads]\n");
    return 2;
  }
  ThreadPool pool(argc > 2 ? std::atoi(argv[2]) : 0);
  const auto files = OpenModelFiles(argv[1]);
  if (!files) {
    fmt::print(stderr, "{}\n", files.error().message);
    return 1;
  }
  auto model = LoadLanguageModel(*files, pool, {});
  if (!model) {
    fmt::print(stderr, "{}\n", model.error().message);
    return 1;
  }
  const size_t context = (*model)->info().context_length;
  const auto engine = Engine::Create(*std::move(model), pool, {.cache_tokens = 4 * std::min<size_t>(context, 2048)});
  CHECK(engine);
  double plain = 0;
  {
    Bench bench(**engine, false);
    plain = Greedy(bench);
  }
  const double start = Now();
  Bench bench(**engine, true);
  fmt::print("load      the cost of steps measured in {:.2f} s\n", Now() - start);
  MeasureGap(bench, context);
  MeasureThroughput(bench);
  MeasureKnownBeginning(bench, context);
  const SchedulerStats before = bench.stats();
  const double looked_up = Greedy(bench);
  const SchedulerStats after = bench.stats();
  fmt::print("look-up   one greedy text {:.1f} tokens/s, {:.1f} without; {} of {} proposed tokens were right\n",
             looked_up, plain, after.accepted_tokens - before.accepted_tokens,
             after.drafted_tokens - before.drafted_tokens);
  return 0;
}

}  // namespace
}  // namespace bothy

int main(int argc, char** argv) { return bothy::Main(argc, argv); }
