#include "bench/paired_latency.h"

#include <fmt/format.h>

#include "bench/figures.h"

namespace sealpost {
namespace {

// Each figure's median.
Latency medians(const std::vector<Latency>& rounds) {
  const auto middle = [&](double Latency::*figure) {
    std::vector<double> values;
    for (const Latency& round : rounds) values.push_back(round.*figure);
    return median(std::move(values));
  };
  return {.p50 = middle(&Latency::p50),
          .p90 = middle(&Latency::p90),
          .p99 = middle(&Latency::p99),
          .max = middle(&Latency::max),
          .commit_p50 = middle(&Latency::commit_p50),
          .commit_p99 = middle(&Latency::commit_p99),
          .per_second = middle(&Latency::per_second)};
}

double ratio(const LatencyRounds& rounds, double Latency::*figure) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < rounds.sealpost.size(); ++i) {
    ratios.push_back(rounds.sealpost[i].*figure / rounds.baseline[i].*figure);
  }
  return median(std::move(ratios));
}

}  // namespace

LatencyRounds run_paired_latency(int rounds, const std::function<Latency()>& baseline,
                                 const std::function<Latency()>& sealpost) {
  LatencyRounds done;
  for (int i = 1; i <= rounds; ++i) {
    done.baseline.push_back(baseline());
    fmt::print(stderr, "round {} of {}: baseline {}\n", i, rounds, text(done.baseline.back()));
    done.sealpost.push_back(sealpost());
    fmt::print(stderr, "round {} of {}: sealpost {}\n", i, rounds, text(done.sealpost.back()));
  }
  return done;
}

std::string summary(const LatencyRounds& rounds) {
  std::string all;
  for (std::size_t i = 0; i < rounds.sealpost.size(); ++i) {
    all += fmt::format(R"({}{{"sealpost": {}, "baseline": {}}})", all.empty() ? "" : ", ",
                       text(rounds.sealpost[i]), text(rounds.baseline[i]));
  }
  return fmt::format(
      R"("p50_ratio": {:.2f}, "p99_ratio": {:.2f}, "sealpost": {}, "baseline": {}, "rounds": [{}])",
      ratio(rounds, &Latency::p50), ratio(rounds, &Latency::p99), text(medians(rounds.sealpost)),
      text(medians(rounds.baseline)), all);
}

}  // namespace sealpost
