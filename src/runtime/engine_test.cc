// The engine on models whose rotary embedding depends on the length of a call.
#include "runtime/engine.h"

#include <gtest/gtest.h>

#include "models/golden_testing.h"

namespace bothy {
namespace {

constexpr size_t kLongest = 48;

// The golden LLaMA with dynamic NTK, or with longrope in its place; both turn over at 24 tokens.
struct World {
  World(bool longrope, size_t max_rows) : pool(2) {
    const GoldenFolder golden(Golden() / "llama-dynamic");
    ModelFiles files = golden.Model("config.json");
    if (longrope) {
      (*files.config)["rope_parameters"] = json::object{{"rope_type", "longrope"},
                                                        {"rope_theta", 10000.0},
                                                        {"factor", 2.0},
                                                        {"original_max_position_embeddings", 24},
                                                        {"short_factor", {1.0, 1.1, 1.2, 1.3}},
                                                        {"long_factor", {1.5, 2.0, 2.5, 3.0}}};
      (*files.config)["max_position_embeddings"] = kLongest;
    }
    const auto single = golden.Rows("single.input_ids", "")[0], right = golden.Rows("right.input_ids", "")[0];
    long_tokens = single;
    short_tokens = right;
    auto model = LoadLanguageModel(files, pool, {.precision = Precision::kExact, .max_rows = max_rows, .progress = {}});
    CHECK(model);
    engine = *Engine::Create(*std::move(model), pool, {.kv = KvType::kF32, .cache_tokens = 400});
  }

  // Logits after every token of every text, which run in one call.
  std::vector<std::vector<float>> Logits(const std::vector<std::vector<int32_t>>& texts) {
    std::vector<KvSequence> sequences;
    std::vector<EngineInput> inputs;
    size_t rows = 0;
    sequences.reserve(texts.size());  // inputs point at them
    for (size_t i = 0; i < texts.size(); i++) {
      sequences.push_back(engine->NewSequence());
      inputs.push_back({&sequences[i], texts[i], EngineInput::Want::kAll});
      rows += texts[i].size();
    }
    const size_t vocabulary = engine->info().vocabulary;
    std::vector<float> all(rows * vocabulary);
    EXPECT_OK(engine->Run(inputs, all.data()));
    std::vector<std::vector<float>> out;
    auto from = all.begin();
    for (const auto& text : texts) {
      out.emplace_back(from, from + static_cast<ptrdiff_t>(text.size() * vocabulary));
      from += static_cast<ptrdiff_t>(text.size() * vocabulary);
    }
    return out;
  }

  ThreadPool pool;
  std::vector<int32_t> long_tokens, short_tokens;  // 41 and 19 of them
  std::unique_ptr<Engine> engine;
};

class LengthDependent : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Rope, LengthDependent, testing::Bool(),
                         [](const auto& info) { return info.param ? "longrope" : "dynamic"; });

TEST_P(LengthDependent, APromptThatIsCutIsTheSameBitsAsInOnePiece) {
  World whole(GetParam(), 64), cut(GetParam(), 7);
  const auto want = whole.Logits({whole.long_tokens});
  EXPECT_EQ(cut.Logits({cut.long_tokens}), want);
  // And it is not what the parts would be as calls of their own.
  World w(GetParam(), 64);
  const auto first = w.Logits({{w.long_tokens.begin(), w.long_tokens.begin() + 10}});
  EXPECT_FALSE(std::equal(first[0].begin(), first[0].end(), want[0].begin()));
}

TEST_P(LengthDependent, ACallInTurnsThatSaysItsLengthIsTheSameBits) {
  World w(GetParam(), 64);
  const auto want = w.Logits({w.long_tokens});
  const size_t vocabulary = w.engine->info().vocabulary;
  std::vector<float> got(w.long_tokens.size() * vocabulary);
  KvSequence sequence = w.engine->NewSequence();
  for (size_t at = 0; at < w.long_tokens.size(); at += 9) {
    const auto part = std::span(w.long_tokens).subspan(at, std::min<size_t>(9, w.long_tokens.size() - at));
    const EngineInput input = {&sequence, part, EngineInput::Want::kAll, w.long_tokens.size()};
    ASSERT_OK(w.engine->Run({&input, 1}, got.data() + at * vocabulary));
  }
  EXPECT_EQ(got, want[0]);
}

TEST_P(LengthDependent, SequencesOfABatchAreTheSameBitsAsEachAlone) {
  World w(GetParam(), 64), cut(GetParam(), 8);
  const auto a = w.Logits({w.long_tokens}), b = w.Logits({w.short_tokens});
  for (World* world : {&w, &cut}) {
    const auto together = world->Logits({w.short_tokens, w.long_tokens});
    EXPECT_EQ(together[0], b[0]);
    EXPECT_EQ(together[1], a[0]);
  }
}

// A model of two tokens whose second call is cancelled on its way.
class CancelledModel final : public LanguageModel {
 public:
  explicit CancelledModel(std::atomic<bool>& cancel) : cancel_(cancel) {
    info_ = {.family = "test", .vocabulary = 2, .context_length = 64, .layers = 1, .hidden = 1, .kv = {1, 1, 2}};
    max_rows_ = 4;
  }
  bool Forward(ThreadPool&, KvCache&, const Batch& batch) override {
    if (++calls_ == 2) cancel_ = true;
    return !batch.Cancelled();
  }

 private:
  std::atomic<bool>& cancel_;
  int calls_ = 0;
};

TEST(Engine, ACallThatIsCancelledOnItsWayLeavesSequencesAsTheyWere) {
  ThreadPool pool(1);
  std::atomic<bool> cancel = false;
  const auto engine = *Engine::Create(std::make_unique<CancelledModel>(cancel), pool, {});
  KvSequence sequence = engine->NewSequence();
  const std::vector<int32_t> tokens(7, 1);
  const EngineInput input = {&sequence, tokens, EngineInput::Want::kNone};
  const auto result = engine->Run({&input, 1}, nullptr, &cancel);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(sequence.length(), 0u);
  cancel = false;
  ASSERT_OK(engine->Run({&input, 1}, nullptr, &cancel));
  EXPECT_EQ(sequence.length(), 7u);
}

}  // namespace
}  // namespace bothy
