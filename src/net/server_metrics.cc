#include "net/server_metrics.h"

#include <fmt/format.h>

namespace bothy::net {

// From answers out of memory to transfers of gigabytes.
ServerMetrics::ServerMetrics(Metrics& metrics)
    : requests_(
          metrics.AddCounters("bothy_http_requests_total", "Requests that have ended.", {"method", "route", "status"})),
      cut_(metrics.AddCounters("bothy_http_responses_cut_total", "Responses that were not sent to their end.", {})),
      bytes_in_(metrics.AddCounters("bothy_http_received_bytes_total", "Bytes of requests, heads and bodies.", {})),
      bytes_out_(metrics.AddCounters("bothy_http_sent_bytes_total", "Bytes of responses, heads and bodies.", {})),
      seconds_(metrics.AddHistograms("bothy_http_request_seconds", "From a request's head to its response's end.",
                                     {"method", "route"},
                                     {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300})) {}

void ServerMetrics::Count(const AccessRecord& record) {
  const std::string_view route = record.route.empty() ? "none" : record.route;
  requests_.Add({record.method, route, fmt::format("{}", Number(record.status))});
  seconds_.Observe({record.method, route}, record.seconds);
  if (!record.complete) cut_.Add({});
  bytes_in_.Add({}, static_cast<double>(record.bytes_in));
  bytes_out_.Add({}, static_cast<double>(record.bytes_out));
}

void AddConnectionGauge(Metrics& metrics, const Server& server) {
  metrics.AddGauge("bothy_http_connections", "Open connections.",
                   [&server] { return static_cast<double>(server.connections()); });
}

}  // namespace bothy::net
