#include "admin_api/server.h"

#include "admin_api/api.h"
#include "admin_api/http_server.h"
#include "admin_api/problem.h"
#include "admin_api/service_handlers.h"

namespace sealpost {
namespace {

constexpr int kHealthThreads = 2;  // a probe and a scraper at once

// Probes are not logged and need no request id of their own.
ApiAnswer answer_health_call(const HealthSource& source, const ApiCall& call) noexcept {
  try {
    if (call.method != "GET" && call.method != "HEAD") {
      throw Problem(405, "method_not_allowed", "This path takes GET, HEAD.")
          .with_header("Allow", "GET, HEAD");
    }
    if (call.path == "/livez") return livez_answer(source);
    if (call.path == "/readyz") return readyz_answer(source);
    if (call.path == "/metrics") return metrics_answer(source);
    throw Problem(404, "not_found", "Here are /livez, /readyz and /metrics.");
  } catch (const Problem& problem) {
    return problem.to_answer("");
  } catch (...) {
    return Problem(500, "internal_error", "Health cannot be told.").to_answer("");
  }
}

}  // namespace

struct HealthServer::State {
  State(std::string listen, HealthSource from)
      : source(std::move(from)),
        server(
            {.listen = std::move(listen), .threads = kHealthThreads},
            [this](const ApiCall& call) { return answer_health_call(source, call); },
            [](int status) { return unreadable_request(status).to_answer(""); }) {}

  HealthSource source;
  HttpServer server;
};

HealthServer::HealthServer(std::string listen, HealthSource source)
    : state_(std::make_unique<State>(std::move(listen), std::move(source))) {}
HealthServer::~HealthServer() = default;
void HealthServer::start() { state_->server.start(); }
void HealthServer::stop() { state_->server.stop(); }
int HealthServer::port() const { return state_->server.port(); }

struct AdminApi::State {
  State(Dependencies given, AdminApiOptions chosen)
      : dependencies(std::move(given)),
        options(std::move(chosen)),
        api(dependencies, options),
        server(
            {.listen = options.listen, .threads = options.threads},
            [this](const ApiCall& call) { return api.answer(call); },
            [this](int status) { return api.refuse(status); }) {}

  Dependencies dependencies;
  AdminApiOptions options;
  Api api;
  HttpServer server;
};

AdminApi::AdminApi(Dependencies dependencies, AdminApiOptions options)
    : state_(std::make_unique<State>(std::move(dependencies), std::move(options))) {}
AdminApi::~AdminApi() = default;
void AdminApi::start() { state_->server.start(); }
void AdminApi::stop() { state_->server.stop(); }
int AdminApi::port() const { return state_->server.port(); }

}  // namespace sealpost
