#include "runtime/scheduler/cost_model.h"

#include <gtest/gtest.h>

#include "runtime/scheduler/draft_policy.h"
#include "runtime/scheduler/scheduler_testing.h"

namespace bothy {
namespace {

StepWork Rows(size_t rows, size_t length = 0) {
  StepWork work;
  work.Add(rows, length, 0);
  return work;
}

// As a model of a billion parameters on two cores: 28 ms for a row, 8 ms for each of many.
CostModel Billion() { return CostModel({{1, 0.028}, {4, 0.048}, {8, 0.085}, {32, 0.26}}, 0.0005, 1e-7); }

TEST(CostModel, IsALineBetweenItsPointsAndGoesOnBehindThemInProportion) {
  const CostModel cost({{1, 10}, {3, 20}, {10, 50}}, 0, 0);
  EXPECT_DOUBLE_EQ(cost.Seconds(Rows(1)), 10);
  EXPECT_DOUBLE_EQ(cost.Seconds(Rows(2)), 15);
  EXPECT_DOUBLE_EQ(cost.Seconds(Rows(3)), 20);
  EXPECT_DOUBLE_EQ(cost.Seconds(Rows(10)), 50);
  EXPECT_DOUBLE_EQ(cost.Seconds(Rows(40)), 200);
  EXPECT_DOUBLE_EQ(cost.Seconds({}), 0);
}

TEST(CostModel, EachRowAttendsToAllBeforeItAndItself) {
  const CostModel cost({{1, 0}}, 100, 1);
  StepWork work;
  work.Add(3, 10, 1);  // 11 + 12 + 13 tokens
  EXPECT_EQ(work.attended, 36u);
  EXPECT_DOUBLE_EQ(cost.Seconds(work), 136);
}

TEST(CostModel, RowsWithinIsTheMostThatStaysWithinTheTime) {
  const CostModel cost = Billion();
  for (const size_t before : {size_t{0}, size_t{1}, size_t{8}}) {
    for (const size_t length : {size_t{0}, size_t{100'000}}) {
      const StepWork work = before > 0 ? Rows(before) : StepWork{};
      const size_t rows = cost.RowsWithin(work, length, 1000, 0.1);
      const auto longer = [&](size_t count) {
        StepWork more = work;
        more.Add(count, length, 0);
        return cost.Seconds(more) - cost.Seconds(work);
      };
      EXPECT_LE(longer(rows), 0.1 + 1e-12);
      EXPECT_GT(longer(rows + 1), 0.1);
    }
  }
  EXPECT_EQ(cost.RowsWithin({}, 0, 3, 10), 3u);
  EXPECT_EQ(cost.RowsWithin({}, 0, 100, 0.01), 0u);
}

TEST(CostModel, ComesCloserToWhatStepsTake) {
  CostModel cost = Billion();
  StepWork work = Rows(6, 500);
  for (int i = 0; i < 100; i++) cost.Observe(work, 0.2);
  EXPECT_NEAR(cost.Seconds(work), 0.2, 0.002);
  // More rows never take less.
  double last = 0;
  for (size_t rows = 1; rows < 100; rows++) {
    EXPECT_GE(cost.Seconds(Rows(rows)), last);
    last = cost.Seconds(Rows(rows));
  }
}

TEST(CostModel, AStepThatStoodStillMovesItNoFurtherThanOneOfTwiceTheTime) {
  CostModel stopped = Billion(), twice = Billion();
  stopped.Observe(Rows(4), 1000);
  twice.Observe(Rows(4), 2 * twice.Seconds(Rows(4)));
  EXPECT_DOUBLE_EQ(stopped.Seconds(Rows(4)), twice.Seconds(Rows(4)));
}

TEST(CostModel, IsMeasuredByCallsOfTheEngine) {
  SmallModel model;
  double now = 0;
  const auto cost = CostModel::Measure(*model.engine, [&] { return now += 1; });  // every call takes a second
  ASSERT_OK(cost);
  EXPECT_DOUBLE_EQ(cost->Seconds(Rows(1)), 1);
  EXPECT_DOUBLE_EQ(cost->Seconds(Rows(8)), 1);
  EXPECT_EQ(model.pages_in_use(), 0u);
}

TEST(DraftPolicy, ProposalsArePaidForWhereRowsAreCheapAndTheyAreOftenRight) {
  const CostModel cost = Billion();
  const auto drafts = [&](size_t texts, double acceptance) {
    StepWork work;
    std::vector<DraftCandidate> candidates;
    for (size_t i = 0; i < texts; i++) {
      work.Add(1, 100, 1);
      candidates.push_back({acceptance, 100, kMaxDraft});
    }
    size_t sum = 0;
    for (const size_t count : ChooseDrafts(cost, work, texts, candidates)) sum += count;
    return sum;
  };
  EXPECT_EQ(drafts(1, 0.05), 0u);
  EXPECT_GE(drafts(1, 0.8), 3u);
  EXPECT_EQ(drafts(16, 0.5), 0u);
  EXPECT_LE(drafts(4, 1), kMaxDraftRows);
}

TEST(DraftPolicy, TheTextWhoseProposalsAreRightGetsTheRows) {
  StepWork work;
  work.Add(1, 100, 1);
  work.Add(1, 100, 1);
  const auto counts = ChooseDrafts(Billion(), work, 2, std::vector<DraftCandidate>{{0.1, 100, 8}, {0.9, 100, 8}});
  EXPECT_EQ(counts[0], 0u);
  EXPECT_GT(counts[1], 0u);
}

TEST(DraftPolicy, AcceptanceFollowsWhatHappens) {
  Acceptance good, bad;
  for (int i = 0; i < 30; i++) {
    good.Observe(4, false);
    bad.Observe(0, true);
  }
  EXPECT_GT(good.rate(), 0.99);
  EXPECT_LT(bad.rate(), 0.01);
}

}  // namespace
}  // namespace bothy
