#include "net/server_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "net/raw_client.h"

namespace bothy::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ServerMetrics, CountRequestsByRouteAndNeverByPath) {
  Metrics metrics;
  ServerMetrics counted(metrics);
  AccessRecord record;
  record.method = "GET";
  record.path = "/models/ann/m";
  record.route = "/models/{name...}";
  record.bytes_in = 100;
  record.bytes_out = 1000;
  record.seconds = 0.02;
  counted.Count(record);
  record.status = Status::kNotFound;
  record.complete = false;
  counted.Count(record);
  record.route = "";
  counted.Count(record);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("requests_total{method=\"GET\",route=\"/models/{name...}\",status=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("requests_total{method=\"GET\",route=\"/models/{name...}\",status=\"404\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("seconds_bucket{method=\"GET\",route=\"/models/{name...}\",le=\"0.01\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("seconds_bucket{method=\"GET\",route=\"/models/{name...}\",le=\"0.03\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nbothy_http_responses_cut_total 2\n"));
  EXPECT_THAT(text, HasSubstr("\nbothy_http_received_bytes_total 300\n"));
  EXPECT_THAT(text, HasSubstr("\nbothy_http_sent_bytes_total 3000\n"));
  EXPECT_THAT(text, Not(HasSubstr("ann")));
}

TEST(ServerMetrics, ShowHowManyConnectionsAreOpen) {
  Metrics metrics;
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  const auto server = Server::Start(options, [](Request&) -> Task<Response> { co_return Response(); });
  ASSERT_OK(server);
  AddConnectionGauge(metrics, **server);
  EXPECT_THAT(metrics.Text(), HasSubstr("\nbothy_http_connections 0\n"));
  RawClient client((*server)->port());
  EXPECT_EQ(client.Get("/").status, 204);
  EXPECT_THAT(metrics.Text(), HasSubstr("\nbothy_http_connections 1\n"));
}

}  // namespace
}  // namespace bothy::net
