#include "nn/attention_layer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/half.h"
#include "base/testing.h"
#include "tensor/isa.h"

namespace bothy {
namespace {

struct Case {
  size_t heads, kv_heads, head_dim;
  int64_t window;
};

// Two sequences with random keys and values, and queries for all their tokens.
struct World {
  Case c;
  std::unique_ptr<KvCache> cache;
  std::vector<size_t> lengths;
  std::vector<KvSequence> sequences;
  std::vector<std::vector<float>> keys, values, queries;  // by sequence: [token][head][dim]

  World(const Case& shape, KvType type, std::vector<size_t> all) : c(shape), lengths(std::move(all)) {
    cache = *KvCache::Create({.layers = 2, .kv_heads = c.kv_heads, .head_dim = c.head_dim}, type, 4000);
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    const auto fill = [&](size_t n) {
      std::vector<float> v(n);
      for (float& x : v) x = type == KvType::kF16 ? FromF16(ToF16(normal(random))) : normal(random);
      return v;
    };
    for (const size_t length : lengths) {
      keys.push_back(fill(length * c.kv_heads * c.head_dim));
      values.push_back(fill(length * c.kv_heads * c.head_dim));
      queries.push_back(fill(length * c.heads * c.head_dim));
      sequences.emplace_back(*cache);
    }
  }

  void Extend(size_t s, size_t count) {
    const size_t from = sequences[s].length();
    ASSERT_OK(sequences[s].Extend(count));
    for (size_t t = from; t < from + count; t++) {
      for (size_t h = 0; h < c.kv_heads; h++) {
        const size_t at = (t * c.kv_heads + h) * c.head_dim;
        cache->Write(1, h, sequences[s].pages()[t / kPageTokens], t % kPageTokens, &keys[s][at], &values[s][at]);
      }
    }
  }

  AttentionShape Shape() const {
    return {c.heads, c.kv_heads, c.head_dim, 1 / std::sqrt(static_cast<float>(c.head_dim)), c.window};
  }

  // The definition, in double.
  std::vector<double> Want(size_t s, size_t token) const {
    std::vector<double> out(c.heads * c.head_dim);
    const size_t first =
        c.window > 0 && token + 1 > static_cast<size_t>(c.window) ? token + 1 - static_cast<size_t>(c.window) : 0;
    for (size_t h = 0; h < c.heads; h++) {
      const size_t kv = h / (c.heads / c.kv_heads);
      std::vector<double> weight(token + 1);
      double sum = 0, max = -1e300;
      for (size_t t = first; t <= token; t++) {
        for (size_t d = 0; d < c.head_dim; d++) {
          weight[t] += static_cast<double>(queries[s][(token * c.heads + h) * c.head_dim + d]) *
                       static_cast<double>(keys[s][(t * c.kv_heads + kv) * c.head_dim + d]);
        }
        weight[t] /= std::sqrt(static_cast<double>(c.head_dim));
        max = std::max(max, weight[t]);
      }
      for (size_t t = first; t <= token; t++) sum += weight[t] = std::exp(weight[t] - max);
      for (size_t t = first; t <= token; t++) {
        for (size_t d = 0; d < c.head_dim; d++) {
          out[h * c.head_dim + d] +=
              weight[t] / sum * static_cast<double>(values[s][(t * c.kv_heads + kv) * c.head_dim + d]);
        }
      }
    }
    return out;
  }

  // Attention of all tokens of all sequences, `step` tokens of each at a time.
  std::vector<std::vector<float>> Run(ThreadPool& pool, size_t step) {
    const size_t width = c.heads * c.head_dim;
    std::vector<std::vector<float>> out;
    for (const size_t length : lengths) out.emplace_back(length * width);
    for (KvSequence& sequence : sequences) sequence.Truncate(0);
    AttentionScratch scratch;
    for (;;) {
      std::vector<BatchSlice> slices;
      std::vector<float> q;
      std::vector<std::pair<size_t, size_t>> from;
      size_t rows = 0;
      for (size_t s = 0; s < lengths.size(); s++) {
        const size_t done = sequences[s].length(), count = std::min(step, lengths[s] - done);
        if (count == 0) continue;
        Extend(s, count);
        slices.push_back({&sequences[s], rows, count});
        from.emplace_back(s, done);
        q.insert(q.end(), queries[s].begin() + static_cast<ptrdiff_t>(done * width),
                 queries[s].begin() + static_cast<ptrdiff_t>((done + count) * width));
        rows += count;
      }
      if (slices.empty()) return out;
      std::vector<float> result(rows * width);
      Attend(pool, *cache, 1, Shape(), slices, q.data(), result.data(), scratch);
      for (size_t i = 0; i < slices.size(); i++) {
        std::memcpy(out[from[i].first].data() + from[i].second * width, result.data() + slices[i].row * width,
                    slices[i].count * width * 4);
      }
    }
  }
};

const Case kCases[] = {{4, 4, 12, 0}, {6, 2, 20, 0}, {8, 1, 64, 0}, {9, 3, 64, 100}, {5, 5, 1, 3}, {14, 2, 7, 700}};

TEST(Attention, AgreesWithItsDefinitionInDouble) {
  ThreadPool pool(2);
  for (const Isa isa : SupportedIsas()) {
    UseIsa(isa);
    for (const Case& c : kCases) {
      for (const KvType type : {KvType::kF32, KvType::kF16}) {
        World world(c, type, {33, 1, 70});
        const auto got = world.Run(pool, 1000);
        for (size_t s = 0; s < got.size(); s++) {
          for (size_t t = 0; t < world.lengths[s]; t++) {
            const auto want = world.Want(s, t);
            for (size_t i = 0; i < want.size(); i++) {
              // Scores are sums of head_dim products of about 1; their error moves each weight by as much, relatively.
              ASSERT_NEAR(got[s][t * want.size() + i], want[i], 64 * (static_cast<double>(c.head_dim) + 32) * 0x1p-24)
                  << IsaName(isa) << " sequence " << s << " token " << t << " value " << i;
            }
          }
        }
      }
    }
  }
  UseIsa(SupportedIsas().back());
}

TEST(Attention, BitsDependNeitherOnThreadsNorOnHowAPromptIsCut) {
  ThreadPool one(1), three(3);
  for (const Case& c : kCases) {
    World world(c, KvType::kF16, {1100, 530});
    const auto whole = world.Run(three, 4000);
    EXPECT_EQ(world.Run(one, 4000), whole);
    EXPECT_EQ(world.Run(three, 37), whole);
    EXPECT_EQ(world.Run(three, 1), whole);
    EXPECT_EQ(world.Run(one, 1), whole);
  }
}

}  // namespace
}  // namespace bothy
