// Waiting for what a benchmark cannot be told of: it looks again and again.
#pragma once

#include <chrono>
#include <stdexcept>
#include <thread>

namespace sealpost {

// Waits until the condition holds. Throws std::runtime_error at the deadline.
template <class Condition>
void wait_for(Condition condition, std::chrono::milliseconds pause,
              std::chrono::steady_clock::time_point deadline) {
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("what the benchmark waits for takes too long");
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace sealpost
