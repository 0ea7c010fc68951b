// SIGTERM and SIGINT as something to wait for, without a signal handler.
//
// Threads: make one in the main thread before any other thread exists, so that they all inherit the
// blocked signals.
#pragma once

#include "base/clock.h"

namespace sealpost {

class StopSignals {
 public:
  StopSignals();
  // True once one came.
  bool wait_for(Milliseconds at_most);
  void wait();
};

}  // namespace sealpost
