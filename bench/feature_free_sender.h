// The network half of the feature-free pipeline: HMAC-SHA256 and libcurl, nothing else.
//
// Threads: everything belongs to one thread, except wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sealpost {

struct PlainDelivery {
  std::string id;
  int endpoint = 0;
  std::string payload;
};

struct PlainResult {
  std::string id;
  int status_code = 0;                      // 0: no answer
  std::chrono::microseconds started_at{0};  // Unix time
  std::chrono::microseconds duration{0};
  std::chrono::microseconds first_byte{0};
  std::string remote_address;
};

class FeatureFreeSender final {
 public:
  // `ca_file`: whom to trust by TLS; empty: the system's.
  FeatureFreeSender(std::vector<std::string> endpoint_urls, int max_in_flight,
                    const std::string& ca_file = "");
  ~FeatureFreeSender();

  // How many more requests may be started now.
  int room() const;
  void start(PlainDelivery delivery);
  // Waits for something to happen, at most `timeout`, and appends what ended.
  void poll(std::chrono::milliseconds timeout, std::vector<PlainResult>& finished);
  // Makes a waiting poll() return. Safe from any thread.
  void wake();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sealpost
