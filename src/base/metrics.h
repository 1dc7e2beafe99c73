// Numbers about the running process: counters, gauges and histograms, with labels, in the text format of Prometheus.
//
//   Metrics metrics;
//   auto requests = metrics.AddCounters("bothy_http_requests_total", "Requests.", {"route", "status"});
//   requests.Add({"/api/models/{id}", "200"});
//   metrics.Text();
//
// Each combination of label values is kept for as long as the process runs: values come from a set that is small and
// known beforehand, never from a request.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Histogram;
template <class Metric>
class Family;
}  // namespace prometheus

namespace bothy {

// The values of a family's labels, in the order in which they were named.
using LabelValues = std::initializer_list<std::string_view>;

// Families are handles: copied freely, used from any thread, good for as long as the Metrics that they are of.
class Counters {
 public:
  void Add(LabelValues labels, double amount = 1);  // at least 0

 private:
  friend class Metrics;
  Counters(prometheus::Family<prometheus::Counter>& family, std::vector<std::string> labels)
      : family_(&family), labels_(std::move(labels)) {}
  prometheus::Family<prometheus::Counter>* family_;
  std::vector<std::string> labels_;
};

class Histograms {
 public:
  void Observe(LabelValues labels, double value);

 private:
  friend class Metrics;
  Histograms(prometheus::Family<prometheus::Histogram>& family, std::vector<std::string> labels,
             std::vector<double> bounds)
      : family_(&family), labels_(std::move(labels)), bounds_(std::move(bounds)) {}
  prometheus::Family<prometheus::Histogram>* family_;
  std::vector<std::string> labels_;
  std::vector<double> bounds_;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Names are those of Prometheus: letters, digits and _, with the unit at the end, "_total" for counters. Other ones,
  // and one that is there already, are programmers' errors.
  Counters AddCounters(std::string_view name, std::string_view help, std::vector<std::string> labels);

  // `bounds`: the upper ends of the buckets, ascending; one without end comes behind them.
  Histograms AddHistograms(std::string_view name, std::string_view help, std::vector<std::string> labels,
                           std::vector<double> bounds);

  // What can be asked for at any time is asked when it is wanted; `read` is called by Text.
  void AddGauge(std::string_view name, std::string_view help, std::function<double()> read);

  // All of them, in Prometheus' text format 0.0.4. From any thread.
  std::string Text() const;

  static constexpr std::string_view kMediaType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bothy
