// What the API counts about itself. Threads: safe from any.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"

namespace sealpost {

class ApiMetrics {
 public:
  ApiMetrics();
  // A method that is none of ours counts as "other", so that nobody can make up series.
  void count(std::string_view method, int status, MonotonicTime::duration took);
  std::string text() const;

 private:
  static constexpr std::array<std::string_view, 7> kMethods = {"GET",   "HEAD",   "POST", "PUT",
                                                               "PATCH", "DELETE", "other"};
  static constexpr std::array<std::string_view, 4> kClasses = {"2xx", "3xx", "4xx", "5xx"};

  std::array<std::array<Counter, kClasses.size()>, kMethods.size()> requests_;
  Histogram seconds_;
};

}  // namespace sealpost
