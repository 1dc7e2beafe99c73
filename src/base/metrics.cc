#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "base/error.h"

namespace bothy {
namespace {

prometheus::Labels MakeLabels(const std::vector<std::string>& names, LabelValues values) {
  CHECK(names.size() == values.size());
  prometheus::Labels labels;
  size_t i = 0;
  for (const std::string_view value : values) labels.emplace(names[i++], value);
  return labels;
}

bool IsName(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
         std::string_view::npos;
}

struct Gauge {
  std::string name, help;
  std::function<double()> read;
};

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  mutable std::mutex mutex;  // over what follows
  std::set<std::string, std::less<>> names;
  std::vector<Gauge> gauges;

  void Claim(std::string_view name, const std::vector<std::string>& labels) {
    CHECK(IsName(name));
    for (const std::string& label : labels) CHECK(IsName(label) && label != "le");
    const std::lock_guard lock(mutex);
    CHECK(names.emplace(name).second);
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

// Names and bounds are what the library throws for; they were checked before.
Counters Metrics::AddCounters(std::string_view name, std::string_view help, std::vector<std::string> labels) {
  impl_->Claim(name, labels);
  auto& family = prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
  return {family, std::move(labels)};
}

Histograms Metrics::AddHistograms(std::string_view name, std::string_view help, std::vector<std::string> labels,
                                  std::vector<double> bounds) {
  CHECK(std::is_sorted(bounds.begin(), bounds.end()));
  impl_->Claim(name, labels);
  auto& family = prometheus::BuildHistogram().Name(std::string(name)).Help(std::string(help)).Register(impl_->registry);
  return {family, std::move(labels), std::move(bounds)};
}

void Metrics::AddGauge(std::string_view name, std::string_view help, std::function<double()> read) {
  impl_->Claim(name, {});
  const std::lock_guard lock(impl_->mutex);
  impl_->gauges.push_back({std::string(name), std::string(help), std::move(read)});
}

void Counters::Add(LabelValues labels, double amount) { family_->Add(MakeLabels(labels_, labels)).Increment(amount); }

void Histograms::Observe(LabelValues labels, double value) {
  family_->Add(MakeLabels(labels_, labels), bounds_).Observe(value);
}

std::string Metrics::Text() const {
  auto families = impl_->registry.Collect();
  const std::lock_guard lock(impl_->mutex);
  for (const Gauge& gauge : impl_->gauges) {
    prometheus::ClientMetric metric;
    metric.gauge.value = gauge.read();
    families.push_back({gauge.name, gauge.help, prometheus::MetricType::Gauge, {std::move(metric)}});
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace bothy
