#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace bothy {
namespace {

using ::testing::HasSubstr;

// The format is https://prometheus.io/docs/instrumenting/exposition_formats/, text format 0.0.4.
TEST(Metrics, ShowsCountersByTheirLabels) {
  Metrics metrics;
  auto requests = metrics.AddCounters("requests_total", "Requests.", {"route", "status"});
  requests.Add({"/a", "200"});
  requests.Add({"/a", "200"});
  requests.Add({"say \"\\\n", "404"}, 2.5);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("# HELP requests_total Requests.\n# TYPE requests_total counter\n"));
  EXPECT_THAT(text, HasSubstr("requests_total{route=\"/a\",status=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("requests_total{route=\"say \\\"\\\\\\n\",status=\"404\"} 2.5\n"));
}

TEST(Metrics, CountsInBucketsThatHoldWhatIsBelow) {
  Metrics metrics;
  auto times = metrics.AddHistograms("time_seconds", "How long.", {"route"}, {0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 3.0}) times.Observe({"/a"}, value);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("# TYPE time_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("time_seconds_count{route=\"/a\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("time_seconds_sum{route=\"/a\"} 3.65"));
  EXPECT_THAT(text, HasSubstr("time_seconds_bucket{route=\"/a\",le=\"0.1\"} 2\n"));  // "le": its end belongs to it
  EXPECT_THAT(text, HasSubstr("time_seconds_bucket{route=\"/a\",le=\"1\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("time_seconds_bucket{route=\"/a\",le=\"+Inf\"} 4\n"));
}

TEST(Metrics, AsksForAGaugeWhenItIsShown) {
  Metrics metrics;
  double value = 1;
  metrics.AddGauge("connections", "Open connections.", [&] { return value; });
  EXPECT_THAT(metrics.Text(), HasSubstr("# TYPE connections gauge\nconnections 1\n"));
  value = 7;
  EXPECT_THAT(metrics.Text(), HasSubstr("\nconnections 7\n"));
}

TEST(Metrics, CountsFromAllThreads) {
  Metrics metrics;
  auto counters = metrics.AddCounters("n_total", "N.", {});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([counters]() mutable {
      for (int n = 0; n < 1000; n++) counters.Add({});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Text(), HasSubstr("\nn_total 4000\n"));
}

}  // namespace
}  // namespace bothy
