#include "runtime/scheduler/scheduler_metrics.h"

namespace bothy {
namespace {

const std::vector<double> kSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60};

}  // namespace

SchedulerMetrics::SchedulerMetrics(Metrics& metrics)
    : requests(metrics.AddCounters("bothy_generation_requests_total", "Requests for texts, by how they ended.",
                                   {"model", "result"})),
      tokens(metrics.AddCounters("bothy_generation_tokens_total",
                                 "Tokens: of prompts as they were run or found in the cache, and generated.",
                                 {"model", "kind"})),
      preemptions(metrics.AddCounters("bothy_generation_preemptions_total",
                                      "Texts that gave up their place for another and were taken up again.",
                                      {"model"})),
      drafts(metrics.AddCounters("bothy_generation_drafts_total",
                                 "Proposed tokens that were run, by what came of them.", {"model", "result"})),
      first_token(metrics.AddHistograms("bothy_generation_first_token_seconds",
                                        "From a request's arrival to the first token.", {"model"}, kSeconds)),
      between_tokens(metrics.AddHistograms("bothy_generation_between_tokens_seconds",
                                           "From one token of a text to the next.", {"model"}, kSeconds)),
      step(metrics.AddHistograms("bothy_generation_step_seconds", "Of a call of the model.", {"model"}, kSeconds)) {}

}  // namespace bothy
