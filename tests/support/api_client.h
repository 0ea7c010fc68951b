// The admin API and the metrics as a test calls them.
//
// Threads: one. Errors: std::runtime_error if there is no answer at all; a refusal is an answer.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sealpost {

struct ApiResponse {
  int status = 0;
  nlohmann::json body;  // null if there was none, or none that is JSON
  std::string text;
};

class ApiClient {
 public:
  ApiClient(int port, const std::string& token);
  ~ApiClient();
  ApiClient(ApiClient&&) noexcept;

  ApiResponse get(const std::string& path);
  ApiResponse post(const std::string& path, const nlohmann::json& body = nlohmann::json::object());
  ApiResponse patch(const std::string& path, const nlohmann::json& body);
  ApiResponse remove(const std::string& path);

  // As get, post and so on, but throws std::runtime_error with the answer unless it is 2xx.
  nlohmann::json read(const std::string& path);
  nlohmann::json make(const std::string& path,
                      const nlohmann::json& body = nlohmann::json::object());
  // All pages of a list.
  std::vector<nlohmann::json> read_all(const std::string& path);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The values of one metrics page, by series as it is written:
// sealpost_attempts_total{outcome="success"}.
std::map<std::string, double> read_metrics(int port);

}  // namespace sealpost
