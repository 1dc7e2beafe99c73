// For the tests of model families: runs the cases of a golden folder (tests/golden, made by transformers) and compares.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/testing.h"
#include "codec/json.h"
#include "codec/safetensors.h"
#include "models/families.h"
#include "nn/kv_cache.h"
#include "tensor/quant/quant.h"

namespace bothy {

// A model with a cache in f32 and exact products, as the references compute.
class GoldenModel {
 public:
  GoldenModel(const ModelFiles& files, ThreadPool& pool, size_t max_rows) : pool_(pool) {
    auto model = LoadLanguageModel(files, pool, {.precision = Precision::kExact, .max_rows = max_rows, .progress = {}});
    if (!model) {
      ADD_FAILURE() << model.error().message;
      return;
    }
    model_ = *std::move(model);
    cache_ = *KvCache::Create(info().kv, KvType::kF32, 4096);
  }
  bool ok() const { return model_ != nullptr; }
  const ModelInfo& info() const { return model_->info(); }
  KvSequence NewSequence() { return KvSequence(*cache_); }

  struct Input {
    KvSequence* sequence;
    std::span<const int32_t> tokens;
  };
  // Logits after every token of all inputs, which go through as one batch where they fit.
  std::vector<float> Run(const std::vector<Input>& inputs) {
    std::vector<float> out;
    std::vector<int32_t> tokens;
    std::vector<BatchSlice> slices;
    const auto flush = [&] {
      std::vector<uint32_t> rows(tokens.size());
      for (uint32_t i = 0; i < rows.size(); i++) rows[i] = i;
      const size_t at = out.size();
      out.resize(at + rows.size() * info().vocabulary);
      EXPECT_TRUE(model_->Forward(pool_, *cache_, {tokens, slices, rows, out.data() + at, {}}));
      tokens.clear();
      slices.clear();
    };
    for (const Input& input : inputs) {
      for (size_t i = 0; i < input.tokens.size();) {
        const size_t n = std::min(input.tokens.size() - i, model_->max_rows() - tokens.size());
        EXPECT_OK(input.sequence->Extend(n));
        slices.push_back({input.sequence, tokens.size(), n, input.sequence->length() + input.tokens.size() - i - n});
        const auto part = input.tokens.subspan(i, n);
        tokens.insert(tokens.end(), part.begin(), part.end());
        i += n;
        if (tokens.size() == model_->max_rows()) flush();
      }
    }
    if (!tokens.empty()) flush();
    return out;
  }

 private:
  ThreadPool& pool_;
  std::unique_ptr<LanguageModel> model_;
  std::unique_ptr<KvCache> cache_;
};

// One golden folder: a model in the Hub's layout, golden.safetensors, golden.json.
class GoldenFolder {
 public:
  explicit GoldenFolder(std::filesystem::path folder)
      : folder_(std::move(folder)), golden_(Read("golden.safetensors")) {
    const auto parsed = json::Parse(ReadTestFile(folder_ / "golden.json"), "golden.json");
    CHECK(parsed);
    description_ = parsed->as_object();
  }

  // `config` is "config.json" (as transformers 5 writes it) or "config.v4.json" (as 4 did).
  ModelFiles Model(const std::string& config, const std::string& weights = "model.safetensors") const {
    ModelFiles files;
    files.name = folder_.string();
    files.checkpoint = Read(weights);
    const auto parsed = json::Parse(ReadTestFile(folder_ / config), config);
    CHECK(parsed);
    files.config = parsed->as_object();
    return files;
  }

  bool Has(const std::string& name) const { return golden_.Find(name) != nullptr; }
  std::vector<uint64_t> Shape(const std::string& name) const { return (*golden_.Get(name))->shape; }
  std::vector<double> Doubles(const std::string& name) const {
    const ArrayInfo* array = *golden_.Get(name);
    std::vector<double> values(ElementCount(*array));
    const std::vector<std::byte> bytes = Bytes(*array);
    if (array->dtype == DType::kF64) {
      std::memcpy(values.data(), bytes.data(), bytes.size());
    } else {
      std::vector<float> floats(values.size());
      Dequantize(array->dtype, bytes.data(), floats.size(), floats.data());
      values.assign(floats.begin(), floats.end());
    }
    return values;
  }
  // Rows of an integer array, without the positions that `mask` (if there) says are padding.
  std::vector<std::vector<int32_t>> Rows(const std::string& name, const std::string& mask) const {
    const std::vector<uint64_t> shape = Shape(name);
    const std::vector<int64_t> ids = Integers(name), seen = Has(mask) ? Integers(mask) : std::vector<int64_t>();
    std::vector<std::vector<int32_t>> rows(shape[0]);
    for (size_t i = 0; i < ids.size(); i++) {
      if (seen.empty() || seen[i] != 0) rows[i / shape[1]].push_back(static_cast<int32_t>(ids[i]));
    }
    return rows;
  }
  std::vector<int64_t> Integers(const std::string& name) const {
    const ArrayInfo* array = *golden_.Get(name);
    CHECK(array->dtype == DType::kI64);
    std::vector<int64_t> values(ElementCount(*array));
    const std::vector<std::byte> bytes = Bytes(*array);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  // golden.json: how far from the f64 run an engine that sums in another order may be (README-text.md, "Bounds").
  double Bound(const std::string& output) const {
    const json::value& bound = description_.at("bounds").at(output).at("bound");
    return bound.to_number<double>();
  }

  static constexpr size_t kWhole = 1u << 20;

  // Logits after every token of every row; the rows go through as one batch. `step` tokens of a row at a time.
  static std::vector<std::vector<float>> Logits(GoldenModel& model, const std::vector<std::vector<int32_t>>& rows,
                                                size_t step) {
    std::vector<std::vector<float>> out(rows.size());
    std::vector<KvSequence> sequences;
    for (size_t i = 0; i < rows.size(); i++) sequences.push_back(model.NewSequence());
    for (size_t done = 0;; done += step) {
      std::vector<GoldenModel::Input> inputs;
      std::vector<size_t> which;
      for (size_t i = 0; i < rows.size(); i++) {
        if (done >= rows[i].size()) continue;
        inputs.push_back({&sequences[i], std::span(rows[i]).subspan(done, std::min(step, rows[i].size() - done))});
        which.push_back(i);
      }
      if (inputs.empty()) return out;
      const std::vector<float> logits = model.Run(inputs);
      auto from = logits.begin();
      for (size_t i = 0; i < inputs.size(); i++) {
        const auto to = from + static_cast<ptrdiff_t>(inputs[i].tokens.size() * model.info().vocabulary);
        out[which[i]].insert(out[which[i]].end(), from, to);
        from = to;
      }
    }
  }

  static std::vector<int32_t> Greedy(GoldenModel& model, const std::vector<int32_t>& prompt, size_t count) {
    KvSequence sequence = model.NewSequence();
    std::vector<int32_t> next = prompt, out;
    while (out.size() < count) {
      const std::vector<float> logits = model.Run({{&sequence, next}});
      const auto last = logits.end() - static_cast<ptrdiff_t>(model.info().vocabulary);
      out.push_back(static_cast<int32_t>(std::max_element(last, logits.end()) - last));
      next = {out.back()};
    }
    return out;
  }

  // Every case that the folder has, from logits to greedy text.
  void Check(GoldenModel& model) const {
    const size_t vocabulary = model.info().vocabulary;
    for (const std::string name : {"single", "short"}) {
      if (!Has(name + ".input_ids")) continue;
      const auto got = Logits(model, Rows(name + ".input_ids", ""), kWhole);
      const std::vector<double> want = Doubles(Has(name + ".logits_f64") ? name + ".logits_f64" : name + ".logits");
      ASSERT_EQ(got[0].size(), want.size());
      ExpectNear(got[0], want, Bound(name + ".logits"), name);
    }
    for (const std::string name : {"right", "batch"}) {
      if (!Has(name + ".input_ids")) continue;
      const auto rows = Rows(name + ".input_ids", name + ".attention_mask");
      const auto got = Logits(model, rows, kWhole);
      const std::vector<double> want = Doubles(name + ".logits");
      const uint64_t width = Shape(name + ".input_ids")[1];
      for (size_t r = 0; r < rows.size(); r++) {
        const auto begin = want.begin() + static_cast<ptrdiff_t>(r * width * vocabulary);
        ExpectNear(got[r], {begin, begin + static_cast<ptrdiff_t>(rows[r].size() * vocabulary)},
                   Bound(name + ".logits"), name);
      }
    }
    if (Has("left.input_ids")) {
      const auto rows = Rows("left.input_ids", "left.attention_mask");
      const auto got = Logits(model, rows, kWhole);
      const std::vector<double> want = Doubles("left.last_logits");
      for (size_t r = 0; r < rows.size(); r++) {
        const auto begin = want.begin() + static_cast<ptrdiff_t>(r * vocabulary);
        ExpectNear({got[r].end() - static_cast<ptrdiff_t>(vocabulary), got[r].end()},
                   {begin, begin + static_cast<ptrdiff_t>(vocabulary)}, Bound("left.last_logits"), "left");
      }
    }
    for (const std::string name : {"greedy", "greedy_batch"}) {
      if (!Has(name + ".input_ids")) continue;
      const auto prompts = Rows(name + ".input_ids", name + ".attention_mask");
      const auto want = Rows(name + ".output_ids", "");
      for (size_t r = 0; r < prompts.size(); r++) {
        EXPECT_EQ(Greedy(model, prompts[r], want[r].size()), want[r]) << name << " row " << r;
      }
    }
  }

  static void ExpectNear(const std::vector<float>& got, const std::vector<double>& want, double bound,
                         const std::string& what) {
    ASSERT_EQ(got.size(), want.size()) << what;
    double worst = 0;
    for (size_t i = 0; i < got.size(); i++) worst = std::max(worst, std::abs(static_cast<double>(got[i]) - want[i]));
    EXPECT_LE(worst, bound) << what;
  }

  const std::filesystem::path& path() const { return folder_; }

 private:
  Checkpoint Read(const std::string& file) const {
    auto source = OpenFile(folder_ / file);
    CHECK(source);
    auto read = ReadSafetensors(*std::move(source));
    CHECK(read);
    return std::move(read->checkpoint);
  }
  std::vector<std::byte> Bytes(const ArrayInfo& array) const {
    std::vector<std::byte> bytes(array.size);
    CHECK(golden_.Read(array, 0, bytes));
    return bytes;
  }

  std::filesystem::path folder_;
  Checkpoint golden_;
  json::object description_;
};

// Every case of the folder, with its configuration in both forms.
inline void ExpectReferenceResults(const GoldenFolder& golden) {
  ThreadPool pool(2);
  for (const std::string config : {"config.json", "config.v4.json"}) {
    GoldenModel model(golden.Model(config), pool, 64);
    ASSERT_TRUE(model.ok());
    golden.Check(model);
  }
}

// The same bits however a prompt is cut, whatever else is in the batch, on any number of threads.
inline void ExpectSameBitsHoweverCut(const GoldenFolder& golden) {
  ThreadPool one(1), three(3);
  GoldenModel model(golden.Model("config.json"), three, 64);
  ASSERT_TRUE(model.ok());
  if (model.info().length_dependent) return;  // the reference itself computes something else step by step
  const auto rows = golden.Rows("right.input_ids", "right.attention_mask");
  const auto whole = GoldenFolder::Logits(model, rows, GoldenFolder::kWhole);
  for (const size_t step : {size_t{1}, size_t{5}}) EXPECT_EQ(GoldenFolder::Logits(model, rows, step), whole) << step;
  GoldenModel alone(golden.Model("config.json"), one, 7);
  for (size_t r = 0; r < rows.size(); r++) {
    EXPECT_EQ(GoldenFolder::Logits(alone, {rows[r]}, GoldenFolder::kWhole)[0], whole[r])
        << "row " << r << " alone on one thread";
  }
}

// The output of the embeddings, of every block and of the last norm.
inline void ExpectReferenceBlocks(const GoldenFolder& golden) {
  ThreadPool pool(2);
  auto model = LoadLanguageModel(golden.Model("config.json"), pool,
                                 {.precision = Precision::kExact, .max_rows = 256, .progress = {}});
  ASSERT_OK(model);
  const auto cache = KvCache::Create((*model)->info().kv, KvType::kF32, 256);
  ASSERT_OK(cache);
  KvSequence sequence(**cache);
  const std::vector<int32_t> tokens = golden.Rows("single.input_ids", "")[0];
  ASSERT_OK(sequence.Extend(tokens.size()));
  const BatchSlice slice = {&sequence, 0, tokens.size()};
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < tokens.size(); i++) rows.push_back(i);
  std::vector<float> logits(tokens.size() * (*model)->info().vocabulary);
  size_t seen = 0;
  const auto observe = [&](std::string_view name, const float* values, size_t count, size_t width) {
    const std::string output = "single." + std::string(name);
    const std::string f64 = output + "_f64";
    if (!golden.Has(output) && !golden.Has(f64)) return;
    seen++;
    GoldenFolder::ExpectNear({values, values + count * width}, golden.Doubles(golden.Has(f64) ? f64 : output),
                             golden.Bound(output), output);
  };
  EXPECT_TRUE((*model)->Forward(pool, **cache, {tokens, {&slice, 1}, rows, logits.data(), observe}));
  EXPECT_EQ(seen, (*model)->info().layers + 2);
}

// Being cancelled while a layer runs ends the call behind that layer.
inline void ExpectCancellingBetweenLayers(const GoldenFolder& golden) {
  ThreadPool pool(2);
  auto model = LoadLanguageModel(golden.Model("config.json"), pool, {});
  ASSERT_OK(model);
  const auto cache = KvCache::Create((*model)->info().kv, KvType::kF16, 64);
  ASSERT_OK(cache);
  KvSequence sequence(**cache);
  const std::vector<int32_t> tokens = {3, 4, 5};
  ASSERT_OK(sequence.Extend(tokens.size()));
  const BatchSlice slice = {&sequence, 0, tokens.size()};
  const std::vector<uint32_t> rows = {2};
  std::vector<float> logits((*model)->info().vocabulary, 7.0f);
  std::atomic<bool> cancel = false;
  std::vector<std::string> seen;
  const auto observe = [&](std::string_view name, const float*, size_t, size_t) {
    seen.emplace_back(name);
    cancel = name == "layer.0";
  };
  EXPECT_FALSE((*model)->Forward(pool, **cache, {tokens, {&slice, 1}, rows, logits.data(), observe, &cancel}));
  EXPECT_EQ(seen, (std::vector<std::string>{"embeddings", "layer.0"}));
  EXPECT_EQ(logits, std::vector<float>(logits.size(), 7.0f));
}

}  // namespace bothy
