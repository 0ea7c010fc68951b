// What is sent, and how answers are read.
#include "dispatcher/curl_http_sender.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/dispatcher/scripted_server.h"
#include "tests/dispatcher/sender_fixture.h"

namespace sealpost {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using CurlHttpSenderTest = SenderTest;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(CurlHttpSenderTest, SendsExactlyTheGivenBytes) {
  std::promise<std::string> seen;
  ScriptedServer server([&](Connection& connection) {
    seen.set_value(connection.read_request().value_or("nothing"));
    connection.send(kOk);
  });
  HttpRequest request = request_to(server.url("/a/../b?c=%20d"));
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.body = std::string("{\"n\":1.0}\0\xff", 11);
  const AttemptOutcome outcome = send(request);
  EXPECT_EQ(outcome.status_code, 200);
  EXPECT_EQ(seen.get_future().get(),
            "POST /a/../b?c=%20d HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nAccept: */*\r\nContent-Type: application/json\r\nX-Empty:\r\n"
                "Content-Length: 11\r\n\r\n" +
                request.body);
}

TEST_F(CurlHttpSenderTest, AsksByOptionsWithoutABodyAndKeepsWhatConsents) {
  std::promise<std::string> seen;
  ScriptedServer server([&](Connection& connection) {
    connection.read_request();
    connection.send(kOk);
    seen.set_value(connection.read_request().value_or("nothing"));
    connection.send(
        "HTTP/1.1 204 No Content\r\nWEBHOOK-allowed-origin:  a.example \r\n"
        "WebHook-Allowed-Rate: 5\r\nX-Other: 1\r\n\r\n");
    EXPECT_THAT(connection.read_request().value_or("nothing"), testing::StartsWith("POST / "));
    connection.send("HTTP/1.1 200 OK\r\nWebHook-Allowed-Rate: 5\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_TRUE(send(server.url()).succeeded());
  HttpRequest question = request_to(server.url());
  question.method = HttpMethod::options;
  question.headers = {{"WebHook-Request-Origin", "b.example"}};
  question.body.clear();
  const AttemptOutcome outcome = send(question);
  EXPECT_EQ(seen.get_future().get(),
            "OPTIONS / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nAccept: */*\r\n"
                "WebHook-Request-Origin: b.example\r\n\r\n");
  EXPECT_EQ(outcome.status_code, 204);
  ASSERT_EQ(outcome.consent_headers.size(), 2U);
  EXPECT_EQ(outcome.consent_headers[0].name, "webhook-allowed-origin");
  EXPECT_EQ(outcome.consent_headers[0].value, "a.example");
  EXPECT_EQ(outcome.consent_headers[1].value, "5");
  EXPECT_TRUE(send(server.url()).consent_headers.empty()) << "of a delivery nobody asks";
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlHttpSenderTest, ReportsAnswerAddressAndTimes) {
  ScriptedServer server(always(kOk));
  const AttemptOutcome outcome = send(server.url());
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.response_body, "ok");
  EXPECT_FALSE(outcome.response_truncated);
  EXPECT_EQ(outcome.remote_address, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_GT(outcome.phases.connect.count(), 0);
  EXPECT_GT(outcome.phases.first_byte.count(), 0);
  EXPECT_EQ(outcome.phases.tls.count(), 0);
  EXPECT_GE(outcome.duration, outcome.phases.first_byte);
}

TEST_F(CurlHttpSenderTest, KeepsMoreOfAnAnswerThatMayBeEncrypted) {
  constexpr std::size_t kLong = kMaxSealedResponse - 1;
  const auto answer = [](std::size_t size, const std::string& type) {
    return "HTTP/1.1 200 OK\r\nContent-Type: " + type +
           "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
  };
  const auto outcome_of = [this](const std::string& text, bool sealed) {
    ScriptedServer server(always(text));
    HttpRequest request = request_to(server.url());
    if (sealed) request.sealed_session = std::make_shared<const SealedSession>();
    return send(request);
  };
  const std::string type = "Application/JOSE+json; charset=utf-8";
  const AttemptOutcome whole = outcome_of(answer(kLong, type), true);
  EXPECT_EQ(whole.response_body.size(), kLong);
  EXPECT_FALSE(whole.response_truncated);
  EXPECT_TRUE(whole.response_is_packet);
  const AttemptOutcome too_long = outcome_of(answer(kMaxSealedResponse + 1, type), true);
  EXPECT_EQ(too_long.response_body.size(), kMaxSealedResponse);
  EXPECT_TRUE(too_long.response_truncated);
  EXPECT_FALSE(outcome_of(answer(10, "text/plain"), true).response_is_packet);
  EXPECT_FALSE(outcome_of(kOk, true).response_is_packet);
  const AttemptOutcome usual = outcome_of(answer(kLong, type), false);
  EXPECT_EQ(usual.response_body.size(), kStoredResponseBytes);
  EXPECT_FALSE(usual.response_is_packet);
}

TEST_F(CurlHttpSenderTest, SendsALargeBodyWithoutWaitingForContinue) {
  std::promise<std::string> seen;
  ScriptedServer server([&](Connection& connection) {
    seen.set_value(connection.read_request().value_or("nothing"));
    connection.send(kOk);
  });
  HttpRequest request = request_to(server.url());
  request.body.assign(2 << 20, 'x');
  EXPECT_EQ(send(request).status_code, 200);
  const std::string got = seen.get_future().get();
  EXPECT_THAT(got.substr(0, 300), Not(HasSubstr("Expect")));
  EXPECT_TRUE(got.ends_with(request.body));
}

TEST_F(CurlHttpSenderTest, KeepsTheConnection) {
  ScriptedServer server(always(kOk));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(send(server.url()).status_code, 200);
  EXPECT_EQ(server.connections(), 1);
  const AttemptOutcome reused = send(server.url());
  EXPECT_EQ(reused.phases.connect.count(), 0);
  EXPECT_EQ(reused.phases.dns.count(), 0);
  EXPECT_FALSE(reused.remote_address.empty());
}

TEST_F(CurlHttpSenderTest, SendsManySideBySide) {
  std::atomic<int> waiting{0};
  std::promise<void> all_are_there;
  std::shared_future<void> released = all_are_there.get_future().share();
  ScriptedServer server([&](Connection& connection) {
    connection.read_request();
    if (++waiting == 50) all_are_there.set_value();
    released.wait();
    connection.send(kOk);
  });
  for (std::uint64_t tag = 0; tag < 50; ++tag) sender_->start(tag, request_to(server.url()));
  EXPECT_EQ(sender_->in_flight(), 50);
  std::vector<std::uint64_t> tags;
  for (const FinishedRequest& finished : wait_for(50)) {
    EXPECT_EQ(finished.outcome.status_code, 200);
    tags.push_back(finished.tag);
  }
  std::sort(tags.begin(), tags.end());
  for (std::uint64_t tag = 0; tag < 50; ++tag) EXPECT_EQ(tags[tag], tag);
}

TEST_F(CurlHttpSenderTest, WakeEndsAPollFromAnotherThread) {
  std::thread waker([&] { sender_->wake(); });
  std::vector<FinishedRequest> finished;
  const MonotonicTime before = clock_.monotonic_now();
  sender_->poll(std::chrono::seconds(20), finished);
  EXPECT_LT(clock_.monotonic_now() - before, std::chrono::seconds(10));
  EXPECT_THAT(finished, IsEmpty());
  waker.join();
}

TEST_F(CurlHttpSenderTest, DoesNotFollowRedirects) {
  ScriptedServer elsewhere(always(kOk));
  ScriptedServer server(always("HTTP/1.1 307 Temporary Redirect\r\nLocation: " + elsewhere.url() +
                               "\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(send(server.url()).status_code, 307);
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(CurlHttpSenderTest, RefusesToSendALineBreakInAHeader) {
  ScriptedServer server(always(kOk));
  const std::string values[] = {"a\r\nX-Injected: 1", "a\nb", "a\rb", std::string("a\0b", 3)};
  for (const std::string& value : values) {
    HttpRequest request = request_to(server.url());
    request.headers.push_back({"X-Custom", value});
    EXPECT_EQ(send(request).error, AttemptError::internal);
    request.headers.back() = {value, "x"};
    EXPECT_EQ(send(request).error, AttemptError::internal);
  }
  EXPECT_EQ(server.connections(), 0);
  EXPECT_EQ(send(server.url()).status_code, 200) << "the handle works on";
}

TEST_F(CurlHttpSenderTest, DoesNotDecompress) {
  ScriptedServer server(always(
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x01"));
  EXPECT_EQ(send(server.url()).response_body, "\x1f\x8b\x08\x01");
}

// --- Retry-After ---------------------------------------------------------------------------------

TEST_F(CurlHttpSenderTest, ReadsRetryAfter) {
  const std::pair<const char*, std::optional<Milliseconds>> cases[] = {
      {"retry-after: 0", Milliseconds{0}},
      {"Retry-After:   17  ", Milliseconds{17'000}},
      {"RETRY-AFTER: 99999999999999999999", Milliseconds{kMaxRetryAfter}},
      {"Retry-After: Thu, 01 Jan 2015 00:00:00 GMT", Milliseconds{0}},
      {"Retry-After: Fri, 31 Dec 2100 23:59:59 GMT", Milliseconds{kMaxRetryAfter}},
      {"Retry-After: soon", std::nullopt},
      {"Retry-After:", std::nullopt},
      {"X-Retry-After: 5", std::nullopt},
  };
  for (const auto& [header, expected] : cases) {
    ScriptedServer server(
        always("HTTP/1.1 503 Busy\r\n" + std::string(header) + "\r\nContent-Length: 0\r\n\r\n"));
    const AttemptOutcome outcome = send(server.url());
    EXPECT_EQ(outcome.status_code, 503);
    EXPECT_EQ(outcome.retry_after, expected) << header;
  }
}

TEST_F(CurlHttpSenderTest, TakesRetryAfterOnlyFromTheFinalResponse) {
  ScriptedServer server(
      always("HTTP/1.1 103 Early Hints\r\nRetry-After: 60\r\n\r\n"
             "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
  const AttemptOutcome outcome = send(server.url());
  EXPECT_EQ(outcome.status_code, 503);
  EXPECT_EQ(outcome.retry_after, std::nullopt);
}

// --- limits --------------------------------------------------------------------------------------

TEST_F(CurlHttpSenderTest, StopsReadingAnEndlessBody) {
  ScriptedServer server([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
    while (connection.send(chunk)) {
    }
  });
  const AttemptOutcome outcome = send(server.url());
  EXPECT_EQ(outcome.status_code, 200);
  EXPECT_EQ(outcome.response_body, std::string(kStoredResponseBytes, 'x'));
  EXPECT_TRUE(outcome.response_truncated);
}

TEST_F(CurlHttpSenderTest, ReadsABodyUpToTheLimitAndKeepsTheConnection) {
  const std::string body(kReadResponseBytes, 'y');
  ScriptedServer server(always(
      "HTTP/1.1 500 Oops\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
  const AttemptOutcome outcome = send(server.url());
  EXPECT_EQ(outcome.status_code, 500);
  EXPECT_EQ(outcome.response_body.size(), kStoredResponseBytes);
  EXPECT_TRUE(outcome.response_truncated);
  send(server.url());
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlHttpSenderTest, SettlesAfterTheHeadersWhenTheBodyNeverEnds) {
  ScriptedServer server([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\npart");
    connection.wait_until_closed();
  });
  HttpRequest request = request_to(server.url());
  request.timeout = std::chrono::seconds(60);
  const AttemptOutcome outcome = send(request);
  EXPECT_EQ(outcome.status_code, 202);
  EXPECT_EQ(outcome.response_body, "part");
  EXPECT_TRUE(outcome.response_truncated);
  EXPECT_GE(outcome.duration, kResponseBodyTime);
  EXPECT_LT(outcome.duration, std::chrono::seconds(20));
}

TEST_F(CurlHttpSenderTest, TheStatusDecidesWhenTheBodyBreaksOff) {
  ScriptedServer server([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
  });
  const AttemptOutcome outcome = send(server.url());
  EXPECT_EQ(outcome.status_code, 200);
  EXPECT_TRUE(outcome.response_truncated);
}

TEST_F(CurlHttpSenderTest, RefusesAFloodOfHeaders) {
  ScriptedServer server([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n");
    const std::string header = "X-Flood: " + std::string(1000, 'f') + "\r\n";
    while (connection.send(header)) {
    }
  });
  EXPECT_EQ(send(server.url()).error, AttemptError::bad_response);
}

TEST_F(CurlHttpSenderTest, CountsInterimResponsesAsHeaders) {
  ScriptedServer server([](Connection& connection) {
    connection.read_request();
    while (connection.send("HTTP/1.1 102 Processing\r\n\r\n")) {
    }
  });
  EXPECT_EQ(send(server.url()).error, AttemptError::bad_response);
}

TEST_F(CurlHttpSenderTest, InterimResponsesDoNotHoldOffTheTimeout) {
  ScriptedServer server([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
    connection.wait_until_closed();
  });
  HttpRequest request = request_to(server.url());
  request.timeout = Milliseconds{300};
  EXPECT_EQ(send(request).error, AttemptError::timeout);
}

// --- failures ------------------------------------------------------------------------------------

TEST_F(CurlHttpSenderTest, TimesOutWhenNoAnswerComes) {
  ScriptedServer server([](Connection& connection) { connection.wait_until_closed(); });
  HttpRequest request = request_to(server.url("/secret?token=abc"));
  request.timeout = Milliseconds{200};
  const AttemptOutcome outcome = send(request);
  EXPECT_EQ(outcome.error, AttemptError::timeout);
  EXPECT_GE(outcome.duration, Milliseconds{200});
  EXPECT_THAT(outcome.error_detail, Not(IsEmpty()));
  EXPECT_THAT(outcome.error_detail, Not(HasSubstr("token")));
}

TEST_F(CurlHttpSenderTest, ReportsARefusedConnection) {
  int port = 0;
  {
    ScriptedServer server(always(kOk));
    port = server.port();
  }
  const AttemptOutcome outcome = send("http://127.0.0.1:" + std::to_string(port) + "/");
  EXPECT_EQ(outcome.error, AttemptError::connect);
  EXPECT_THAT(outcome.remote_address, IsEmpty());
}

TEST_F(CurlHttpSenderTest, ReportsAConnectionClosedWithoutAnAnswer) {
  ScriptedServer server([](Connection& connection) { connection.read_request(); });
  EXPECT_EQ(send(server.url()).error, AttemptError::connection_lost);
}

TEST_F(CurlHttpSenderTest, ReportsWhatIsNotHttp) {
  ScriptedServer server([](Connection& connection) {
    connection.read_request();
    connection.send("220 smtp.example ESMTP\r\n");
  });
  EXPECT_EQ(send(server.url()).error, AttemptError::bad_response);
}

// libcurl would send the second request a second time, over a new connection, and report success.
TEST_F(CurlHttpSenderTest, NeverSendsARequestAgainOnItsOwn) {
  std::atomic<int> requests{0};
  ScriptedServer server([&](Connection& connection) {
    while (connection.read_request()) {
      ++requests;
      if (connection.number() == 1 && requests == 2) return;  // worked on it, and died
      connection.send(kOk);
    }
  });
  EXPECT_EQ(send(server.url()).status_code, 200);
  const AttemptOutcome lost = send(server.url());
  EXPECT_EQ(lost.error, AttemptError::connection_lost);
  EXPECT_EQ(requests, 2) << "libcurl may connect again, but not send";
  EXPECT_EQ(send(server.url()).status_code, 200);
  EXPECT_EQ(requests, 3);
}

TEST_F(CurlHttpSenderTest, UsesANewConnectionWhenTheKeptOneWasClosedInTheMeantime) {
  std::promise<void> closed;
  ScriptedServer server([&](Connection& connection) {
    connection.read_request();
    connection.send(kOk);
    if (connection.number() > 1) return;
    connection.end();
    closed.set_value();
  });
  EXPECT_EQ(send(server.url()).status_code, 200);
  closed.get_future().wait();
  EXPECT_EQ(send(server.url()).status_code, 200);
  EXPECT_EQ(server.connections(), 2);
}

}  // namespace
}  // namespace sealpost
