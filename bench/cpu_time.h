// Where the CPU time of a round went. Read from /proc, in ticks of 10 ms.
#pragma once

#include <sys/types.h>

#include <chrono>

namespace sealpost {

// User and system time of a process and of all its descendants, those that ended included. Zero if
// it is gone.
std::chrono::microseconds cpu_time(pid_t pid);

}  // namespace sealpost
