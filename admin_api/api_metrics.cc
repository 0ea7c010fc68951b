#include "admin_api/api_metrics.h"

#include <algorithm>
#include <cstddef>

namespace sealpost {

ApiMetrics::ApiMetrics() : seconds_({0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5}) {}

void ApiMetrics::count(std::string_view method, int status, MonotonicTime::duration took) {
  const auto last = kMethods.end() - 1;  // "other"
  const auto row =
      static_cast<std::size_t>(std::find(kMethods.begin(), last, method) - kMethods.begin());
  const auto column = static_cast<std::size_t>(std::clamp(status / 100, 2, 5) - 2);
  requests_[row][column].add();
  seconds_.observe(std::chrono::duration<double>(took).count());
}

std::string ApiMetrics::text() const {
  MetricsText text;
  for (std::size_t row = 0; row < kMethods.size(); ++row) {
    for (std::size_t column = 0; column < kClasses.size(); ++column) {
      text.counter("sealpost_http_requests_total", "Answered requests to the admin API.",
                   requests_[row][column].value(),
                   {{"method", kMethods[row]}, {"code", kClasses[column]}});
    }
  }
  text.histogram("sealpost_http_request_duration_seconds",
                 "Time from a complete request to its answer.", seconds_);
  return text.text();
}

}  // namespace sealpost
