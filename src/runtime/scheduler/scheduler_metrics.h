// What /metrics tells about schedulers: one set of families for a process, with a label for the model.
#pragma once

#include "base/metrics.h"

namespace bothy {

struct SchedulerMetrics {
  explicit SchedulerMetrics(Metrics& metrics);

  Counters requests;  // by how they ended: done, cancelled, failed
  Counters tokens;    // by kind: prompt (that was run), cached (of prompts), generated
  Counters preemptions;
  Counters drafts;            // proposed tokens that were run, by result: accepted, rejected
  Histograms first_token;     // seconds from a request's arrival to a text's first token
  Histograms between_tokens;  // seconds from one token of a text to the next
  Histograms step;            // seconds
};

}  // namespace bothy
