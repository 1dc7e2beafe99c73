// The scheduler's thread.
#include "runtime/scheduler/scheduler.h"

#include "runtime/scheduler/scheduler_testing.h"
#include "runtime/scheduler/stream_queue.h"
#include "runtime/text_generation.h"
#include "text/open_tokenizer.h"

namespace bothy {
namespace {

Answer TakeAll(StreamQueue& queue) {
  Answer answer;
  while (!answer.end) answer.Take(queue.Take());
  return answer;
}

TEST(Scheduler, EightParallelStreamsSayTheSameAsOneAfterAnother) {
  SmallModel model(1000, "llama3", 2);
  auto scheduler = Scheduler::Create(*model.engine, nullptr, {});
  ASSERT_OK(scheduler);
  std::vector<StreamRequest> requests;
  std::mt19937 random(7);
  for (int i = 0; i < 8; i++) {
    requests.push_back(
        Ask(model.Prompt(random, 5 + random() % 60), 40, std::string(1, static_cast<char>('a' + i % 3))));
    requests.back().generation.params.do_sample = i % 2 == 0;
    requests.back().generation.params.seed = static_cast<uint64_t>(i);
  }
  std::vector<Answer> answers(8);
  std::vector<std::thread> clients;
  for (size_t i = 0; i < 8; i++) {
    clients.emplace_back([&, i] {
      const auto queue = std::make_shared<StreamQueue>();
      ASSERT_TRUE((*scheduler)->Submit(requests[i], SinkInto(queue)));
      answers[i] = TakeAll(*queue);
    });
  }
  for (std::thread& client : clients) client.join();
  for (size_t i = 0; i < 8; i++) ExpectSame(answers[i], Alone(requests[i].generation));
}

TEST(Scheduler, RequestsMixedWithCancellationsLoseNoPage) {
  SmallModel model(160, "llama3", 2);
  {
    auto scheduler = Scheduler::Create(*model.engine, nullptr, {});
    ASSERT_OK(scheduler);
    std::vector<std::thread> clients;
    for (unsigned c = 0; c < 4; c++) {
      clients.emplace_back([&, c] {
        std::mt19937 random(c);
        for (int i = 0; i < 12; i++) {
          const auto queue = std::make_shared<StreamQueue>();
          const StreamRequest request = Ask(model.Prompt(random, 1 + random() % 50), 20, std::to_string(c));
          const auto id = (*scheduler)->Submit(request, SinkInto(queue));
          ASSERT_TRUE(id);
          const bool leaves = random() % 3 == 0;
          Answer answer;
          while (!answer.end) {
            answer.Take(queue->Take());
            if (leaves && answer.tokens[0].size() == 3) (*scheduler)->Cancel(*id);
          }
          EXPECT_FALSE(answer.end->error);
          if (answer.ends.at(0).reason == FinishReason::kLength) {
            EXPECT_EQ(answer.tokens[0].size(), 20u);
          }
        }
      });
    }
    for (std::thread& client : clients) client.join();
    // One more goes through after all others, so that the last step has been counted.
    const auto queue = std::make_shared<StreamQueue>();
    ASSERT_TRUE((*scheduler)->Submit(Ask({5, 6}, 1), SinkInto(queue)));
    TakeAll(*queue);
  }
  EXPECT_EQ(model.pages_in_use(), 0u);
}

TEST(Scheduler, UnloadingEndsWhatRunsWithAnError) {
  SmallModel model;
  auto scheduler = Scheduler::Create(*model.engine, nullptr, {});
  ASSERT_OK(scheduler);
  std::vector<std::shared_ptr<StreamQueue>> queues;
  for (int i = 0; i < 40; i++) {
    queues.push_back(std::make_shared<StreamQueue>());
    ASSERT_TRUE((*scheduler)->Submit(Ask({5, 6, static_cast<int32_t>(i)}, 10'000), SinkInto(queues.back())));
  }
  scheduler->reset();
  size_t unavailable = 0;
  for (const auto& queue : queues) {
    const Answer answer = TakeAll(*queue);
    if (answer.end->error) unavailable += answer.end->error->code == ErrorCode::kUnavailable;
  }
  EXPECT_GT(unavailable, 0u);
  EXPECT_EQ(model.pages_in_use(), 0u);
}

TEST(Scheduler, TextComesInWholeCharactersAndEndsAtStopStrings) {
  BOTHY_NEEDS_TEST_DATA();
  const auto files = OpenModelFiles(*TestData() / "kit" / "llama" / "stories260K.bin");
  ASSERT_OK(files);
  const auto tokenizer = OpenTokenizer(*files);
  ASSERT_OK(tokenizer);
  ThreadPool pool(2), session_pool(1);  // one that two threads use at once would be a race
  const auto open = [&](ThreadPool& threads) {
    auto model = LoadLanguageModel(*files, threads, {.precision = Precision::kExact, .max_rows = 64, .progress = {}});
    return *Engine::Create(*std::move(model), threads, {.kv = KvType::kF32, .cache_tokens = 3000});
  };
  const auto engine = open(pool), session_engine = open(session_pool);
  const auto scheduler = Scheduler::Create(*engine, tokenizer->get(), {});
  ASSERT_OK(scheduler);
  std::vector<StreamRequest> requests;
  std::vector<std::shared_ptr<StreamQueue>> queues;
  for (const std::string prompt : {"Once upon a time", "One day, Tom", "The sun", "Lily and Ben"}) {
    for (const std::string stop : {"", ".", "big", "Lily"}) {
      StreamRequest request = Ask(*(*tokenizer)->Encode(prompt, {.add_special_tokens = true}), 60);
      if (!stop.empty()) request.generation.params.stop_strings = {stop};
      request.generation.params.do_sample = stop == "big";
      request.generation.params.seed = 1;
      requests.push_back(request);
      queues.push_back(std::make_shared<StreamQueue>());
      ASSERT_TRUE((*scheduler)->Submit(request, SinkInto(queues.back())));
    }
  }
  for (size_t i = 0; i < requests.size(); i++) {
    const Answer answer = TakeAll(*queues[i]);
    GenerationSession session(*session_engine);
    const auto want = GenerateText(session, **tokenizer, requests[i].generation);
    ASSERT_OK(want);
    EXPECT_EQ(answer.text.at(0), want->texts[0].text);
    EXPECT_EQ(answer.tokens.at(0), want->texts[0].continuation.tokens);
    EXPECT_EQ(answer.ends.at(0).reason, want->texts[0].continuation.reason);
  }
}

}  // namespace
}  // namespace bothy
