#include "serve/model_pool.h"

#include <atomic>
#include <thread>

#include "base/testing.h"

namespace bothy::serve {
namespace {

// Copies of a small model (Karpathy's stories260K), each a place of its own.
class ModelPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto data = TestData();
    if (!data) GTEST_SKIP() << "needs BOTHY_TEST_DATA";
    std::filesystem::copy_file(*data / "kit" / "llama" / "stories260K.bin", folder_.path() / "model.bin");
    std::filesystem::copy_file(*data / "kit" / "llama" / "tok512.bin", folder_.path() / "tokenizer.bin");
    auto files = OpenModelFiles(folder_.path() / "model.bin");
    ASSERT_OK(files);
    model_bytes_ = ExpectedBytes(*files, Serving());
  }

  static ServingOptions Serving() { return {.threads = 1, .cache_bytes = 1 << 20}; }

  ModelPool Pool(uint64_t models) {
    return ModelPool(
        {.memory_bytes = models * model_bytes_ * 5 / 4, .serving = Serving(), .now = [this] { return time_++; }});
  }

  ModelPlace Place(const std::string& model, const std::string& revision = "1") {
    return {.key = model + "@" + revision, .model = model, .open = [this] {
              opened_++;
              return OpenModelFiles(folder_.path() / "model.bin");
            }};
  }

  static std::vector<std::string> Keys(const ModelPool& pool) {
    std::vector<std::string> keys;
    for (const PoolEntry& entry : pool.List()) keys.push_back(entry.key);
    return keys;
  }

  TemporaryFolder folder_;
  uint64_t model_bytes_ = 0;
  std::atomic<int> opened_ = 0;
  double time_ = 0;
};

TEST_F(ModelPoolTest, ManyWhoAskAtOnceGetOneModel) {
  ModelPool pool = Pool(2);
  std::vector<std::shared_ptr<ServedModel>> models(8);
  std::vector<std::thread> threads;
  for (auto& model : models) {
    threads.emplace_back([&] {
      auto got = pool.Get(Place("a"));
      EXPECT_OK(got);
      model = got.value_or(nullptr);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(opened_, 1);
  for (const auto& model : models) EXPECT_EQ(model, models[0]);
}

TEST_F(ModelPoolTest, TheOneThatWasNotUsedForLongestMakesRoom) {
  ModelPool pool = Pool(2);
  ASSERT_OK(pool.Get(Place("a")));
  ASSERT_OK(pool.Get(Place("b")));
  ASSERT_OK(pool.Get(Place("a")));
  ASSERT_OK(pool.Get(Place("c")));
  EXPECT_EQ(Keys(pool), (std::vector<std::string>{"a@1", "c@1"}));
}

TEST_F(ModelPoolTest, WhatAnswersOrIsPinnedStays) {
  ModelPool pool = Pool(2);
  auto held = pool.Get(Place("a"));
  ASSERT_OK(held);
  ASSERT_OK(pool.Get(Place("b")));
  pool.Pin("b@1", true);
  EXPECT_EQ(pool.Get(Place("c")).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(Keys(pool), (std::vector<std::string>{"a@1", "b@1"}));
  held->reset();
  ASSERT_OK(pool.Get(Place("c")));
  EXPECT_EQ(Keys(pool), (std::vector<std::string>{"b@1", "c@1"}));
}

TEST_F(ModelPoolTest, WhatIsLargerThanAllMemoryIsRefusedWithTheNumbers) {
  ModelPool pool({.memory_bytes = 1 << 20, .serving = Serving(), .now = {}});
  const auto refused = pool.Get(Place("a"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(Keys(pool).empty());
}

TEST_F(ModelPoolTest, ANewRevisionTakesThePlaceOfTheOldWhichFinishesItsAnswers) {
  ModelPool pool = Pool(3);
  const auto old = pool.Get(Place("a", "1"));
  ASSERT_OK(old);
  ASSERT_OK(pool.Get(Place("a", "2")));
  EXPECT_EQ(Keys(pool), (std::vector<std::string>{"a@2"}));
  EXPECT_EQ((*old)->info().vocabulary, 512u);
}

TEST_F(ModelPoolTest, ABrokenRevisionIsRememberedUntilTheNext) {
  ModelPool pool = Pool(2);
  ModelPlace broken = Place("a", "1");
  int tries = 0;
  broken.open = [&]() -> Result<ModelFiles> {
    tries++;
    return Fail(ErrorCode::kCorrupt, "model.gguf: offset 8: nonsense");
  };
  for (int i = 0; i < 3; i++) {
    const auto failed = pool.Get(broken);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "model.gguf: offset 8: nonsense");
  }
  EXPECT_EQ(tries, 1);
  EXPECT_EQ(pool.List()[0].state, PoolEntry::State::kFailed);
  ASSERT_OK(pool.Get(Place("a", "2")));
  EXPECT_EQ(Keys(pool), (std::vector<std::string>{"a@2"}));
}

TEST_F(ModelPoolTest, OfManyBrokenOnesTheNewestAreRemembered) {
  ModelPool pool = Pool(2);
  for (int i = 0; i < 300; i++) {
    ModelPlace broken = Place(fmt::format("ns/{:03}", i));
    broken.open = []() -> Result<ModelFiles> { return Fail(ErrorCode::kCorrupt, "nonsense"); };
    EXPECT_FALSE(pool.Get(broken));
  }
  EXPECT_EQ(pool.List().size(), 256u);
  EXPECT_EQ(pool.List().back().key, "ns/299@1");
}

TEST_F(ModelPoolTest, WhereMemoryIsShortTheCacheLeavesRoomForTheModel) {
  ModelPool pool(
      {.memory_bytes = 2 * model_bytes_, .serving = {.threads = 1, .cache_bytes = uint64_t{4} << 30}, .now = {}});
  const auto got = pool.Get(Place("a"));
  ASSERT_OK(got);
  EXPECT_LE((*got)->bytes(), 2 * model_bytes_);
}

TEST_F(ModelPoolTest, AFailureThatMayPassIsTriedAgain) {
  ModelPool pool = Pool(2);
  ModelPlace place = Place("a");
  bool up = false;
  place.open = [&, open = place.open]() -> Result<ModelFiles> {
    if (!up) return Fail(ErrorCode::kUnavailable, "the database is locked");
    return open();
  };
  EXPECT_EQ(pool.Get(place).error().code, ErrorCode::kUnavailable);
  up = true;
  EXPECT_OK(pool.Get(place));
}

}  // namespace
}  // namespace bothy::serve
