// `sealpost listen`: a receiver for development. Verifies every request and prints one line about
// it.

#include <fmt/format.h>
#include <httplib.h>
#include <signal.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "cli/captured_request.h"
#include "cli/commands.h"
#include "cli/stop_signals.h"
#include "core/check_request.h"
#include "core/limits.h"
#include "core/sealed_json.h"
#include "core/sealed_response.h"
#include "core/validation.h"

namespace sealpost {
namespace {

constexpr size_t kMaxBody = 4 * kMaxPayloadBytes;  // envelopes and encryption make payloads longer

constexpr size_t kConnections = 128;  // twice what an endpoint gets by default
constexpr size_t kRequestsPerConnection = 10'000;
constexpr int kNoContent = 204;

struct Observation {
  WallTime received_at;
  CheckedRequest request = {};
  bool checked = false;  // a secret was given
  size_t bytes = 0;
  int answer = 0;
};

std::string verdict(const Observation& seen) {
  if (!seen.checked) return "not checked (no secret given)";
  return seen.request.verification.verified ? "signature verified"
                                            : "NOT verified: " + seen.request.verification.problem;
}

std::optional<long> milliseconds_since_event(const Observation& seen) {
  const auto made = time_of_event(seen.request.verification.event_id);
  if (!made) return std::nullopt;
  return std::chrono::duration_cast<Milliseconds>(seen.received_at - *made).count();
}

std::string text_line(const Observation& seen) {
  const auto or_dash = [](const std::string& text) { return text.empty() ? "-" : text; };
  const auto since = milliseconds_since_event(seen);
  std::string line = fmt::format(
      "{} {} {} profile={} {} age={} bytes={} answered={}", rfc3339_utc(seen.received_at),
      or_dash(seen.request.verification.event_id), or_dash(seen.request.verification.event_type),
      or_dash(seen.request.verification.profile), verdict(seen),
      since ? fmt::format("{}ms", *since) : "-", seen.bytes, seen.answer);
  if (seen.request.text)
    line += " (decrypted)";
  else if (seen.request.encrypted)
    line += " (encrypted: " + seen.request.not_opened + ")";
  return line;
}

std::string json_line(const Observation& seen) {
  nlohmann::ordered_json line;
  line["received_at"] = rfc3339_utc(seen.received_at);
  line["received_unix_us"] = seen.received_at.time_since_epoch().count();
  line["event_id"] = seen.request.verification.event_id;
  line["event_type"] = seen.request.verification.event_type;
  line["profile"] = seen.request.verification.profile;
  line["checked"] = seen.checked;
  line["verified"] = seen.request.verification.verified;
  line["problem"] = seen.request.verification.problem;
  if (const auto error = seen.request.verification.error) line["error"] = to_text(*error);
  if (const auto since = milliseconds_since_event(seen)) line["age_ms"] = *since;
  line["encrypted"] = seen.request.encrypted;
  line["decrypted"] = seen.request.text.has_value();
  line["bytes"] = seen.bytes;
  line["answered"] = seen.answer;
  // Whatever a stranger sent must not break the line.
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class DevelopmentReceiver {
 public:
  explicit DevelopmentReceiver(const ListenOptions& options) : options_(options) {
    if (options.secret) secret_ = SecretText(*options.secret);
    if (options.profile) profile_ = read_profile(*options.profile);
    if (options.secret_file) secret_ = read_secret(*options.secret_file);
    if (options.private_key) private_key_ = read_private_key(*options.private_key);
    const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
      receive(request, response);
    };
    server_.set_payload_max_length(kMaxBody);
    // One thread per kept connection: fewer would make a sender's later connections wait.
    server_.new_task_queue = [] { return new httplib::ThreadPool(kConnections); };
    server_.set_keep_alive_max_count(kRequestsPerConnection);
    server_.Get(".*", handler);
    server_.Post(".*", handler);
    server_.Put(".*", handler);
    server_.Patch(".*", handler);
    server_.Delete(".*", handler);
    server_.Options(".*", [](const httplib::Request& request, httplib::Response& response) {
      consent(request, response);
    });
  }

  // The port, or nullopt if it is taken.
  std::optional<int> bind() {
    if (options_.port == 0) return server_.bind_to_any_port(options_.host);
    if (!server_.bind_to_port(options_.host, options_.port)) return std::nullopt;
    return options_.port;
  }
  void run() { server_.listen_after_bind(); }
  void stop() { server_.stop(); }

 private:
  // CloudEvents' handshake: everybody may send, as much as he asks for.
  static void consent(const httplib::Request& request, httplib::Response& response) {
    response.status = 204;
    response.set_header("Allow", "OPTIONS, POST");
    const std::string origin = request.get_header_value("WebHook-Request-Origin");
    if (origin.empty()) return;
    const std::string rate = request.get_header_value("WebHook-Request-Rate");
    response.set_header("WebHook-Allowed-Origin", origin);
    response.set_header("WebHook-Allowed-Rate", rate.empty() ? "*" : rate);
  }

  // Zoom's: a genuine request with a token is answered with the token's MAC.
  void answer_challenge(const Observation& seen, const std::string& body,
                        httplib::Response& response) const {
    if (!seen.request.verification.verified) return;
    const auto profile = profile_ ? profile_ : signing_preset(seen.request.verification.profile);
    const auto key = profile ? challenge_key(*profile, *secret_) : std::nullopt;
    const auto answer = key ? answer_to_challenge(body, *key) : std::nullopt;
    if (!answer) return;
    response.status = 200;
    response.set_content(*answer, "application/json");
  }

  void receive(const httplib::Request& from, httplib::Response& response) {
    Observation seen{.received_at = SystemClock{}.wall_now(), .bytes = from.body.size()};
    ReceivedRequest request{.headers = {}, .body = from.body};
    for (const auto& [name, value] : from.headers) {
      std::string key = name;
      for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers.emplace(std::move(key), value);
    }
    request.url = "http://" + from.get_header_value("Host") + from.target;
    seen.checked = secret_.has_value();
    seen.request = check_request(request, secret_.value_or(SecretText()), private_key_,
                                 seen.received_at, kDefaultTolerance, profile_);
    if (seen.checked && seen.request.verification.error) {
      refuse(seen.request.verification, response);
    } else {
      accept(seen.request, response);
    }
    seen.answer = response.status;
    answer_challenge(seen, from.body, response);
    const std::string line = options_.json ? json_line(seen) : text_line(seen);
    const std::lock_guard lock(print_mutex_);  // one line per request, whole
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }

  // To an encrypted request an encrypted answer, which the sender shows as response_payload.
  void accept(const CheckedRequest& request, httplib::Response& response) {
    response.status = options_.status;
    const bool is_success = options_.status >= 200 && options_.status <= 299;
    if (!request.session || !is_success || options_.status == kNoContent) return;
    const nlohmann::json text = {{"received", request.verification.event_id}};
    SystemRandom random;
    response.set_content(seal_response(*request.session, "application/json", text.dump(), random),
                         kSealedJsonType);
  }

  static void refuse(const Verification& why, httplib::Response& response) {
    response.status = status_code_of(*why.error);
    response.set_content(receiver_error_body(*why.error, why.problem), "application/json");
  }

  const ListenOptions options_;
  std::optional<SecretText> secret_;
  std::optional<SecretText> private_key_;
  std::optional<SigningProfile> profile_;
  std::mutex print_mutex_;
  httplib::Server server_;
};

}  // namespace

int listen(const ListenOptions& options) {
  StopSignals signals;  // before the receiver's threads exist
  DevelopmentReceiver receiver(options);
  const auto port = receiver.bind();
  if (!port || *port < 0) {
    fmt::print(stderr,
               "sealpost: cannot listen on {}:{}. Another program has the port; choose one with "
               "--port, or 0 "
               "for any that is free\n",
               options.host, options.port);
    return kExitFailed;
  }
  fmt::print(stderr, "listening on http://{}:{}/ (Ctrl-C stops)\n", options.host, *port);
  std::thread server([&] { receiver.run(); });
  signals.wait();
  receiver.stop();
  server.join();
  return kExitOk;
}

}  // namespace sealpost
