// Which addresses the sender refuses, whatever they are written like.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>

#include "dispatcher/address_guard.h"
#include "dispatcher/curl_http_sender.h"
#include "tests/dispatcher/scripted_server.h"
#include "tests/dispatcher/sender_fixture.h"

namespace sealpost {
namespace {

using ::testing::IsEmpty;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

using CurlAddressTest = SenderTest;

TEST_F(CurlAddressTest, RefusesLoopbackInEverySpelling) {
  CurlSenderOptions options = local_options();
  options.address_policy = AddressPolicy();
  use(options);
  ScriptedServer server(always(kOk));
  const char* hosts[] = {"127.0.0.1",
                         "127.1",
                         "2130706433",
                         "0x7f.1",
                         "017700000001",
                         "0x7f000001",
                         "[::ffff:127.0.0.1]",
                         "[::127.0.0.1]",
                         "[::1]",
                         "localhost",
                         "0",
                         "[::ffff:7f00:1]",
                         "[64:ff9b::7f00:1]"};
  for (const char* host : hosts) {
    const std::string url = "http://" + std::string(host) + ":" + std::to_string(server.port());
    const AttemptOutcome outcome = send(url + "/");
    EXPECT_EQ(outcome.error, AttemptError::blocked_by_policy) << url;
    EXPECT_THAT(outcome.remote_address, IsEmpty()) << url;
    EXPECT_EQ(outcome.error_detail, "this address may not be called") << url;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlAddressTest, JudgesAKeptConnectionAgain) {
  ScriptedServer server(always(kOk));
  EXPECT_EQ(send(server.url()).status_code, 200);
  sender_->replace_address_policy(AddressPolicy());
  EXPECT_EQ(send(server.url()).error, AttemptError::blocked_by_policy);
  sender_->replace_address_policy(loopback_allowed());
  EXPECT_EQ(send(server.url()).status_code, 200);
}

// Where localhost is ::1 as well, which is refused here: in libcurl 8 always, before that if
// /etc/hosts says so.
TEST_F(CurlAddressTest, ARefusedAddressIsNoReasonWhenAnotherIsAllowed) {
  std::string port;
  {
    ScriptedServer server(always(kOk));
    port = std::to_string(server.port());
    EXPECT_EQ(send("http://localhost:" + port + "/").status_code, 200);
  }
  EXPECT_EQ(send("http://localhost:" + port + "/").error, AttemptError::connect);
}

TEST_F(CurlAddressTest, RefusesOtherSchemesAndUserNames) {
  CurlSenderOptions options = local_options();
  options.allow_http = AllowHttp::no;
  use(options);
  ScriptedServer server(always(kOk));
  const std::string port = std::to_string(server.port());
  for (const std::string& url :
       {"http://127.0.0.1:" + port + "/", std::string("file:///etc/passwd"),
        "gopher://127.0.0.1:" + port + "/", "https://user:pw@127.0.0.1:" + port + "/",
        std::string("not a url"), std::string("https://127.0.0.1:99999/")}) {
    EXPECT_EQ(send(url).error, AttemptError::blocked_by_policy) << url;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlAddressTest, ReportsANameThatDoesNotResolve) {
  EXPECT_EQ(send("http://does-not-exist.invalid/").error, AttemptError::dns);
}

TEST_F(CurlAddressTest, IgnoresTheEnvironmentsProxy) {
  ScriptedServer proxy(always(kOk));
  ScriptedServer server(always(kOk));
  setenv("http_proxy", proxy.url().c_str(), 1);
  use(local_options());
  EXPECT_EQ(send(server.url()).status_code, 200);
  unsetenv("http_proxy");
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(CurlAddressTest, ConnectsOnlyToTheProxyAndByConnect) {
  std::atomic<int> connects{0};
  ScriptedServer proxy([&](Connection& connection) {
    const std::string request = connection.read_request().value_or("");
    if (request.starts_with("CONNECT merchant.example:80 ")) ++connects;
    connection.send("HTTP/1.1 200 Connection established\r\nRetry-After: 9\r\n\r\n");
    connection.read_request();
    connection.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  });
  CurlSenderOptions options = local_options();
  options.address_policy = AddressPolicy();  // the proxy judges, not we
  options.proxy = proxy.url("");
  use(options);
  const AttemptOutcome outcome = send("http://merchant.example/");
  EXPECT_EQ(outcome.status_code, 503);
  EXPECT_EQ(outcome.retry_after, std::nullopt) << "the proxy's header is not the receiver's";
  EXPECT_EQ(connects, 1);
}

TEST_F(CurlAddressTest, ReportsTheProxysRefusal) {
  const std::string refusal =
      "HTTP/1.1 407 Request rejected by proxy\r\nX-Smokescreen-Error: private range\r\n"
      "Content-Length: 0\r\n\r\n";
  ScriptedServer proxy(always(refusal));
  CurlSenderOptions options = local_options();
  options.proxy = proxy.url("");
  use(options);
  const AttemptOutcome outcome = send("http://10.0.0.1/");
  EXPECT_EQ(outcome.error, AttemptError::blocked_by_policy);
  EXPECT_EQ(outcome.error_detail, "the egress proxy refused this address");
}

TEST_F(CurlAddressTest, AProxyThatFailsIsAFailedConnection) {
  ScriptedServer proxy(always("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"));
  CurlSenderOptions options = local_options();
  options.proxy = proxy.url("");
  use(options);
  EXPECT_EQ(send("http://merchant.example/").error, AttemptError::connect);
}

TEST(AddressGuardTest, WithAProxyAllowsOnlyTheProxy) {
  const AddressGuard guard(AddressPolicy(), "http://10.1.2.3:4750");
  EXPECT_TRUE(guard.allows(*SocketAddress::from("10.1.2.3", 4750)));
  EXPECT_FALSE(guard.allows(*SocketAddress::from("10.1.2.3", 4751)));
  EXPECT_FALSE(guard.allows(*SocketAddress::from("10.1.2.4", 4750)));
  EXPECT_FALSE(guard.allows(*SocketAddress::from("8.8.8.8", 443)));
}

TEST(AddressGuardTest, RefusesAnUnusableProxy) {
  for (const char* proxy : {"", "proxy", "socks5://proxy:1080", "http://proxy"}) {
    EXPECT_THROW(AddressGuard(AddressPolicy(), proxy), std::invalid_argument) << proxy;
  }
}

TEST(AddressGuardTest, WritesAddressesLikeUrls) {
  EXPECT_EQ(SocketAddress::from("203.0.113.7", 443)->text(), "203.0.113.7:443");
  EXPECT_EQ(SocketAddress::from("2001:db8::1", 443)->text(), "[2001:db8::1]:443");
  EXPECT_EQ(SocketAddress::from("fe80::1%eth0", 443), std::nullopt);
}

}  // namespace
}  // namespace sealpost
