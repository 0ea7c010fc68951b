#include "bench/paired_rounds.h"

#include <fmt/format.h>
#include <cmath>

#include <stdexcept>
#include <utility>

#include "bench/figures.h"

namespace sealpost {
namespace {

template <class Of>
double median_of(const std::vector<Round>& rounds, Of of) {
  std::vector<double> values;
  for (const auto& round : rounds) values.push_back(of(round));
  return median(std::move(values));
}

std::string text(const Measurement& m) {
  return fmt::format(R"({{"per_second": {:.0f}, )"
                     R"("cpu_us": {{"sender": {:.1f}, "postgres": {:.1f}, "receiver": {:.1f}}}}})",
                     m.per_second, m.cpu_sender_us, m.cpu_postgres_us, m.cpu_receiver_us);
}

}  // namespace

std::vector<Round> run_paired(int rounds, const std::function<Measurement()>& baseline,
                              const std::function<Measurement()>& sealpost) {
  if (rounds < 1) throw std::invalid_argument("at least one round is needed");
  std::vector<Round> done;
  for (int i = 1; i <= rounds; ++i) {
    Round round;
    round.baseline = baseline();
    fmt::print(stderr, "round {} of {}: baseline {}\n", i, rounds, text(round.baseline));
    round.sealpost = sealpost();
    fmt::print(stderr, "round {} of {}: sealpost {}, ratio {:.3f}\n", i, rounds,
               text(round.sealpost), round.ratio());
    done.push_back(round);
  }
  return done;
}

std::string summary(const std::vector<Round>& rounds) {
  std::string all;
  for (const auto& round : rounds) {
    all += fmt::format(R"({}{{"ratio": {:.3f}, "sealpost": {}, "baseline": {}}})",
                       all.empty() ? "" : ", ", round.ratio(), text(round.sealpost),
                       text(round.baseline));
  }
  // Not every benchmark takes the CPU time of both sides, and 0 / 0 is no JSON.
  const double cpu_ratio = median_of(rounds, [](auto& r) { return r.cpu_ratio(); });
  return fmt::format(
      R"("ratio": {:.3f}, "cpu_ratio": {}, )"
      R"("sealpost_per_second": {:.0f}, "baseline_per_second": {:.0f}, "rounds": [{}])",
      median_of(rounds, [](auto& r) { return r.ratio(); }),
      std::isfinite(cpu_ratio) ? fmt::format("{:.3f}", cpu_ratio) : "null",
      median_of(rounds, [](auto& r) { return r.sealpost.per_second; }),
      median_of(rounds, [](auto& r) { return r.baseline.per_second; }), all);
}

std::string report(const ReportHeader& header, const std::string& members) {
  return fmt::format(R"({{"benchmark": "{}", {}, {}, "machine": "{}", "commit": "{}"}})",
                     header.benchmark, header.parameters, members, machine(), header.commit);
}

std::string report(const ReportHeader& header, const std::vector<Round>& rounds) {
  return report(header, summary(rounds));
}

}  // namespace sealpost
