#include "runtime/scheduler/ngram_lookup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace bothy {
namespace {

std::vector<int32_t> Propose(const std::vector<int32_t>& text, size_t most) {
  NgramLookup lookup;
  lookup.Update(text);
  std::vector<int32_t> proposal;
  lookup.Propose(text, most, proposal);
  return proposal;
}

TEST(NgramLookup, ProposesWhatFollowedTheLastTime) {
  EXPECT_EQ(Propose({1, 2, 3, 9, 8, 7, 1, 2, 3}, 3), (std::vector<int32_t>{9, 8, 7}));
  EXPECT_EQ(Propose({1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3}, 1), (std::vector<int32_t>{5}));
  EXPECT_TRUE(Propose({1, 2, 3, 4, 5}, 3).empty());
  EXPECT_TRUE(Propose({1, 2}, 3).empty());
  EXPECT_TRUE(Propose({}, 3).empty());
}

TEST(NgramLookup, GoesOnBehindTheEndAsIfItHadComeTrue) {
  EXPECT_EQ(Propose({5, 6, 5, 6, 5, 6}, 5), (std::vector<int32_t>{5, 6, 5, 6, 5}));
  EXPECT_EQ(Propose({4, 4, 4, 4}, 3), (std::vector<int32_t>{4, 4, 4}));
}

// A slot has room for one n-gram, so that some are forgotten; but what is proposed is right, and most is found.
TEST(NgramLookup, TokenByTokenItFindsWhatASearchFinds) {
  std::mt19937 random(3);
  std::vector<int32_t> text, proposal;
  NgramLookup lookup;
  size_t found = 0, missed = 0;
  for (int i = 0; i < 5000; i++) {
    text.push_back(static_cast<int32_t>(random() % 12));
    lookup.Update(text);
    lookup.Propose(text, 1, proposal);
    size_t place = 0;  // behind the latest of the same
    for (size_t end = text.size() - 1; end >= 3 && place == 0; end--) {
      if (std::equal(text.end() - 3, text.end(), text.begin() + static_cast<ptrdiff_t>(end) - 3)) place = end;
    }
    if (proposal.empty()) {
      missed += place > 0;
      continue;
    }
    found++;
    ASSERT_GT(place, 0u);
    ASSERT_EQ(proposal[0], text[place]);
  }
  EXPECT_GT(found, 5 * missed);
}

}  // namespace
}  // namespace bothy
