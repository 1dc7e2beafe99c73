#include "runtime/scheduler/prefix_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/testing.h"

namespace bothy {
namespace {

std::unique_ptr<KvCache> Make(size_t pages) {
  auto cache = KvCache::Create({.layers = 1, .kv_heads = 1, .head_dim = 2}, KvType::kF32, pages * kPageTokens);
  CHECK(cache);
  return *std::move(cache);
}

std::vector<int32_t> Text(size_t tokens, int32_t from = 0) {
  std::vector<int32_t> text(tokens);
  for (size_t i = 0; i < tokens; i++) text[i] = from + static_cast<int32_t>(i);
  return text;
}

// A text that has been run.
struct TextRun {
  TextRun(KvCache& cache, PrefixCache& prefix, const std::string& scope, std::vector<int32_t> tokens)
      : text(std::move(tokens)), sequence(cache), lease(prefix.Open(scope)) {
    found = prefix.Advance(lease, text, text.size() - 1, sequence);
    CHECK(sequence.Extend(text.size() - found));
    prefix.Enter(lease, text, sequence);
  }
  std::vector<int32_t> text;
  KvSequence sequence;
  PrefixCache::Lease lease;
  size_t found = 0;
};

TEST(PrefixCache, ATextThatBeginsLikeAnotherGetsItsFullPages) {
  const auto cache = Make(10);
  PrefixCache prefix;
  std::vector<int32_t> pages;
  {
    const TextRun first(*cache, prefix, "a", Text(40));
    pages.assign(first.sequence.pages().begin(), first.sequence.pages().end());
  }
  EXPECT_EQ(prefix.unused_pages(), 2u);
  EXPECT_EQ(cache->free_pages(), 8u);
  const TextRun second(*cache, prefix, "a", Text(50));
  EXPECT_EQ(second.found, 32u);
  EXPECT_EQ(second.sequence.pages()[0], pages[0]);
  EXPECT_EQ(second.sequence.pages()[1], pages[1]);
  EXPECT_EQ(prefix.unused_pages(), 0u);
}

TEST(PrefixCache, TheLastTokenIsLeftToBeRun) {
  const auto cache = Make(10);
  PrefixCache prefix;
  {
    const TextRun first(*cache, prefix, "a", Text(32));
  }
  const TextRun second(*cache, prefix, "a", Text(32));
  EXPECT_EQ(second.found, 16u);
}

TEST(PrefixCache, ScopesShareNothing) {
  const auto cache = Make(10);
  PrefixCache prefix;
  {
    const TextRun first(*cache, prefix, "a", Text(40));
  }
  EXPECT_EQ(prefix.Find("a", Text(40), 39).tokens, 32u);
  EXPECT_EQ(prefix.Find("b", Text(40), 39).tokens, 0u);
  const TextRun second(*cache, prefix, "b", Text(40));
  EXPECT_EQ(second.found, 0u);
  EXPECT_EQ(prefix.pages(), 4u);
}

TEST(PrefixCache, TheSamePageBehindAnotherBeginningIsAnotherPage) {
  const auto cache = Make(10);
  PrefixCache prefix;
  std::vector<int32_t> one = Text(33), other = Text(33);
  other[0] = 77;
  const TextRun first(*cache, prefix, "a", one), second(*cache, prefix, "a", other);
  EXPECT_EQ(second.found, 0u);
  EXPECT_NE(first.sequence.pages()[1], second.sequence.pages()[1]);
  EXPECT_EQ(prefix.pages(), 4u);
}

TEST(PrefixCache, TwoThatRanTheSameSideBySideKeepOnePageOfIt) {
  const auto cache = Make(10);
  PrefixCache prefix;
  const std::vector<int32_t> text = Text(20);
  KvSequence first(*cache), second(*cache);
  PrefixCache::Lease a = prefix.Open("a"), b = prefix.Open("a");
  ASSERT_OK(first.Extend(20));
  ASSERT_OK(second.Extend(20));
  prefix.Enter(a, text, first);
  EXPECT_EQ(cache->free_pages(), 6u);
  prefix.Enter(b, text, second);
  EXPECT_EQ(cache->free_pages(), 7u);
  EXPECT_EQ(first.pages()[0], second.pages()[0]);
}

TEST(PrefixCache, TheLeastRecentlyUsedGoFirstAndLaterPagesBeforeEarlierOnes) {
  const auto cache = Make(20);
  PrefixCache prefix;
  {
    const TextRun old(*cache, prefix, "a", Text(49, 100));
  }
  {
    const TextRun recent(*cache, prefix, "a", Text(33, 500));
  }
  {
    const TextRun again(*cache, prefix, "a", Text(17, 100));
  }  // its first page is the latest now
  EXPECT_EQ(prefix.Evict(2), 2u);
  EXPECT_EQ(prefix.Find("a", Text(49, 100), 48).tokens, 16u);
  EXPECT_EQ(prefix.Find("a", Text(33, 500), 32).tokens, 32u);
  EXPECT_EQ(prefix.Evict(2), 2u);
  EXPECT_EQ(prefix.Find("a", Text(33, 500), 32).tokens, 0u);
  EXPECT_EQ(prefix.Find("a", Text(49, 100), 48).tokens, 16u);
  EXPECT_EQ(prefix.Evict(5), 1u);
  EXPECT_EQ(cache->free_pages(), cache->pages());
}

TEST(PrefixCache, WhatIsInUseStays) {
  const auto cache = Make(10);
  PrefixCache prefix;
  const TextRun first(*cache, prefix, "a", Text(40));
  const PrefixCache::Lease fork = first.lease.Fork();
  EXPECT_EQ(prefix.Evict(10), 0u);
  EXPECT_EQ(fork.pages(), 2u);
}

// Against the plainest thing that says the same: a list of all beginnings that were ever entered and not evicted.
TEST(PrefixCache, FindsWhatAListOfBeginningsFinds) {
  std::mt19937 random(1);
  const auto cache = Make(60);
  PrefixCache prefix;
  std::vector<std::unique_ptr<TextRun>> runs;
  std::map<std::vector<int32_t>, int> known;  // whole pages of texts
  for (int round = 0; round < 3000; round++) {
    std::vector<int32_t> text;
    const size_t pages = 1 + random() % 5;
    for (size_t p = 0; p < pages; p++) {
      const std::vector<int32_t> page = Text(kPageTokens, static_cast<int32_t>(random() % 3 * 100));
      text.insert(text.end(), page.begin(), page.end());
    }
    text.push_back(1);
    size_t want = 0;
    while (want < pages * kPageTokens &&
           known.contains({text.begin(), text.begin() + static_cast<ptrdiff_t>(want + kPageTokens)})) {
      want += kPageTokens;
    }
    ASSERT_EQ(prefix.Find("a", text, text.size() - 1).tokens, want);
    if (cache->free_pages() < 6) {
      prefix.Evict(6);
      // What is gone is asked for beginning by beginning.
      std::erase_if(known, [&](const auto& one) {
        return prefix.Find("a", one.first, one.first.size()).tokens < one.first.size();
      });
    }
    if (cache->free_pages() >= 6) {
      runs.push_back(std::make_unique<TextRun>(*cache, prefix, "a", text));
      for (size_t p = 1; p <= pages; p++) known[{text.begin(), text.begin() + static_cast<ptrdiff_t>(p * kPageTokens)}];
    }
    if (runs.size() > 4 || (!runs.empty() && random() % 2 == 0)) {
      runs.erase(runs.begin() + static_cast<ptrdiff_t>(random() % runs.size()));
    }
    ASSERT_EQ(prefix.pages(), known.size());
  }
  runs.clear();
  EXPECT_EQ(prefix.unused_pages(), prefix.pages());
  prefix.Evict(prefix.pages());
  EXPECT_EQ(cache->free_pages(), cache->pages());
}

}  // namespace
}  // namespace bothy
