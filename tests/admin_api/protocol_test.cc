// HTTP itself: whatever arrives, the answer is a problem in JSON, and nobody can stop the API.
#include <zlib.h>

#include "core/storage_error.h"
#include "tests/admin_api/api_fixture.h"
#include "tests/admin_api/raw_socket.h"

namespace sealpost {
namespace {

class ProtocolTest : public ApiFixture {
 protected:
  // The answer to bytes that were sent as they are.
  Answer raw_answer(const std::string& bytes) const {
    const std::string text = raw(bytes);
    Answer answer;
    const auto end = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return answer;
    answer.status = std::stoi(text.substr(9, 3));
    std::istringstream lines(text.substr(0, end));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      if (line.ends_with('\r')) line.pop_back();
      answer.headers.emplace(line.substr(0, line.find(':')), line.substr(line.find(':') + 2));
    }
    answer.text = text.substr(end + 4);
    Json json = Json::parse(answer.text, nullptr, false);
    if (!json.is_discarded()) answer.json = std::move(json);
    return answer;
  }

  std::string head(const std::string& first_line, const std::string& more = "") const {
    return first_line + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + operator_ + "\r\n" +
           more;
  }

  static std::string with_body(const std::string& body) {
    return "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
};

TEST_F(ProtocolTest, UnknownPathsAreNotFound) {
  for (const char* path :
       {"/", "/v1", "/v1/", "/v1/webhook-endpoints/", "/v1/webhook-endpoints//enable",
        "/v1/deliveries/a/b", "/v2/events", "/V1/events", "/%2e%2e/etc/passwd"}) {
    expect_problem(get(path), 404, "not_found");
  }
}

TEST_F(ProtocolTest, AWrongMethodIsToldTheRightOnes) {
  const Answer answer = call("PUT", "/v1/webhook-endpoints/we_1", operator_, "{}");
  expect_problem(answer, 405, "method_not_allowed");
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD, PATCH, DELETE");
  expect_problem(call("POST", "/v1/events", operator_, "{}"), 405, "method_not_allowed");
  expect_problem(call("OPTIONS", "/v1/events", operator_), 405, "method_not_allowed");
  expect_problem(call("DELETE", "/metrics", ""), 405, "method_not_allowed");
}

TEST_F(ProtocolTest, HeadIsAnsweredLikeGetWithoutTheBody) {
  const Answer answer = raw_answer(head("HEAD /v1/events", "\r\n"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text, "");
  EXPECT_EQ(answer.header("Content-Length"), std::to_string(get("/v1/events").text.size()));
}

TEST_F(ProtocolTest, EchoesAVisibleRequestIdAndMakesOneOtherwise) {
  const auto id_for = [&](const std::string& given) {
    const Answer answer = call("GET", "/v1/events", operator_, "", {{"X-Request-Id", given}});
    return answer.header("X-Request-Id");
  };
  EXPECT_EQ(id_for("abc-123"), "abc-123");
  EXPECT_EQ(id_for(std::string(128, 'a')), std::string(128, 'a'));
  EXPECT_EQ(id_for(std::string(129, 'a')).substr(0, 4), "req_");
  EXPECT_EQ(id_for("with space").substr(0, 4), "req_");
  EXPECT_EQ(id_for("caf\xc3\xa9").substr(0, 4), "req_");
  const std::string made = get("/v1/events").header("X-Request-Id");
  EXPECT_EQ(made.size(), 4U + 26U);
  EXPECT_NE(made, get("/v1/events").header("X-Request-Id"));
}

TEST_F(ProtocolTest, OnlyJsonIsTaken) {
  const std::string body = endpoint_body().dump();
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                           "multipart/form-data; boundary=x", "multipart/form-data", ""}) {
    expect_problem(call("POST", "/v1/webhook-endpoints", operator_, body, {{"Content-Type", type}}),
                   415, "unsupported_media_type");
  }
  for (const char* type :
       {"application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"}) {
    EXPECT_EQ(
        call("POST", "/v1/webhook-endpoints", operator_, body, {{"Content-Type", type}}).status,
        201)
        << type;
  }
}

TEST_F(ProtocolTest, ACompressedBodyIsNotUnpacked) {
  std::string bomb(8 << 20, ' ');
  uLongf size = compressBound(bomb.size());
  std::string packed(size, '\0');
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(bomb.data()), bomb.size()),
            Z_OK);
  packed.resize(size);
  for (const char* encoding : {"gzip", "deflate", "br", "identity, gzip"}) {
    const Answer answer =
        raw_answer(head("POST /v1/webhook-endpoints",
                        std::string("Content-Encoding: ") + encoding + "\r\n" + with_body(packed)));
    expect_problem(answer, 415, "unsupported_media_type");
  }
}

TEST_F(ProtocolTest, ABodyOverTheLimitIsRefused) {
  const std::string body(kMaxApiBodyBytes + 1, ' ');
  expect_problem(call("POST", "/v1/webhook-endpoints", operator_, body), 413, "body_too_large");
  const std::string fits = endpoint_body().dump() + std::string(kMaxApiBodyBytes - 200, ' ');
  EXPECT_EQ(call("POST", "/v1/webhook-endpoints", operator_, fits).status, 201);
}

TEST_F(ProtocolTest, AChunkedBodyHasTheSameLimit) {
  std::string chunks = head("POST /v1/webhook-endpoints",
                            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) chunks += "100000\r\n" + std::string(1 << 20, ' ') + "\r\n";
  expect_problem(raw_answer(chunks + "0\r\n\r\n"), 413, "body_too_large");

  const std::string body = endpoint_body().dump();
  std::ostringstream size;
  size << std::hex << body.size();
  const Answer answer =
      raw_answer(head("POST /v1/webhook-endpoints",
                      "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n") +
                 size.str() + "\r\n" + body + "\r\n0\r\n\r\n");
  EXPECT_EQ(answer.status, 201) << answer.text;
}

TEST_F(ProtocolTest, MethodsWithoutABodyDoNotWaitForOne) {
  const std::string id = make_endpoint().at("id");
  const Answer disabled = raw_answer(head("POST /v1/webhook-endpoints/" + id + "/disable", "\r\n"));
  EXPECT_EQ(disabled.status, 200) << disabled.text;
  const Answer deleted = raw_answer(head("DELETE /v1/webhook-endpoints/" + id, "\r\n"));
  EXPECT_EQ(deleted.status, 204) << deleted.text;
}

TEST_F(ProtocolTest, WhatIsNotHttpIsAProblemToo) {
  const std::string refused[] = {
      "hello\r\n\r\n",
      "GET /v1/events HTTP/9.9\r\n\r\n",
      "BREW /v1/events HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\nX: " + std::string(9000, 'a') + "\r\n\r\n",
  };
  for (const std::string& bytes : refused) {
    const Answer answer = raw_answer(bytes);
    EXPECT_GE(answer.status, 400) << bytes.substr(0, 40);
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << bytes.substr(0, 40);
    EXPECT_TRUE(answer.json.is_object() && answer.json.contains("code")) << answer.text;
  }
}

TEST_F(ProtocolTest, HeadersTogetherHaveALimit) {
  std::string bytes = "GET /v1/events HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 1000; ++i)
    bytes += "X-" + std::to_string(i) + ": " + std::string(40, 'a') + "\r\n";
  const Answer answer = raw_answer(bytes + "\r\n");
  expect_problem(answer, 400, "malformed_request");
}

TEST_F(ProtocolTest, ARangeIsIgnoredRatherThanCuttingJsonIntoPieces) {
  for (const char* range : {"bytes=0-3", "bytes=100000-", "bytes=0-1,3-4"}) {
    const Answer answer = call("GET", "/v1/events", operator_, "", {{"Range", range}});
    EXPECT_EQ(answer.status, 200) << range;
    EXPECT_TRUE(answer.json.contains("data")) << answer.text;
  }
}

TEST_F(ProtocolTest, EveryAnswerClosesItsConnection) {
  EXPECT_EQ(get("/v1/events").header("Connection"), "close");
  const std::string two = head("GET /v1/events", "\r\n") + head("DELETE /v1/events", "\r\n");
  const std::string text = raw(two);
  EXPECT_EQ(text.find("HTTP/1.1", 1), std::string::npos) << "a second request must not ride along";
}

TEST_F(ProtocolTest, ALostDatabaseIsTemporaryAndSaysSo) {
  stores_.before_each_call([](std::string_view) {
    throw StorageError(StorageError::Kind::unavailable, "connection to 10.1.2.3 lost");
  });
  const Answer answer = get("/v1/events");
  expect_problem(answer, 503, "database_unavailable");
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_EQ(answer.text.find("10.1.2.3"), std::string::npos);
  EXPECT_EQ(call("GET", "/livez", "").status, 200) << "a lost database is no reason for a restart";

  stores_.before_each_call({});
  EXPECT_EQ(get("/v1/events").status, 200);
}

TEST_F(ProtocolTest, BrokenStoresAreThrownAway) {
  ASSERT_EQ(get("/v1/events").status, 200);
  const int before = stores_.stores_made();
  ASSERT_EQ(get("/v1/events").status, 200);
  EXPECT_EQ(stores_.stores_made(), before);
  stores_.before_each_call([](std::string_view name) {
    if (name == "history.events") throw StorageError(StorageError::Kind::unavailable, "lost");
  });
  expect_problem(get("/v1/events"), 503, "database_unavailable");
  stores_.before_each_call({});
  ASSERT_EQ(get("/v1/events").status, 200);
  EXPECT_EQ(stores_.stores_made(), before + 2) << "a token store and a history store";
}

TEST_F(ProtocolTest, ARefusalCostsNoNewStore) {
  ASSERT_EQ(get("/v1/events").status, 200);
  const int before = stores_.stores_made();
  expect_problem(get("/v1/events?limit=0"), 422, "out_of_range");
  expect_problem(get("/v1/events/evt_01KAN8Q4Y0ZV3M7K9T2B5C8DXF"), 404, "not_found");
  expect_problem(call("GET", "/v1/events", "sp_unknown"), 401, "unauthorized");
  EXPECT_EQ(stores_.stores_made(), before);
}

TEST_F(ProtocolTest, AnUnknownOutcomeIsNotCalledUnchanged) {
  stores_.before_each_call([](std::string_view name) {
    if (name == "endpoints.create") throw StorageError(StorageError::Kind::in_doubt, "commit");
  });
  expect_problem(post("/v1/webhook-endpoints", endpoint_body()), 503, "outcome_unknown");
}

TEST_F(ProtocolTest, FaultsOfOursShowNothingOfOurInside) {
  stores_.before_each_call([](std::string_view name) {
    if (name == "history.events")
      throw StorageError(StorageError::Kind::permanent, "canary column x");
    if (name == "endpoints.list") throw std::runtime_error("canary bad alloc");
    if (name == "history.deliveries") throw 5;
  });
  for (const char* path : {"/v1/events", "/v1/webhook-endpoints", "/v1/deliveries"}) {
    const Answer answer = get(path);
    expect_problem(answer, 500, "internal_error");
    EXPECT_EQ(answer.text.find("canary"), std::string::npos);
  }
}

TEST_F(ProtocolTest, HealthAndMetricsNeedNoToken) {
  EXPECT_EQ(call("GET", "/livez", "").text, "live\n");
  EXPECT_EQ(call("GET", "/readyz", "").text, "ready\n");
  not_ready_ = "the database cannot be reached";
  const Answer answer = call("GET", "/readyz", "");
  expect_problem(answer, 503, "not_ready");
  EXPECT_EQ(answer.json.at("detail"), not_ready_);
  live_ = false;
  expect_problem(call("GET", "/livez", ""), 503, "not_live");
}

TEST_F(ProtocolTest, MetricsCarryWhatTheProcessAndTheApiCount) {
  get("/v1/events");
  get("/v1/events?limit=0");
  post("/v1/webhook-endpoints", endpoint_body());
  raw("hello\r\n\r\n");
  const Answer answer = call("GET", "/metrics", "");
  EXPECT_EQ(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  for (const char* line :
       {"demo 1\n", "sealpost_http_requests_total{method=\"GET\",code=\"2xx\"} 1\n",
        "sealpost_http_requests_total{method=\"GET\",code=\"4xx\"} 1\n",
        "sealpost_http_requests_total{method=\"POST\",code=\"2xx\"} 1\n",
        "sealpost_http_requests_total{method=\"other\",code=\"4xx\"} 1\n",
        "sealpost_http_request_duration_seconds_count 4\n"}) {
    EXPECT_NE(answer.text.find(line), std::string::npos) << line << answer.text;
  }
}

}  // namespace
}  // namespace sealpost
