#include "cli/service.h"

#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "admin_api/server.h"
#include "base/log.h"
#include "base/master_key.h"
#include "cli/admin_token.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/instance_lock.h"
#include "cli/start_checks.h"
#include "cli/stop_signals.h"
#include "cli/stores.h"
#include "core/storage_error.h"
#include "dispatcher/curl_http_sender.h"
#include "dispatcher/dispatcher.h"
#include "storage/migrator.h"

namespace sealpost {
namespace {

constexpr Milliseconds kLook{
    200};  // how often the main thread looks after the database and signals

// "127.0.0.1:0" and the port that was chosen: "http://127.0.0.1:40123".
std::string url_of(const std::string& listen, int port) {
  return fmt::format("http://{}:{}", listen.substr(0, listen.rfind(':')), port);
}

class Service {
 public:
  Service(const Config& config, const ServiceParts& parts)
      : config_(config),
        parts_(parts),
        database_(config, parts.owns_database ? Database::Use::own : Database::Use::join,
                  parts.name, random_),
        options_{.url = database_.url(),
                 .application_name = fmt::format("sealpost {}", parts.name)} {}

  int run(StopSignals& signals) {
    prepare_database();
    const Stores stores(options_, std::make_shared<MasterKeys>(database_.master_key_file()),
                        random_);
    if (parts_.owns_database && database_.is_embedded())
      ensure_admin_token(config_.data_dir, *stores.tokens());
    if (parts_.dispatcher) make_dispatcher(stores);
    start_listeners(stores);
    if (dispatcher_) dispatcher_->start();
    ready_ = true;
    log_ready();
    while (!signals.wait_for(kLook)) database_.supervise(clock_.monotonic_now());
    return stop(signals);
  }

 private:
  void prepare_database() {
    if (parts_.owns_database && database_.is_embedded()) {
      for (const std::string& name : Migrator(options_).apply().applied)
        log_info("migration.applied", {{"name", name}});
    }
    require_schema(options_);
    warn_about_server(options_, clock_);
  }

  void make_dispatcher(const Stores& stores) {
    instance_ = lock_instance(config_.data_dir, config_.instance);
    raise_file_limit(config_.max_in_flight);
    dispatcher_ = std::make_unique<Dispatcher>(
        Dispatcher::Dependencies{.delivery_store = [stores] { return stores.deliveries(); },
                                 .registry = [stores] { return stores.registry(); },
                                 .endpoints = [stores] { return stores.endpoint_source(); },
                                 .maintenance = [stores] { return stores.maintenance(); },
                                 .validations = [stores] { return stores.validations(); },
                                 .sender = make_sender(),
                                 .clock = clock_,
                                 .random = random_},
        DispatcherOptions{.instance = instance_->name,
                          .lease = config_.lease,
                          .max_in_flight = config_.max_in_flight,
                          .busy_poll = std::min(config_.poll, DispatcherOptions{}.busy_poll),
                          .idle_poll = config_.poll,
                          .drain = config_.drain,
                          .retention = {.retention = config_.retention},
                          .validation = {.origin = config_.webhook_origin.value_or(""),
                                         .public_url = config_.public_url.value_or("")}});
  }

  std::unique_ptr<HttpSender> make_sender() {
    CurlSenderOptions options{
        .address_policy = AddressPolicy(config_.allow_ranges),
        .allow_http = config_.allow_http ? AllowHttp::yes : AllowHttp::no,
        .max_connections = config_.max_in_flight,
        .connection_lifetime = kConnectionLifetime,
        .proxy = std::nullopt,
        .ca_file = config_.ca_file ? config_.ca_file->string() : "",
    };
    if (config_.egress_proxy) options.proxy = config_.egress_proxy->reveal();
    return std::make_unique<CurlHttpSender>(std::move(options), clock_);
  }

  HealthSource health() {
    return {
        .live = [this] { return !dispatcher_ || dispatcher_->is_live(); },
        .ready =
            [this](std::string& why) {
              if (!ready_) why = stopping_ ? "stopping" : "starting";
              return ready_ && (!dispatcher_ || dispatcher_->is_ready(why));
            },
        .metrics = [this] { return dispatcher_ ? dispatcher_->metrics_text() : std::string(); }};
  }

  // Before the dispatcher starts: a port that is taken must not leave requests in flight.
  void start_listeners(const Stores& stores) {
    if (parts_.admin_api) {
      api_ = std::make_unique<AdminApi>(
          AdminApi::Dependencies{.endpoints = [stores] { return stores.endpoints(); },
                                 .encryption_keys = [stores] { return stores.encryption_keys(); },
                                 .history = [stores] { return stores.history(); },
                                 .secrets = [stores] { return stores.secrets(); },
                                 .tokens = [stores] { return stores.tokens(); },
                                 .validations = [stores] { return stores.validations(); },
                                 .health = health(),
                                 .clock = clock_,
                                 .random = random_},
          AdminApiOptions{.listen = config_.listen,
                          .url_rules = {.allow_http = config_.allow_http,
                                        .allowed_ranges = config_.allow_ranges},
                          .default_profile = config_.default_profile,
                          .webhook_origin = config_.webhook_origin.value_or("")});
      api_->start();
    }
    if (parts_.dispatcher) {
      health_ = std::make_unique<HealthServer>(config_.metrics_listen, health());
      health_->start();
    }
  }

  void log_ready() {
    log_info("serve.ready",
             {{"command", parts_.name},
              {"api", api_ ? url_of(config_.listen, api_->port()) : ""},
              {"metrics", health_ ? url_of(config_.metrics_listen, health_->port()) : ""},
              {"instance", instance_ ? instance_->name : ""},
              {"database", database_.is_embedded() ? "embedded" : "configured"}});
  }

  // The dispatcher drains on a thread of its own, so that a second signal can hurry it and the
  // database is looked after meanwhile. The database goes last.
  int stop(StopSignals& signals) {
    log_info("serve.stopping",
             {{"drain_seconds", static_cast<std::int64_t>(config_.drain.count())}});
    stopping_ = true;
    ready_ = false;
    bool clean = true;
    if (dispatcher_) {
      auto drained = std::async(std::launch::async, [this] { return dispatcher_->stop(); });
      while (drained.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        if (signals.wait_for(kLook / 10)) dispatcher_->hurry();
        database_.supervise(clock_.monotonic_now());
      }
      clean = drained.get();
    }
    if (api_) api_->stop();
    if (health_) health_->stop();
    // With their connections; what is still connected would be thrown out by the database's stop.
    dispatcher_.reset();
    api_.reset();
    health_.reset();
    database_.close();
    log_info("serve.stopped", {{"clean", clean}});
    return kExitOk;
  }

  const Config& config_;
  const ServiceParts parts_;
  SystemClock clock_;
  SystemRandom random_;
  Database database_;
  DatabaseOptions options_;
  std::optional<InstanceLock> instance_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<AdminApi> api_;
  std::unique_ptr<HealthServer> health_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace

int run_service(const Config& config, const ServiceParts& parts) {
  StopSignals signals;  // before other threads exist
  log_info("config.effective",
           {{"version", SEALPOST_VERSION}, {"command", parts.name}, {"settings", config.summary}});
  return Service(config, parts).run(signals);
}

}  // namespace sealpost
