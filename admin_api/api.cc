#include "admin_api/api.h"

#include <algorithm>

#include "admin_api/problem.h"
#include "base/log.h"
#include "base/ulid.h"
#include "core/storage_error.h"

namespace sealpost {
namespace {

constexpr std::size_t kMaxRequestIdLength = 128;
constexpr std::size_t kMaxTokenLength = 512;  // ours have under 64 characters

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool same_but_for_case(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

Problem not_authenticated(std::string_view challenge, std::string detail) {
  return Problem(401, "unauthorized", std::move(detail))
      .with_header("WWW-Authenticate", std::string(challenge));
}

void check_body(const ApiCall& call) {
  if (call.body_state == BodyState::too_large) throw unreadable_request(413);
  if (call.body_state == BodyState::unreadable) {
    throw Problem(415, "unsupported_media_type",
                  "Send application/json without a Content-Encoding.");
  }
}

// What an exception becomes. The request learns nothing of our inside; the log does.
ApiAnswer answer_to_failure(const std::string& request_id, const std::string& route) {
  const auto internal = [&](const char* what) {
    log_error("api.failed", {{"request_id", request_id}, {"route", route}, {"error", what}});
    return Problem(500, "internal_error",
                   "Something went wrong on our side; the log has it under this request_id.")
        .to_answer(request_id);
  };
  try {
    throw;
  } catch (const Problem& problem) {
    return problem.to_answer(request_id);
  } catch (const StorageError& error) {
    if (error.kind() == StorageError::Kind::permanent) return internal(error.what());
    log_warn("api.database_unavailable",
             {{"request_id", request_id}, {"route", route}, {"error", error.what()}});
    const bool in_doubt = error.kind() == StorageError::Kind::in_doubt;
    return Problem(503, in_doubt ? "outcome_unknown" : "database_unavailable",
                   in_doubt ? "The database was lost while it saved this; read the object to see "
                              "whether it did, then try again."
                            : "The database cannot be reached at the moment; nothing was changed.")
        .with_header("Retry-After", "1")
        .to_answer(request_id);
  } catch (const std::exception& error) {
    return internal(error.what());
  } catch (...) {
    return internal("not a std::exception");
  }
}

void log_call(const ApiCall& call, const std::string& route, const std::string& request_id,
              int status, MonotonicTime::duration took) {
  const std::chrono::duration<double, std::milli> milliseconds = took;
  // Probes come every few seconds and would bury the rest.
  const bool is_probe = route != "none" && !route.starts_with("/v1/");
  log(is_probe ? LogLevel::debug : LogLevel::info, "api.request",
      {{"method", call.method},
       {"route", route},
       {"status", status},
       {"duration_ms", milliseconds.count()},
       {"request_id", request_id}});
}

}  // namespace

Api::Api(const AdminApi::Dependencies& dependencies, const AdminApiOptions& options)
    : dependencies_(dependencies),
      options_(options),
      health_(dependencies.health),
      stores_(dependencies),
      key_sets_(dependencies.clock) {
  health_.metrics = [this] {
    return (dependencies_.health.metrics ? dependencies_.health.metrics() : "") + metrics_.text();
  };
}

ApiAnswer Api::answer(const ApiCall& call) noexcept {
  const MonotonicTime started = dependencies_.clock.monotonic_now();
  const std::string request_id = request_id_of(call);
  std::string route = "none";
  ApiAnswer answer;
  try {
    answer = route_and_run(call, route);
  } catch (...) {
    answer = answer_to_failure(request_id, route);
  }
  answer.headers.push_back({"X-Request-Id", request_id});
  answer.headers.push_back({"X-Content-Type-Options", "nosniff"});
  if (call.path.starts_with("/v1")) answer.headers.push_back({"Cache-Control", "no-store"});
  const auto took = dependencies_.clock.monotonic_now() - started;
  metrics_.count(call.method, answer.status, took);
  log_call(call, route, request_id, answer.status, took);
  return answer;
}

ApiAnswer Api::refuse(int status) noexcept {
  const std::string request_id = request_id_of({});
  ApiAnswer answer = unreadable_request(status).to_answer(request_id);
  answer.headers.push_back({"X-Request-Id", request_id});
  metrics_.count("other", answer.status, MonotonicTime::duration::zero());
  return answer;
}

ApiAnswer Api::route_and_run(const ApiCall& call, std::string& route) {
  const RouteMatch match = match_route(call.method, call.path);
  route = match.route.pattern;
  const auto run = [&](ApiStores& stores) {
    CallContext context{.call = call,
                        .id = match.id,
                        .token = {},
                        .stores = stores,
                        .options = options_,
                        .health = health_,
                        .random = dependencies_.random,
                        .key_sets = key_sets_};
    if (match.route.access != Access::open) {
      context.token = authenticate(call, stores);
      require_access(context.token.role, match.route.access);
    }
    check_body(call);
    ApiAnswer answer = match.route.handler(context);
    if (match.route.access == Access::manage) key_sets_.drop();
    return answer;
  };
  return stores_.with_stores(run);
}

TokenInfo Api::authenticate(const ApiCall& call, ApiStores& stores) const {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view given = call.header("authorization");
  if (given.size() <= kScheme.size() ||
      !same_but_for_case(given.substr(0, kScheme.size()), kScheme)) {
    throw not_authenticated(R"(Bearer realm="sealpost")",
                            "Send the header Authorization: Bearer with a token; sealpost token "
                            "create makes one.");
  }
  const std::string_view token = given.substr(kScheme.size());
  if (token.size() <= kMaxTokenLength && is_visible(token)) {
    if (auto info = stores.tokens().find(SecretText(std::string(token)))) return std::move(*info);
  }
  throw not_authenticated(R"(Bearer realm="sealpost", error="invalid_token")",
                          "This token is unknown or was revoked.");
}

std::string Api::request_id_of(const ApiCall& call) const {
  const std::string_view given = call.header("x-request-id");
  if (!given.empty() && given.size() <= kMaxRequestIdLength && is_visible(given)) {
    return std::string(given);
  }
  return new_ulid("req_", dependencies_.clock.wall_now(), dependencies_.random);
}

}  // namespace sealpost
