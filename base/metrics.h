// Counters, gauges and histograms in Prometheus' text format.
//
// A component keeps its metrics in one struct (see dispatcher/dispatcher_metrics.h) and renders
// them with MetricsText. Names carry the unit; label values come from closed sets, never from ids.
//
// Threads: updates are atomic and lock-free from any thread; rendering reads a moment's values.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sealpost {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Buckets are upper bounds in seconds, ascending; +Inf is implied.
class Histogram {
 public:
  explicit Histogram(std::vector<double> upper_bounds_seconds);
  void observe(double seconds);
  std::span<const double> bounds() const { return bounds_; }
  std::uint64_t bucket_count(size_t i) const;  // i == bounds().size() is +Inf; not cumulative
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Collects one exposition. Series of one metric must be added one after the other.
class MetricsText {
 public:
  void counter(std::string_view name, std::string_view help, std::uint64_t value,
               Labels labels = {});
  void gauge(std::string_view name, std::string_view help, double value, Labels labels = {});
  void histogram(std::string_view name, std::string_view help, const Histogram& histogram,
                 Labels labels = {});
  const std::string& text() const { return text_; }

 private:
  void header(std::string_view name, std::string_view help, std::string_view type);
  std::string last_name_;
  std::string text_;
};

}  // namespace sealpost
