#include "tests/support/api_client.h"

#include <httplib.h>

#include <sstream>
#include <stdexcept>

namespace sealpost {
namespace {

using Json = nlohmann::json;
constexpr time_t kAnswerSeconds = 20;

ApiResponse response_of(const httplib::Result& result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + httplib::to_string(result.error()));
  ApiResponse response{.status = result->status, .body = nullptr, .text = result->body};
  const Json body = Json::parse(result->body, nullptr, false);
  if (!body.is_discarded()) response.body = body;
  return response;
}

Json body_of_success(const ApiResponse& response, const std::string& what) {
  if (response.status / 100 == 2) return response.body;
  throw std::runtime_error(what + ": " + std::to_string(response.status) + ' ' + response.text);
}

}  // namespace

struct ApiClient::State {
  State(int port, const std::string& token) : http("127.0.0.1", port) {
    http.set_read_timeout(kAnswerSeconds);
    http.set_default_headers({{"Authorization", "Bearer " + token}});
  }
  httplib::Client http;
};

ApiClient::ApiClient(int port, const std::string& token)
    : state_(std::make_unique<State>(port, token)) {}
ApiClient::~ApiClient() = default;
ApiClient::ApiClient(ApiClient&&) noexcept = default;

ApiResponse ApiClient::get(const std::string& path) {
  return response_of(state_->http.Get(path), "GET " + path);
}

ApiResponse ApiClient::post(const std::string& path, const Json& body) {
  return response_of(state_->http.Post(path, body.dump(), "application/json"), "POST " + path);
}

ApiResponse ApiClient::patch(const std::string& path, const Json& body) {
  return response_of(state_->http.Patch(path, body.dump(), "application/json"), "PATCH " + path);
}

ApiResponse ApiClient::remove(const std::string& path) {
  return response_of(state_->http.Delete(path), "DELETE " + path);
}

Json ApiClient::read(const std::string& path) { return body_of_success(get(path), "GET " + path); }

Json ApiClient::make(const std::string& path, const Json& body) {
  return body_of_success(post(path, body), "POST " + path);
}

std::vector<Json> ApiClient::read_all(const std::string& path) {
  std::vector<Json> items;
  const std::string separator = path.find('?') == std::string::npos ? "?" : "&";
  for (std::string page = path;;) {
    const Json list = read(page);
    for (const Json& item : list.at("data")) items.push_back(item);
    if (list.at("next_cursor").is_null()) return items;
    page = path + separator + "cursor=" + list.at("next_cursor").get<std::string>();
  }
}

std::map<std::string, double> read_metrics(int port) {
  httplib::Client http("127.0.0.1", port);
  http.set_read_timeout(kAnswerSeconds);
  const ApiResponse response = response_of(http.Get("/metrics"), "GET /metrics");
  if (response.status != 200) throw std::runtime_error("GET /metrics: " + response.text);
  std::map<std::string, double> values;
  std::istringstream lines(response.text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto space = line.rfind(' ');
    values[line.substr(0, space)] = std::stod(line.substr(space + 1));
  }
  return values;
}

}  // namespace sealpost
