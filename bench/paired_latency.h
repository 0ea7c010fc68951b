// Paired rounds (paired_rounds.h) of latencies.
//
// Threads: none. Errors: whatever the measured sides throw.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/timed_producers.h"

namespace sealpost {

struct LatencyRounds {
  std::vector<Latency> baseline, sealpost;
};

// Runs baseline, Sealpost, baseline, Sealpost, … and tells stderr how it goes.
LatencyRounds run_paired_latency(int rounds, const std::function<Latency()>& baseline,
                                 const std::function<Latency()>& sealpost);

// JSON members: ratios, medians and all rounds. A ratio is the median of the rounds' ratios.
std::string summary(const LatencyRounds& rounds);

}  // namespace sealpost
