// What benchmarks say about a series of measured values, and on which machine they measured it.
//
// Threads: any. Errors: std::invalid_argument if there are no values.
#pragma once

#include <string>
#include <vector>

namespace sealpost {

// The middle value, or the mean of the two in the middle.
double median(std::vector<double> values);
// The smallest value that is not below `share` of all: 0.99 gives p99, 1 the largest.
double quantile(std::vector<double> values, double share);

// "2 CPUs, AMD EPYC"
std::string machine();

}  // namespace sealpost
