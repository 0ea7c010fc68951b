// How benchmarks compare: the baseline and Sealpost take turns in one run on one machine, round
// after round, and the result is the median of the rounds' ratios. A machine that is busy with
// something else slows both sides down; absolute figures of different runs are not comparable,
// ratios are.
//
// Threads: none. Errors: whatever the measured sides throw.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace sealpost {

// One side of one round. CPU time is in microseconds per unit of work (a delivery, a commit).
struct Measurement {
  double per_second = 0;
  double cpu_sender_us = 0;
  double cpu_postgres_us = 0;
  double cpu_receiver_us = 0;
  double own_cpu_us() const { return cpu_sender_us + cpu_postgres_us; }
};

struct Round {
  Measurement baseline;
  Measurement sealpost;
  double ratio() const { return sealpost.per_second / baseline.per_second; }
  // CPU time of sender and PostgreSQL; below 1 is cheaper. Depends less on what else the machine
  // does.
  double cpu_ratio() const { return sealpost.own_cpu_us() / baseline.own_cpu_us(); }
};

// Runs baseline, Sealpost, baseline, Sealpost, … and tells stderr how it goes.
std::vector<Round> run_paired(int rounds, const std::function<Measurement()>& baseline,
                              const std::function<Measurement()>& sealpost);

struct ReportHeader {
  std::string benchmark;
  std::string parameters;  // JSON members: "\"events\": 300000"
  std::string commit;
};

// JSON members: medians and all rounds.
std::string summary(const std::vector<Round>& rounds);

// One line of JSON: the header, these members, the machine.
std::string report(const ReportHeader& header, const std::string& members);
// The same with the summary of the rounds.
std::string report(const ReportHeader& header, const std::vector<Round>& rounds);

}  // namespace sealpost
