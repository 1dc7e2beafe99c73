// karpathy's stories260K, a real LLaMA in llama2.c's format, against a forward pass in numpy
// (tools/golden/stories260k.py) whose text is the one that llama2.c's page shows.
#include <gtest/gtest.h>

#include "models/golden_testing.h"
#include "runtime/generation.h"
#include "text/open_tokenizer.h"

namespace bothy {
namespace {

struct Stories {
  Stories() : golden(json::Parse(ReadTestFile(Golden() / "stories260k" / "golden.json"), "golden.json")->as_object()) {
    for (const auto& id : golden.at("ids").as_array()) ids.push_back(id.to_number<int32_t>());
  }

  static ModelFiles Files() {
    auto files = OpenModelFiles(*TestData() / "kit" / "llama" / "stories260K.bin");
    CHECK(files);
    return *std::move(files);
  }
  std::unique_ptr<Engine> Open(const ModelFiles& files = Files()) {
    auto model = LoadLanguageModel(files, pool, {.precision = Precision::kExact, .max_rows = 100, .progress = {}});
    CHECK(model);
    return *Engine::Create(*std::move(model), pool, {.kv = KvType::kF32, .cache_tokens = 600});
  }

  // Logits after each of the golden's tokens but the last, `step` of them at a time.
  std::vector<float> Logits(Engine& engine, size_t step) const {
    std::vector<float> logits((ids.size() - 1) * engine.info().vocabulary);
    KvSequence sequence = engine.NewSequence();
    for (size_t at = 0; at + 1 < ids.size(); at += step) {
      const EngineInput input = {&sequence, std::span(ids).subspan(at, std::min(step, ids.size() - 1 - at)),
                                 EngineInput::Want::kAll};
      EXPECT_OK(engine.Run({&input, 1}, logits.data() + at * engine.info().vocabulary));
    }
    return logits;
  }

  ThreadPool pool{2};
  json::object golden;
  std::vector<int32_t> ids;  // the beginning token and 256 that the model chose
};

TEST(Stories260K, TellsTheKnownStory) {
  BOTHY_NEEDS_TEST_DATA();
  Stories stories;
  const ModelFiles files = Stories::Files();
  const auto tokenizer = OpenTokenizer(files);
  ASSERT_OK(tokenizer);
  const auto engine = stories.Open(files);
  const std::string text(stories.golden.at("text").as_string());
  ASSERT_TRUE(text.starts_with("Once upon a time, there was a little girl named Lily."));
  for (const std::string prompt : {"", "Once upon a time"}) {
    GenerationRequest request;
    request.prompt = *(*tokenizer)->Encode(prompt, {.add_special_tokens = true});
    ASSERT_TRUE(std::equal(request.prompt.begin(), request.prompt.end(), stories.ids.begin())) << prompt;
    request.params.max_new_tokens = static_cast<int64_t>(stories.ids.size() - request.prompt.size());
    GenerationSession session(*engine);
    const auto result = session.Generate(request);
    ASSERT_OK(result);
    std::vector<int32_t> ids = request.prompt;
    ids.insert(ids.end(), result->continuations[0].tokens.begin(), result->continuations[0].tokens.end());
    EXPECT_EQ(ids, stories.ids);
    EXPECT_EQ((*tokenizer)->Decode(ids, true), text);
  }
}

TEST(Stories260K, LogitsAreThoseOfAnotherForwardPass) {
  BOTHY_NEEDS_TEST_DATA();
  Stories stories;
  const auto engine = stories.Open();
  const std::vector<float> logits = stories.Logits(*engine, 1000);
  const auto& want = stories.golden.at("last_logits").as_array();
  ASSERT_EQ(want.size(), engine->info().vocabulary);
  // Eight times what numpy in f32 is off by: another order of the same sums (README-text.md, "Bounds").
  const double bound = 8 * stories.golden.at("f32_difference").to_number<double>();
  for (size_t i = 0; i < want.size(); i++) {
    EXPECT_NEAR(logits[logits.size() - want.size() + i], want[i].to_number<double>(), bound) << i;
  }
}

TEST(Stories260K, StepByStepIsTheSameBitsAsAllAtOnce) {
  BOTHY_NEEDS_TEST_DATA();
  Stories stories;
  const auto engine = stories.Open();
  const std::vector<float> whole = stories.Logits(*engine, 1000);
  EXPECT_EQ(stories.Logits(*engine, 1), whole);
  EXPECT_EQ(stories.Logits(*engine, 37), whole);
}

TEST(Stories260K, AMistralWhoseWindowHoldsTheContextIsTheSameModel) {
  BOTHY_NEEDS_TEST_DATA();
  Stories stories;
  const std::vector<float> want = stories.Logits(*stories.Open(), 1000);
  const auto with_window = [&](int64_t window) {
    ModelFiles files = Stories::Files();
    (*files.config)["model_type"] = "mistral";
    (*files.config)["sliding_window"] = window;
    return stories.Logits(*stories.Open(files), 1000);
  };
  EXPECT_EQ(with_window(512), want);
  const std::vector<float> narrow = with_window(16);
  // The first 16 tokens see all that is before them, later ones do not.
  const auto seen = static_cast<ptrdiff_t>(16 * (want.size() / (stories.ids.size() - 1)));
  EXPECT_TRUE(std::equal(narrow.begin(), narrow.begin() + seen, want.begin()));
  EXPECT_FALSE(std::equal(narrow.begin() + seen, narrow.end(), want.begin() + seen));
}

}  // namespace
}  // namespace bothy
