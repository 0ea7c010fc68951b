// The admin REST API over HTTP/1.1, and the small listener for health and metrics.
//
// Both answer on threads of their own; each API thread makes its own stores through the factories.
// start() throws std::runtime_error naming the address when it cannot listen.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "core/encryption_key_store.h"
#include "core/endpoint_store.h"
#include "core/history_store.h"
#include "core/secret_store.h"
#include "core/token_store.h"
#include "core/url_rules.h"
#include "core/validation_store.h"

namespace sealpost {

// What /livez, /readyz and /metrics answer. The functions must be safe from any thread.
struct HealthSource {
  std::function<bool()> live;
  std::function<bool(std::string& why)> ready;
  std::function<std::string()> metrics;  // Prometheus text format 0.0.4
};

class HealthServer {
 public:
  HealthServer(std::string listen,
               HealthSource source);  // "127.0.0.1:8026"; port 0 picks a free one
  ~HealthServer();
  void start();
  void stop();
  int port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct AdminApiOptions {
  std::string listen = "127.0.0.1:8025";
  UrlRules url_rules;
  std::string default_profile = "standard";
  std::string webhook_origin{};  // empty: no validation by CloudEvents' handshake
  int threads = 8;
};

class AdminApi {
 public:
  struct Dependencies {
    std::function<std::unique_ptr<EndpointStore>()> endpoints;
    std::function<std::unique_ptr<EncryptionKeyStore>()> encryption_keys;
    std::function<std::unique_ptr<HistoryStore>()> history;
    std::function<std::unique_ptr<SecretStore>()> secrets;
    std::function<std::unique_ptr<TokenStore>()> tokens;
    std::function<std::unique_ptr<ValidationStore>()> validations;
    HealthSource health;  // served here as well, without authentication
    Clock& clock;
    Random& random;
  };

  AdminApi(Dependencies dependencies, AdminApiOptions options);
  ~AdminApi();
  void start();
  void stop();
  int port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sealpost
