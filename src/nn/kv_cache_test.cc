#include "nn/kv_cache.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "base/testing.h"

namespace bothy {
namespace {

std::unique_ptr<KvCache> Make(size_t tokens) {
  auto cache = KvCache::Create({.layers = 2, .kv_heads = 3, .head_dim = 5}, KvType::kF32, tokens);
  CHECK(cache);
  return *std::move(cache);
}

TEST(KvCache, PagesComeBackWhenASequenceEnds) {
  const auto cache = Make(100);
  EXPECT_EQ(cache->pages(), 7u);
  {
    KvSequence sequence(*cache);
    EXPECT_OK(sequence.Extend(17));
    EXPECT_EQ(cache->free_pages(), 5u);
    EXPECT_OK(sequence.Extend(15));
    EXPECT_EQ(cache->free_pages(), 5u);
    sequence.Truncate(16);
    EXPECT_EQ(cache->free_pages(), 6u);
  }
  EXPECT_EQ(cache->free_pages(), 7u);
}

TEST(KvCache, TooFewPagesIsAnErrorThatChangesNothing) {
  const auto cache = Make(32);
  KvSequence sequence(*cache);
  ASSERT_OK(sequence.Extend(10));
  const auto result = sequence.Extend(23);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(sequence.length(), 10u);
  EXPECT_OK(sequence.Extend(22));
}

TEST(KvCache, AHeldPageOutlivesItsSequenceAndServesAnother) {
  const auto cache = Make(64);
  const float key[5] = {1, 2, 3, 4, 5};
  std::optional<KvPage> held;
  int32_t page = 0;
  {
    KvSequence first(*cache);
    ASSERT_OK(first.Extend(20));
    page = first.pages()[0];
    cache->Write(0, 0, page, 7, key, key);
    held = first.Hold(0);
  }
  EXPECT_EQ(cache->free_pages(), 3u);
  KvSequence second(*cache), third(*cache);
  second.Append(*held);
  EXPECT_EQ(second.length(), kPageTokens);
  EXPECT_EQ(second.pages()[0], page);
  ASSERT_OK(third.Extend(16));
  EXPECT_EQ(cache->free_pages(), 2u);
  third.Replace(0, *held);
  EXPECT_EQ(cache->free_pages(), 3u);
  EXPECT_EQ(third.pages()[0], page);
  // A token behind the middle of a page that others hold too makes it a page of its own.
  third.Truncate(8);
  EXPECT_EQ(third.PagesFor(1), 1u);
  ASSERT_OK(third.Extend(1));
  EXPECT_NE(third.pages()[0], page);
  held.reset();
  second.Truncate(0);
  third.Truncate(0);
  EXPECT_EQ(cache->free_pages(), cache->pages());
}

TEST(KvCache, AForkSharesPagesUntilItIsWrittenTo) {
  const auto cache = Make(160);
  KvSequence first(*cache);
  ASSERT_OK(first.Extend(20));
  const float key[5] = {1, 2, 3, 4, 5}, other[5] = {9, 9, 9, 9, 9};
  cache->Write(1, 2, first.pages()[1], 3, key, key);
  KvSequence second = first.Fork();
  EXPECT_EQ(cache->free_pages(), 8u);
  ASSERT_OK(second.Extend(1));  // the half-full last page is copied, the full first one stays shared
  EXPECT_EQ(cache->free_pages(), 7u);
  EXPECT_EQ(second.pages()[0], first.pages()[0]);
  EXPECT_NE(second.pages()[1], first.pages()[1]);
  cache->Write(1, 2, second.pages()[1], 4, other, other);
  const auto* copied =
      reinterpret_cast<const float*>(cache->Base(1, 2) + static_cast<size_t>(second.pages()[1]) * cache->page_bytes());
  EXPECT_EQ(copied[2 * kPageTokens + 3], 3.0f);
  EXPECT_EQ(copied[2 * kPageTokens + 4], 9.0f);
  const auto* original =
      reinterpret_cast<const float*>(cache->Base(1, 2) + static_cast<size_t>(first.pages()[1]) * cache->page_bytes());
  EXPECT_EQ(original[2 * kPageTokens + 4], 0.0f);
}

TEST(KvCache, WhatF16HasNoRoomForIsItsLargestNumber) {
  const auto cache = KvCache::Create({.layers = 1, .kv_heads = 1, .head_dim = 5}, KvType::kF16, 16);
  ASSERT_OK(cache);
  const float key[5] = {1e6f, -65536.0f, 65519.0f, -2.5f, INFINITY}, value[5] = {-1e30f, 70000.0f, 3, -0.0f, 65504.0f};
  (*cache)->Write(0, 0, 0, 7, key, value);
  const auto* stored = reinterpret_cast<const uint16_t*>((*cache)->Base(0, 0));
  // Bits of IEEE 754's binary16: 7bff is 65504, c100 is -2.5.
  const uint16_t keys[5] = {0x7bff, 0xfbff, 0x7bff, 0xc100, 0x7bff},
                 values[5] = {0xfbff, 0x7bff, 0x4200, 0x8000, 0x7bff};
  for (size_t d = 0; d < 5; d++) {
    EXPECT_EQ(stored[d * kPageTokens + 7], keys[d]) << d;
    EXPECT_EQ(stored[5 * kPageTokens + 7 * PaddedHeadDim(5) + d], values[d]) << d;
  }
}

}  // namespace
}  // namespace bothy
