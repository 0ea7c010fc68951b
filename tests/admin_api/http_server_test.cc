// The server's bounds: silent, slow and greedy clients, and a stop that waits for none of them.
#include "admin_api/http_server.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>

#include "admin_api/problem.h"
#include "admin_api/server.h"
#include "tests/admin_api/raw_socket.h"

namespace sealpost {
namespace {

ApiAnswer say_ok(const ApiCall&) { return {.content_type = "text/plain", .body = "ok"}; }
ApiAnswer refuse(int status) { return unreadable_request(status).to_answer("req_test"); }

std::unique_ptr<HttpServer> start_server(HttpServerOptions options,
                                         const HttpServer::Handler& handler = say_ok) {
  if (options.listen.empty()) options.listen = "127.0.0.1:0";
  auto server = std::make_unique<HttpServer>(options, handler, refuse);
  server->start();
  return server;
}

std::chrono::steady_clock::duration time_of(const std::function<void()>& action) {
  const SystemClock clock;
  const MonotonicTime start = clock.monotonic_now();
  action();
  return clock.monotonic_now() - start;
}

constexpr char kRequest[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(HttpServerTest, ASilentConnectionIsClosedEarly) {
  const auto server = start_server({.listen = {}, .first_byte_time = Milliseconds(50)});
  EXPECT_EQ(RawSocket(server->port()).read_to_end(), "");
}

TEST(HttpServerTest, HeadersThatDripAreCutOffInAll) {
  const auto server = start_server({.listen = {}, .request_time = Milliseconds(300)});
  const RawSocket slow(server->port());
  slow.send("GET / HTTP/1.1\r\nX-A: ");
  std::string text;
  const auto took = time_of([&] { text = slow.read_to_end(); });
  EXPECT_NE(text.find(" 400 "), std::string::npos) << text;
  EXPECT_LT(took, std::chrono::seconds{5});
}

TEST(HttpServerTest, ABodyThatNeverComesIsCutOff) {
  const auto server = start_server({.listen = {}, .request_time = Milliseconds(300)});
  const RawSocket slow(server->port());
  slow.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_NE(slow.read_to_end().find(" 400 "), std::string::npos);
}

TEST(HttpServerTest, SilentConnectionsDoNotStopTheThreadsForLong) {
  const auto server =
      start_server({.listen = {}, .threads = 2, .first_byte_time = Milliseconds(200)});
  std::vector<std::unique_ptr<RawSocket>> silent;
  for (int i = 0; i < 6; ++i) silent.push_back(std::make_unique<RawSocket>(server->port()));
  const RawSocket eager(server->port());
  eager.send(kRequest);
  EXPECT_TRUE(eager.read_to_end().ends_with("ok"));
}

TEST(HttpServerTest, StopWaitsForNobodyWhoOnlyHoldsAConnection) {
  const auto server = start_server({.listen = {},
                                    .threads = 2,
                                    .first_byte_time = std::chrono::minutes{1},
                                    .request_time = std::chrono::minutes{1}});
  const RawSocket silent(server->port());
  const RawSocket half(server->port());
  const RawSocket queued(server->port());
  half.send("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n");
  EXPECT_LT(time_of([&] { server->stop(); }), std::chrono::seconds{10});
  EXPECT_EQ(silent.read_to_end(), "");
}

TEST(HttpServerTest, StopLetsARunningCallAnswer) {
  std::promise<void> entered;
  std::promise<void> may_answer;
  const auto server = start_server({.listen = {}}, [&](const ApiCall& call) {
    entered.set_value();
    may_answer.get_future().wait();
    return say_ok(call);
  });
  const RawSocket client(server->port());
  client.send(kRequest);
  entered.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { server->stop(); });
  may_answer.set_value();
  EXPECT_TRUE(client.read_to_end().ends_with("ok"));
  stopped.get();
}

TEST(HttpServerTest, StopMayComeTwiceAndBeforeAnyRequest) {
  const auto server = start_server({.listen = {}});
  server->stop();
  server->stop();
  EXPECT_THROW(RawSocket(server->port()), std::runtime_error);
}

TEST(HttpServerTest, AUsedPortIsAnErrorThatNamesIt) {
  const auto first = start_server({.listen = {}});
  const std::string address = "127.0.0.1:" + std::to_string(first->port());
  HttpServer second({.listen = address}, say_ok, refuse);
  try {
    second.start();
    FAIL() << "two servers share a port";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(address), std::string::npos) << error.what();
  }
}

TEST(HttpServerTest, AMalformedAddressIsAnErrorThatNamesIt) {
  for (const char* listen : {"", "8025", "127.0.0.1", ":8025", "127.0.0.1:", "127.0.0.1:x",
                             "127.0.0.1:70000", "127.0.0.1:-1"}) {
    HttpServer server({.listen = listen}, say_ok, refuse);
    EXPECT_THROW(server.start(), std::runtime_error) << listen;
  }
}

TEST(HttpServerTest, ListensOnIpv6InBrackets) {
  const auto server = start_server({.listen = "[::1]:0"});
  EXPECT_GT(server->port(), 0);
}

TEST(HttpServerTest, TheRestOfARefusedBodyDoesNotCostTheAnswer) {
  const auto server = start_server({.listen = {}, .max_body_bytes = 1000}, [](const ApiCall& call) {
    return call.body_state == BodyState::too_large ? refuse(413) : say_ok(call);
  });
  const RawSocket client(server->port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n" +
              std::string(4'000'000, 'a'));
  EXPECT_NE(client.read_to_end().find("body_too_large"), std::string::npos);
}

TEST(HealthServerTest, AnswersProbesAndNothingElse) {
  HealthServer server("127.0.0.1:0", {.live = [] { return true; },
                                      .ready =
                                          [](std::string& why) {
                                            why = "starting";
                                            return false;
                                          },
                                      .metrics = [] { return std::string("demo 1\n"); }});
  server.start();
  const auto ask = [&](const std::string& first_line) {
    const RawSocket client(server.port());
    client.send(first_line + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client.read_to_end();
  };
  EXPECT_NE(ask("GET /livez").find(" 200 "), std::string::npos);
  EXPECT_NE(ask("GET /readyz").find(" 503 "), std::string::npos);
  EXPECT_NE(ask("GET /readyz").find("starting"), std::string::npos);
  EXPECT_NE(ask("GET /metrics").find("demo 1"), std::string::npos);
  EXPECT_NE(ask("GET /v1/events").find(" 404 "), std::string::npos);
  EXPECT_NE(ask("POST /livez").find(" 405 "), std::string::npos);
  server.stop();
}

}  // namespace
}  // namespace sealpost
