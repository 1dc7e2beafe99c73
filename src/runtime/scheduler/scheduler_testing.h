// For the tests of the scheduler: a small golden model, requests of it, and what a session makes of them alone.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "models/golden_testing.h"
#include "runtime/generation.h"
#include "runtime/scheduler/scheduler_core.h"

namespace bothy {

struct SmallModel {
  explicit SmallModel(size_t cache_tokens = 400, const char* name = "llama3", int threads = 1) : pool(threads) {
    const GoldenFolder golden(Golden() / name);
    text = golden.Rows("single.input_ids", "")[0];
    auto model = LoadLanguageModel(golden.Model("config.json"), pool,
                                   {.precision = Precision::kExact, .max_rows = 16, .progress = {}});
    CHECK(model);
    engine = *Engine::Create(*std::move(model), pool, {.kv = KvType::kF32, .cache_tokens = cache_tokens});
  }

  // `length` tokens, the first `common` of them the same in all.
  std::vector<int32_t> Prompt(std::mt19937& random, size_t length, size_t common = 0) const {
    std::vector<int32_t> prompt;
    for (size_t i = 0; i < length; i++) {
      prompt.push_back(i < common ? text[i % text.size()]
                                  : static_cast<int32_t>(3 + random() % (engine->info().vocabulary - 3)));
    }
    return prompt;
  }

  size_t pages_in_use() const { return engine->cache().pages() - engine->cache().free_pages(); }

  ThreadPool pool;
  std::vector<int32_t> text;
  std::unique_ptr<Engine> engine;
};

// What came out of a request.
struct Answer {
  std::map<uint32_t, std::vector<int32_t>> tokens;
  std::map<uint32_t, std::vector<LogProbs>> log_probs;
  std::map<uint32_t, std::string> text;
  std::map<uint32_t, SequenceEnd> ends;
  std::optional<RequestEnd> end;

  void Take(StreamEvent event) {
    ASSERT_FALSE(end) << "an event after the last";
    if (auto* token = std::get_if<StreamToken>(&event)) {
      ASSERT_FALSE(ends.contains(token->sequence)) << "a token after a sequence's end";
      tokens[token->sequence].push_back(token->token);
      text[token->sequence] += token->text;
      if (token->log_probs) log_probs[token->sequence].push_back(*std::move(token->log_probs));
    } else if (auto* one = std::get_if<SequenceEnd>(&event)) {
      EXPECT_FALSE(ends.contains(one->sequence)) << "a sequence ends once";
      EXPECT_EQ(one->tokens, tokens[one->sequence].size());
      text[one->sequence] += one->text;
      ends[one->sequence] = *one;
    } else {
      end = std::get<RequestEnd>(event);
    }
  }
};

inline StreamSink SinkInto(std::shared_ptr<Answer> answer) {
  return [answer = std::move(answer)](StreamEvent event) { answer->Take(std::move(event)); };
}

inline Continuation Part(const Answer& answer, uint32_t sequence) {
  Continuation part;
  if (answer.tokens.contains(sequence)) part.tokens = answer.tokens.at(sequence);
  if (answer.log_probs.contains(sequence)) part.log_probs = answer.log_probs.at(sequence);
  part.reason = answer.ends.at(sequence).reason;
  return part;
}

// The request alone, in a model of its own whose cache has the same room.
inline GenerationResult Alone(const GenerationRequest& request, size_t cache_tokens = 400,
                              const char* name = "llama3") {
  static std::map<std::pair<std::string, size_t>, std::unique_ptr<SmallModel>> models;
  auto& model = models[{name, cache_tokens}];
  if (model == nullptr) model = std::make_unique<SmallModel>(cache_tokens, name);
  GenerationSession session(*model->engine);
  auto result = session.Generate(request);
  CHECK(result);
  return *std::move(result);
}

inline void ExpectSame(const Answer& answer, const GenerationResult& want) {
  ASSERT_EQ(answer.ends.size(), want.continuations.size());
  for (uint32_t i = 0; i < want.continuations.size(); i++) {
    const Continuation got = Part(answer, i);
    EXPECT_EQ(got.tokens, want.continuations[i].tokens) << "sequence " << i;
    EXPECT_EQ(got.reason, want.continuations[i].reason) << "sequence " << i;
    ASSERT_EQ(got.log_probs.size(), want.continuations[i].log_probs.size());
    for (size_t t = 0; t < got.log_probs.size(); t++) {
      EXPECT_EQ(got.log_probs[t].chosen, want.continuations[i].log_probs[t].chosen);
      ASSERT_EQ(got.log_probs[t].top.size(), want.continuations[i].log_probs[t].top.size());
      for (size_t n = 0; n < got.log_probs[t].top.size(); n++) {
        EXPECT_EQ(got.log_probs[t].top[n].token, want.continuations[i].log_probs[t].top[n].token);
      }
    }
  }
}

// A millisecond a row and nothing else; the clock stands still.
inline CostModel MillisecondARow() { return CostModel({{1, 0.001}, {2, 0.002}}, 0, 0); }

// A core over a small model, stepped by hand.
struct Steps {
  explicit Steps(size_t cache_tokens = 400, SchedulerOptions options = {}, CostModel cost = MillisecondARow(),
                 const char* name = "llama3")
      : model(cache_tokens, name),
        core(*model.engine, nullptr, std::move(cost), std::move(options), [] { return 0.0; }) {}

  std::shared_ptr<Answer> Submit(StreamRequest request, StreamId* id = nullptr) {
    auto answer = std::make_shared<Answer>();
    auto prepared = core.Prepare(std::move(request), SinkInto(answer));
    if (!prepared) {
      ADD_FAILURE() << prepared.error().message;
      return answer;
    }
    if (id != nullptr) *id = (*prepared)->id;
    core.Add(*std::move(prepared));
    return answer;
  }
  // Steps until nothing is left; the number of them.
  size_t Finish() {
    size_t steps = 1;
    while (core.Step()) {
      CHECK(steps++ < 100'000);
    }
    return steps;
  }

  SmallModel model;
  SchedulerCore core;
};

inline StreamRequest Ask(std::vector<int32_t> prompt, int64_t tokens, std::string user = "somebody") {
  StreamRequest request;
  request.generation.prompt = std::move(prompt);
  request.generation.params.max_new_tokens = tokens;
  request.cache_scope = user;
  request.user = std::move(user);
  return request;
}

}  // namespace bothy
