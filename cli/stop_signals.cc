#include "cli/stop_signals.h"

#include <pthread.h>
#include <signal.h>

namespace sealpost {
namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A client that goes away must not end the process.
  signal(SIGPIPE, SIG_IGN);
}

bool StopSignals::wait_for(Milliseconds at_most) {
  const sigset_t set = stop_set();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at_most);
  const timespec limit{.tv_sec = seconds.count(),
                       .tv_nsec = std::chrono::nanoseconds(at_most - seconds).count()};
  return sigtimedwait(&set, nullptr, &limit) > 0;
}

void StopSignals::wait() {
  while (!wait_for(Milliseconds(60'000))) {
  }
}

}  // namespace sealpost
