// What a server did, as metrics.
#pragma once

#include "base/metrics.h"
#include "net/server.h"

namespace bothy::net {

// Requests and how long they took by method and route (requests also by status), answers that were cut, bytes in both
// directions. `metrics` must outlive it.
class ServerMetrics {
 public:
  explicit ServerMetrics(Metrics& metrics);

  // For ServerOptions::access_log. What matched no route counts under the route "none".
  void Count(const AccessRecord& record);

 private:
  Counters requests_;
  Counters cut_;
  Counters bytes_in_;
  Counters bytes_out_;
  Histograms seconds_;
};

// The number of open connections; `server` must outlive the last Metrics::Text.
void AddConnectionGauge(Metrics& metrics, const Server& server);

}  // namespace bothy::net
