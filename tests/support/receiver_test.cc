// The receiver is the evidence of the end-to-end tests, so it has to be right itself.
#include "tests/support/receiver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "tests/support/http_request_parser.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

// Writes bytes as they are and reads until the peer closes or the text came.
std::string talk(int port, const std::vector<std::string>& pieces, const std::string& until) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(0, connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
  for (const std::string& piece : pieces) {
    EXPECT_EQ(static_cast<ssize_t>(piece.size()), send(fd, piece.data(), piece.size(), 0));
  }
  std::string answer;
  char buffer[4096];
  while (answer.find(until) == std::string::npos) {
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  close(fd);
  return answer;
}

TEST(ReceiverTest, RecordsARequestWithItsAnswer) {
  Receiver receiver;
  httplib::Client http("127.0.0.1", receiver.port());
  const auto result = http.Post("/a?b=c", {{"Webhook-Id", "evt_1"}}, "hello", "text/plain");
  ASSERT_TRUE(result);
  EXPECT_EQ(200, result->status);

  const Ledger ledger = receiver.ledger();
  ASSERT_EQ(1U, ledger.requests());
  const LedgerEntry& entry = ledger.entries().front();
  EXPECT_EQ("POST", entry.method);
  EXPECT_EQ("/a?b=c", entry.path);
  EXPECT_EQ("evt_1", entry.header("webhook-id"));
  EXPECT_EQ("hello", entry.body);
  EXPECT_TRUE(entry.accepted());
  EXPECT_LE(entry.began_at, entry.complete_at);
  EXPECT_LE(entry.complete_at, entry.answered_at);
}

TEST(ReceiverTest, AnswersInTurnAndRepeatsTheLast) {
  Receiver receiver;
  receiver.on(
      "/a", {{.status = 503, .headers = {{"Retry-After", "7"}}}, {.status = 410, .body = "gone"}});
  httplib::Client http("127.0.0.1", receiver.port());
  http.set_keep_alive(true);
  const auto first = http.Post("/a");
  ASSERT_TRUE(first);
  EXPECT_EQ(503, first->status);
  EXPECT_EQ("7", first->get_header_value("Retry-After"));
  for (int i = 0; i < 2; ++i) {
    const auto next = http.Post("/a");
    ASSERT_TRUE(next);
    EXPECT_EQ(410, next->status);
    EXPECT_EQ("gone", next->body);
  }
  EXPECT_EQ(200, http.Post("/other")->status);
  EXPECT_EQ(3U, receiver.ledger().requests_to("/a"));
  EXPECT_EQ(1U, receiver.ledger().accepted());
}

TEST(ReceiverTest, ReadsAChunkedBodyInAnyPieces) {
  Receiver receiver;
  const std::string head = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::string> pieces{head + "5\r", "\nhel", "lo\r\n1;x=y\r\n!\r\n", "0\r\n\r\n"};
  EXPECT_NE(std::string::npos, talk(receiver.port(), pieces, "\r\n\r\n").find("200"));
  EXPECT_EQ("hello!", receiver.ledger().entries().at(0).body);
}

TEST(ReceiverTest, RefusesTwoLengths) {
  Receiver receiver;
  const std::string request =
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  EXPECT_EQ("", talk(receiver.port(), {request}, "\r\n\r\n"));
  EXPECT_EQ(0U, receiver.requests());
}

TEST(ReceiverTest, DelaysAnAnswerAndNothingElse) {
  Receiver receiver;
  receiver.on("/slow", {{.delay = 200ms}});
  httplib::Client http("127.0.0.1", receiver.port());
  auto slow = std::async(std::launch::async, [&] {
    return httplib::Client("127.0.0.1", receiver.port()).Post("/slow")->status;
  });
  ASSERT_TRUE(receiver.wait_for_requests(1, 5s));
  EXPECT_EQ(200, http.Post("/fast")->status);
  EXPECT_EQ(200, slow.get());
  const Ledger ledger = receiver.ledger();
  EXPECT_GE(ledger.entries()[0].answered_at - ledger.entries()[0].complete_at, 200ms);
  EXPECT_LT(ledger.entries()[1].answered_at, ledger.entries()[0].answered_at);
}

TEST(ReceiverTest, HoldsUntilReleased) {
  Receiver receiver;
  receiver.on("/h", {{.kind = Answer::Kind::hold, .status = 202}});
  auto held = std::async(std::launch::async, [&] {
    return httplib::Client("127.0.0.1", receiver.port()).Post("/h")->status;
  });
  ASSERT_TRUE(receiver.wait_for_held(1, 5s));
  EXPECT_FALSE(receiver.ledger().entries().at(0).status);
  receiver.release_held();
  EXPECT_EQ(202, held.get());
}

TEST(ReceiverTest, ClosesResetsAndStallsWithoutAnAcceptedAnswer) {
  Receiver receiver;
  receiver.on("/close", {{.kind = Answer::Kind::close}});
  receiver.on("/reset", {{.kind = Answer::Kind::reset}});
  receiver.on("/stall", {{.kind = Answer::Kind::stall, .body = "0123456789"}});
  const auto request = [](const std::string& path) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
  };
  EXPECT_EQ("", talk(receiver.port(), {request("/close")}, "\r\n\r\n"));
  EXPECT_EQ("", talk(receiver.port(), {request("/reset")}, "\r\n\r\n"));
  const std::string stalled = talk(receiver.port(), {request("/stall")}, "01234");
  EXPECT_NE(std::string::npos, stalled.find("Content-Length: 10"));
  EXPECT_EQ(std::string::npos, stalled.find("56789"));
  EXPECT_EQ(3U, receiver.requests());
  EXPECT_EQ(0U, receiver.ledger().accepted());
}

TEST(ReceiverTest, CountsTheSameDeliveryOnce) {
  Receiver receiver(Recording::ids);
  httplib::Client http("127.0.0.1", receiver.port());
  for (const char* key : {"wh_evt_1-retry-1", "wh_evt_1-retry-1", "wh_evt_1-retry-2"}) {
    ASSERT_TRUE(http.Post("/a", {{"Idempotency-Key", key}}, "body", "text/plain"));
  }
  const Ledger ledger = receiver.ledger();
  EXPECT_EQ(3U, ledger.accepted());
  EXPECT_EQ(2U, ledger.distinct_accepted());
  EXPECT_EQ("", ledger.entries()[0].body);
}

TEST(HttpRequestParserTest, NeedsEveryByte) {
  const std::string whole = "POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
  ParsedRequest request;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(ParseResult::incomplete, parse_http_request(whole.substr(0, size), request)) << size;
  }
  ASSERT_EQ(ParseResult::complete, parse_http_request(whole + "POST", request));
  EXPECT_EQ(whole.size(), request.size);
  EXPECT_EQ("abc", request.body);
  EXPECT_TRUE(request.keep_alive);
}

}  // namespace
}  // namespace sealpost
