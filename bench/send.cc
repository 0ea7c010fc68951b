// What does one request cost, without a database around it? CurlHttpSender beside the sender of the
// feature-free pipeline, which is bare libcurl, both with signed requests of 1 KiB to one nginx.
// Prints one line of JSON; the ratio is that of requests per second, Sealpost / baseline.
//
//   build/release/bench/send [--cold-tls] [--requests N] [--rounds N] [--in-flight N] [--commit ID]
//
// By default to 64 endpoints over kept connections. With --cold-tls each request goes to a host
// that was never called before: a new connection and a full TLS 1.3 handshake, checked against as
// many authorities as a system has and one more. The hosts are names below .localhost, which
// libcurl finds by itself, and share one wildcard certificate; to libcurl they are strangers to
// one another. Sessions may be resumed on both sides, but nobody comes back.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bench/fast_receiver.h"
#include "bench/feature_free_sender.h"
#include "bench/paired_rounds.h"
#include "bench/payload.h"
#include "bench/temporary_directory.h"
#include "core/webhook_request.h"
#include "dispatcher/curl_http_sender.h"

namespace sealpost {
namespace {

using Monotonic = std::chrono::steady_clock;

struct Load {
  bool cold_tls = false;
  std::vector<std::string> urls;
  std::string ca_file;
  int requests = 0;
  int in_flight = 0;
  std::string payload = payload_of(1);
};

std::chrono::duration<double, std::micro> thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Keeps `in_flight` requests going until all are answered. `start` begins number n, `poll` returns
// how many ended.
template <class Start, class Poll>
Measurement run_all(const Load& load, Start start, Poll poll) {
  const auto cpu = thread_cpu();
  const auto begin = Monotonic::now();
  int started = 0, ended = 0;
  while (ended < load.requests) {
    while (started < load.requests && started - ended < load.in_flight) start(started++);
    ended += poll();
    if (Monotonic::now() - begin > std::chrono::minutes(2)) {
      throw std::runtime_error("the requests take too long");
    }
  }
  const std::chrono::duration<double> elapsed = Monotonic::now() - begin;
  return {.per_second = load.requests / elapsed.count(),
          .cpu_sender_us = (thread_cpu() - cpu).count() / load.requests};
}

void expect_ok(int status_code) {
  if (status_code != 200) throw std::runtime_error(fmt::format("answered {}", status_code));
}

Measurement measure_baseline(const Load& load) {
  FeatureFreeSender sender(load.urls, load.in_flight, load.ca_file);
  const int endpoints = static_cast<int>(load.urls.size());
  std::vector<PlainResult> finished;
  return run_all(
      load,
      [&](int n) {
        sender.start({.id = fmt::format("evt_{:026}", n),
                      .endpoint = n % endpoints,
                      .payload = load.payload});
      },
      [&] {
        finished.clear();
        sender.poll(std::chrono::milliseconds(50), finished);
        for (const PlainResult& result : finished) expect_ok(result.status_code);
        return static_cast<int>(finished.size());
      });
}

std::shared_ptr<const PreparedEndpoint> endpoint(const std::string& url) {
  Endpoint endpoint;
  endpoint.settings.url = url;
  endpoint.settings.signing_profile = "standard";
  endpoint.secrets.emplace_back("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
  return prepare(std::move(endpoint));
}

Measurement measure_sealpost(const Load& load) {
  const SystemClock clock;
  CurlHttpSender sender({.address_policy = AddressPolicy(
                             {*IpRange::parse("127.0.0.0/8"), *IpRange::parse("::1/128")}),
                         .allow_http = AllowHttp::yes,
                         .proxy = {},
                         .ca_file = load.ca_file},
                        clock);
  SystemRandom random;
  RequestBuilder builder(random);
  std::vector<std::shared_ptr<const PreparedEndpoint>> endpoints;
  for (const std::string& url : load.urls) endpoints.push_back(endpoint(url));
  std::vector<FinishedRequest> finished;
  return run_all(
      load,
      [&](std::size_t n) {
        auto event = std::make_shared<Event>();
        event->id = EventId(fmt::format("evt_{:026}", n));
        event->type = "bench.event";
        event->payload = load.payload;
        event->payload_is_json = true;
        LeasedDelivery delivery;
        delivery.event = std::move(event);
        auto request = builder.build(delivery, *endpoints[n % endpoints.size()], clock.wall_now());
        sender.start(n, std::get<HttpRequest>(std::move(request)));
      },
      [&] {
        finished.clear();
        sender.poll(std::chrono::milliseconds(50), finished);
        for (const FinishedRequest& result : finished) {
          expect_ok(result.outcome.status_code.value_or(0));
        }
        return static_cast<int>(finished.size());
      });
}

int run(Load load, int rounds, const std::string& commit) {
  TemporaryDirectory directory;
  FastReceiver receiver(directory.path() / "nginx",
                        load.cold_tls ? Transport::tls : Transport::plain);
  for (int n = 0; n < (load.cold_tls ? load.requests : kReceiverEndpoints); ++n) {
    load.urls.push_back(load.cold_tls ? receiver.url_of_host(n) : receiver.url(n));
  }
  load.ca_file = receiver.ca_file();
  const auto done = run_paired(
      rounds, [&] { return measure_baseline(load); }, [&] { return measure_sealpost(load); });
  fmt::print("{}\n", report({.benchmark = load.cold_tls ? "cold_tls" : "send",
                             .parameters = fmt::format(R"("requests": {}, "in_flight": {})",
                                                       load.requests, load.in_flight),
                             .commit = commit},
                            done));
  return 0;
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  sealpost::Load load{.urls = {}, .ca_file = {}, .requests = 200'000, .in_flight = 256};
  int rounds = 3;
  std::string commit = "unknown";
  CLI::App app("Sends requests, beside bare libcurl.");
  app.add_flag("--cold-tls", load.cold_tls);
  app.add_option("--requests", load.requests)->check(CLI::Range(1'000, 10'000'000));
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 100));
  app.add_option("--in-flight", load.in_flight)->check(CLI::Range(1, 4096));
  app.add_option("--commit", commit);
  CLI11_PARSE(app, argc, argv);
  if (load.cold_tls && app.count("--requests") == 0) load.requests = 10'000;
  try {
    return sealpost::run(std::move(load), rounds, commit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "send: {}\n", error.what());
    return 1;
  }
}
