// What the sender does with connections, as a real server sees it: nginx.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "dispatcher/curl_http_sender.h"
#include "dispatcher/curl_http_sender_shares.h"
#include "tests/dispatcher/certificates.h"
#include "tests/dispatcher/nginx_receiver.h"
#include "tests/dispatcher/sender_fixture.h"

namespace sealpost {
namespace {

class CurlConnectionsTest : public SenderTest {
 protected:
  using Seen = NginxReceiver::Seen;

  CurlConnectionsTest() { use(options()); }

  static CurlSenderOptions options() {
    CurlSenderOptions options = local_options();
    options.ca_file = certificates().path("ca.pem");
    return options;
  }

  // Sends to all of them side by side; every one must be answered.
  std::vector<Seen> see(const std::vector<std::string>& urls) {
    for (const std::string& url : urls) sender_->start(0, request_to(url));
    std::vector<Seen> all;
    for (const FinishedRequest& finished : wait_for(urls.size())) {
      const AttemptOutcome& outcome = finished.outcome;
      EXPECT_EQ(outcome.status_code, 200) << outcome.error_detail;
      if (outcome.status_code == 200) all.push_back(NginxReceiver::seen(outcome.response_body));
    }
    return all;
  }
  Seen see(const std::string& url) {
    const std::vector<Seen> all = see(std::vector<std::string>{url});
    return all.empty() ? Seen{} : all.front();
  }

  static std::set<int> connections(const std::vector<Seen>& all) {
    std::set<int> numbers;
    for (const Seen& seen : all) numbers.insert(seen.connection);
    return numbers;
  }
};

TEST_F(CurlConnectionsTest, SpeaksHttp2WhereItIsOffered) {
  NginxReceiver receiver;
  for (int i = 1; i <= 20; ++i) {
    const Seen seen = see(receiver.url());
    EXPECT_EQ(seen.protocol, "HTTP/2.0");
    EXPECT_EQ(seen.requests, i) << "all on one connection";
  }
}

TEST_F(CurlConnectionsTest, SpeaksHttp11WhereNothingElseIsOffered) {
  NginxReceiver receiver({.http2 = false});
  for (int i = 1; i <= 20; ++i) {
    const Seen seen = see(receiver.url());
    EXPECT_EQ(seen.protocol, "HTTP/1.1");
    EXPECT_EQ(seen.requests, i) << "all on one connection";
  }
}

TEST_F(CurlConnectionsTest, SendsOneRequestAtATimeOnAnHttp2Connection) {
  NginxReceiver receiver;
  const std::vector<std::string> urls(16, receiver.url());
  const std::set<int> first = connections(see(urls));
  EXPECT_EQ(first.size(), urls.size());
  const std::set<int> second = connections(see(urls));
  EXPECT_TRUE(std::ranges::includes(first, second)) << "the same ones are used again";
}

// A server ends an HTTP/2 connection by GOAWAY and ignores what comes after it. (With several
// requests at a time on a connection libcurl 7.88.1 lost a third of them here.)
TEST_F(CurlConnectionsTest, LosesNothingWhenTheServerEndsHttp2Connections) {
  NginxReceiver receiver({.keepalive_requests = 10});
  const std::vector<std::string> urls(16, receiver.url());
  int most = 0;
  for (int i = 0; i < 30; ++i) {
    for (const Seen& seen : see(urls)) most = std::max(most, seen.requests);
  }
  EXPECT_EQ(most, 10);
}

TEST_F(CurlConnectionsTest, JudgesAKeptHttp2ConnectionAgain) {
  NginxReceiver receiver;
  EXPECT_EQ(see(receiver.url()).protocol, "HTTP/2.0");
  sender_->replace_address_policy(AddressPolicy());
  EXPECT_EQ(send(receiver.url()).error, AttemptError::blocked_by_policy);
  sender_->replace_address_policy(loopback_allowed());
  EXPECT_EQ(see(receiver.url()).protocol, "HTTP/2.0");
}

// Two names, one address, one certificate for both: HTTP/2 would allow to use one connection.
TEST_F(CurlConnectionsTest, DoesNotShareAConnectionBetweenNames) {
  NginxReceiver receiver;
  const Seen a = see(receiver.url("a.test.localhost"));
  const Seen b = see(receiver.url("b.test.localhost"));
  EXPECT_NE(a.connection, b.connection);
}

TEST_F(CurlConnectionsTest, UsesNoConnectionThatIsTooOld) {
  CurlSenderOptions short_lived = options();
  short_lived.connection_lifetime = std::chrono::seconds(1);
  use(short_lived);
  for (const bool http2 : {true, false}) {
    NginxReceiver receiver({.http2 = http2, .keepalive_requests = 1'000'000});
    const MonotonicTime began = clock_.monotonic_now();
    const Seen first = see(receiver.url());
    Seen seen = first;
    while (seen.connection == first.connection) seen = see(receiver.url());
    const auto age = clock_.monotonic_now() - began;
    EXPECT_GE(age, std::chrono::seconds(1)) << "a younger one is used again";
    EXPECT_LE(age, std::chrono::seconds(5));  // libcurl counts whole seconds: 2
    EXPECT_TRUE(seen.resumed) << "the TLS session outlives the connection";
  }
}

// The first handle is busy with another receiver when the second connection is made.
TEST_F(CurlConnectionsTest, ResumesTheTlsSessionWhicheverHandleConnects) {
  for (const bool http2 : {true, false}) {
    SCOPED_TRACE(http2 ? "HTTP/2" : "HTTP/1.1");
    use(options());
    NginxReceiver other({.http2 = http2});
    NginxReceiver receiver({.http2 = http2, .keepalive_requests = 1});
    EXPECT_FALSE(see(receiver.url()).resumed);
    sender_->start(0, request_to(other.url()));
    sender_->start(1, request_to(receiver.url()));
    for (const FinishedRequest& finished : wait_for(2)) {
      const Seen seen = NginxReceiver::seen(finished.outcome.response_body);
      EXPECT_EQ(seen.requests, 1);
      EXPECT_EQ(seen.resumed, finished.tag == 1);
    }
  }
}

TEST_F(CurlConnectionsTest, ResumesTlsSessionsOfManyReceivers) {
  constexpr int kHosts = 100;
  NginxReceiver receiver({.keepalive_requests = 1});
  int resumed = 0;
  for (int i = 0; i < 2 * kHosts; ++i) {
    const Seen seen = see(receiver.url("h" + std::to_string(i % kHosts) + ".test.localhost"));
    EXPECT_EQ(seen.requests, 1);
    if (i >= kHosts && seen.resumed) ++resumed;
  }
  EXPECT_GE(resumed, kHosts * 9 / 10);
}

TEST(CurlSharesTest, ThousandsOfRequestsToOneReceiverShareNoSingleSet) {
  CurlShares shares;
  std::vector<CurlShares::Share*> taken;
  for (int i = 0; i < 10 * kRequestsPerShare; ++i) {
    taken.push_back(&shares.take("https://busy.example/" + std::to_string(i)));
    EXPECT_LE(taken.back()->requests, kRequestsPerShare);
  }
  for (CurlShares::Share* share : taken) --share->requests;
  EXPECT_EQ(&shares.take("https://busy.example/again"), taken.front())
      << "its connections are kept";
}

TEST_F(CurlConnectionsTest, KeepsNoMoreConnectionsThanItMay) {
  constexpr int kHosts = 2'000;
  constexpr int kAtOnce = 8;
  CurlSenderOptions few = options();
  few.max_connections = 64;
  use(few);
  NginxReceiver receiver;
  int most = 0;
  for (int i = 0; i < kHosts; i += kAtOnce) {
    std::vector<std::string> urls;
    for (int host = i; host < i + kAtOnce; ++host) {
      urls.push_back(receiver.plain_url("h" + std::to_string(host) + ".test.localhost"));
    }
    for (const Seen& seen : see(urls)) most = std::max(most, seen.open_connections);
  }
  EXPECT_GE(most, few.max_connections);
  // nginx may see a new connection before the end of an old one.
  EXPECT_LE(most, few.max_connections + static_cast<int>(kReceiverShares) + kAtOnce);
  // By itself: of several at once in one set only the last to end is kept.
  const int before = see(receiver.plain_url("h1999.test.localhost")).requests;
  EXPECT_EQ(see(receiver.plain_url("h1999.test.localhost")).requests, before + 1)
      << "the newest one is kept";
}

}  // namespace
}  // namespace sealpost
