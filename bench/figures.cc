#include "bench/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace sealpost {
namespace {

void sort_some(std::vector<double>& values) {
  if (values.empty()) throw std::invalid_argument("no values were measured");
  std::sort(values.begin(), values.end());
}

}  // namespace

double median(std::vector<double> values) {
  sort_some(values);
  const auto middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double quantile(std::vector<double> values, double share) {
  sort_some(values);
  const auto place = std::ceil(share * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(place, 1.0)) - 1];
}

std::string machine() {
  std::ifstream file("/proc/cpuinfo");
  std::string model = "unknown";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    model = line.substr(line.find(':') + 2);
    break;
  }
  return fmt::format("{} CPUs, {}", std::thread::hardware_concurrency(), model);
}

}  // namespace sealpost
