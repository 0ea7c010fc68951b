#include "cli/captured_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/cli/scratch_directory.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string refusal_of(std::string_view raw) {
  try {
    parse_raw_request(raw);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

TEST(CapturedRequestTest, KeepsTheBodyByteForByte) {
  const ReceivedRequest request = parse_raw_request(
      "POST /hooks HTTP/1.1\r\nWebhook-Id: evt_1\r\nX:a:b \r\n\r\n{\"a\":1}\r\n\r\n");
  EXPECT_THAT(request.headers, ElementsAre(Pair("webhook-id", "evt_1"), Pair("x", "a:b")));
  EXPECT_EQ(request.body, "{\"a\":1}\r\n\r\n");
}

TEST(CapturedRequestTest, AcceptsPlainNewlines) {
  const ReceivedRequest request = parse_raw_request("webhook-id: evt_1\n\nbody");
  EXPECT_THAT(request.headers, ElementsAre(Pair("webhook-id", "evt_1")));
  EXPECT_EQ(request.body, "body");
  // The first empty line counts, even if the body has one of the other kind.
  EXPECT_EQ(parse_raw_request("a: b\n\nbody\r\n\r\nmore").body, "body\r\n\r\nmore");
}

TEST(CapturedRequestTest, NamesTheLineThatIsNoHeader) {
  EXPECT_THAT(refusal_of("POST / HTTP/1.1\na: b\nnonsense\n\n"), HasSubstr("line 3"));
  EXPECT_THAT(refusal_of("a: b"), HasSubstr("no empty line"));
}

TEST(CapturedRequestTest, ShowsNothingThatATerminalWouldObey) {
  EXPECT_THAT(refusal_of("POST / HTTP/1.1\n\x1b[2J\n\n"), Not(HasSubstr("\x1b")));
}

TEST(CapturedRequestTest, ReadsTimesWithAndWithoutFraction) {
  EXPECT_EQ(parse_rfc3339_utc("1970-01-01T00:00:01Z"), WallTime(std::chrono::seconds(1)));
  EXPECT_EQ(parse_rfc3339_utc("1970-01-01T00:00:01.25Z"), WallTime(Milliseconds(1250)));
  for (const char* wrong :
       {"1970-01-01", "1970-01-01T00:00:01", "1970-01-01T00:00:01+01:00", "now", ""}) {
    EXPECT_EQ(parse_rfc3339_utc(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(rfc3339_utc(WallTime(Milliseconds(1250))), "1970-01-01T00:00:01.250Z");
}

TEST(CapturedRequestTest, ReadsAnEventsTimeFromItsId) {
  // 01ARYZ6S41 is the example of the ULID specification: 1469918176385 ms.
  EXPECT_EQ(time_of_event("evt_01ARYZ6S41TSV4RRFFQ69G5FAV"), WallTime(Milliseconds(1469918176385)));
  EXPECT_EQ(time_of_event("msg_01ARYZ6S41TSV4RRFFQ69G5FAV"), std::nullopt);
  EXPECT_EQ(time_of_event("evt_1"), std::nullopt);
}

TEST(CapturedRequestTest, TheUrlIsThatOfTheRequestLineAndHost) {
  EXPECT_EQ(parse_raw_request("POST /a?b=1 HTTP/1.1\r\nHost: example.com\r\n\r\n").url,
            "https://example.com/a?b=1");
  EXPECT_EQ(parse_raw_request("POST /a HTTP/1.1\r\nX: y\r\n\r\n").url, "");
  EXPECT_EQ(parse_raw_request("Host: example.com\n\n").url, "");
}

TEST(CapturedRequestTest, AProfileIsAPresetOrAFile) {
  const ScratchDirectory directory;
  EXPECT_EQ(read_profile("github").name, "github");
  const std::string good =
      directory.file("good.json", R"({"alg": "hmac-sha512", "content": "{body}"})");
  EXPECT_EQ(read_profile(good).algorithm, SignatureAlgorithm::hmac_sha512);
  const std::string bad = directory.file("bad.json", R"({"alg": "md5"})");
  EXPECT_THROW(read_profile(bad), std::runtime_error);
  EXPECT_THROW(read_profile("no-such-profile"), std::runtime_error);
}

}  // namespace
}  // namespace sealpost
