// Secrets with known texts go through everything that can happen, with the most talkative log; then
// they are looked for everywhere, in every spelling.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>

#include "base/bytes.h"
#include "core/sealed_json.h"
#include "core/sealed_response.h"
#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 60s;
constexpr char kSigning[] = "whsec_Q2FuYXJ5T2ZUaGVTaWduaW5nU2VjcmV0TnVtYmVyMQ==";
constexpr char kRotated[] = "whsec_Q2FuYXJ5T2ZUaGVTaWduaW5nU2VjcmV0TnVtYmVyMg==";
// Of an endpoint that sends and answers encrypted: its root, and what its receiver answers.
constexpr char kRoot[] = "canary of the root of sealed-json, which has to have 64 bytes...";
constexpr char kAnswer[] = R"({"answer":"canary of the encrypted answer"})";
constexpr char kHeader[] = "canary of the header/+&=value";

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string url_encoded(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    encoded += plain ? std::string(1, c) : "%" + hex_encode(std::string(1, c));
  }
  return encoded;
}

// Base64 of a text in the middle of another one: what is the same at each of the three alignments.
std::vector<std::string> base64_anywhere(const std::string& text) {
  std::vector<std::string> found;
  for (std::size_t skipped = 0; skipped < 3; ++skipped) {
    const std::size_t whole = (text.size() - skipped) / 3 * 3;
    found.push_back(base64_encode(text.substr(skipped, whole)));
  }
  return found;
}

// Lower case; the places are searched in lower case.
std::vector<std::string> spellings(const std::string& secret) {
  std::vector<std::string> all = base64_anywhere(secret);
  all.insert(all.end(), {secret, hex_encode(secret), url_encoded(secret)});
  for (std::string& one : all) one = lower(one);
  return all;
}

// What a receiver with that root answers; or something that does not open.
Answer encrypted_answer(const LedgerEntry& request, bool opens) {
  SystemRandom random;
  SealedSession session{
      .root = SecretText(std::string(kRoot)),
      .key_id =
          Json::parse(base64url_decode(Json::parse(request.body).at("protected").get<std::string>())
                          .value())
              .at("kid"),
      .session = request.header("x-roboflux-session"),
      .nonce = request.header("x-roboflux-nonce")};
  if (!opens) session.nonce = "AAAA";
  return {.headers = {{"Content-Type", kSealedJsonType}},
          .body = seal_response(session, "application/json", kAnswer, random)};
}

class CanaryE2eTest : public ::testing::Test {
 protected:
  void look_at(const std::string& name, const std::string& text) { places_[name] += text + "\n"; }

  // Every call of the test goes through here, except those whose answer shows a secret.
  ApiResponse call(const ApiResponse& answer) {
    look_at("API answers", answer.text);
    return answer;
  }

  void look_at_process(const SealpostProcess& process) {
    const std::string folder = "/proc/" + std::to_string(process.pid());
    look_at("arguments", text_of(folder + "/cmdline"));
    look_at("environment", text_of(folder + "/environ"));
    look_at("log", process.errors());
    look_at("output", process.output());
    ApiClient metrics(process.metrics_port(), "");
    look_at("metrics", metrics.get("/metrics").text);
  }

  void look_at_tables() {
    for (const char* table :
         {"attempts", "deliveries", "dead_letters", "delivery_history", "endpoints",
          "endpoint_secrets", "tokens", "intake", "dispatchers", "response_payloads"}) {
      const PgRows rows = installation_.sql().query_once(
          std::string("SELECT t::text FROM sealpost.") + table + " t");
      for (int row = 0; row < rows.size(); ++row) look_at(table, rows.text(row, 0));
    }
  }

  Installation installation_;
  Receiver receiver_;
  std::map<std::string, std::string> places_;
};

TEST_F(CanaryE2eTest, NoSecretShowsUpAnywhere) {
  receiver_.on("/fails", {{.status = 500}, {.status = 403}, {.status = 200}});
  receiver_.on("/drops", {{.kind = Answer::Kind::reset}, {.kind = Answer::Kind::close}});
  auto serve = installation_.start("serve", {{"SEALPOST_LOG_LEVEL", "debug"}});
  ApiClient api = installation_.api(*serve);
  const std::string all = "/v1/webhook-endpoints";
  std::string id;
  for (const std::string& url :
       {receiver_.url("/fails"), receiver_.url("/drops"), std::string("http://127.0.0.1:1/refused"),
        std::string("https://127.0.0.1:") + std::to_string(receiver_.port()) + "/no-tls"}) {
    Json body = endpoint_body(url, quick_retry({0.05, 0.05}));
    body["secret"] = kSigning;
    body["timeout_ms"] = 1000;
    body["headers"] = {{"X-Canary", kHeader}};
    id = api.make(all, body).at("id").get<std::string>();
  }

  for (const bool opens : {true, false}) {
    const std::string path = opens ? "/answers" : "/answers-wrongly";
    receiver_.on(path,
                 [opens](const LedgerEntry& request) { return encrypted_answer(request, opens); });
    Json body = endpoint_body(receiver_.url(path), quick_retry({0.05}));
    body["signing"] = "sealed-json";
    body["secret"] = std::string("rfsec_") + base64_encode(std::string(kRoot));
    body["require_encrypted_response"] = true;
    api.make(all, body);
  }

  // Calls that are refused, with secrets in the right place and in wrong ones.
  Json wrong = endpoint_body("ftp://nowhere", {{"secret", kSigning}, {"unknown", 1}});
  wrong["headers"] = {
      {"X-Canary", kHeader}, {"Host", kHeader}, {"X-Break", std::string(kHeader) + "\r\n"}};
  EXPECT_EQ(422, call(api.post(all, wrong)).status);
  for (const char* field :
       {"url", "tenant", "envelope", "signing", "ordering", "retry", "metadata"}) {
    EXPECT_EQ(422,
              call(api.post(all, endpoint_body("https://a.example/", {{field, kSigning}}))).status)
        << field;
  }
  EXPECT_EQ(422, call(api.patch(all + "/" + id, {{"secret", kRotated}})).status);
  EXPECT_EQ(422, call(api.post(all + "/" + id + "/secrets/rotate",
                               {{"secret", kRotated}, {"grace_period_seconds", -1}}))
                     .status);
  EXPECT_EQ(422, call(api.post(all + "/" + id + "/secrets/rotate",
                               {{"secret", "Q2FuYXJ5 " + std::string(kRotated)}}))
                     .status);
  ApiClient stranger(serve->api_port(), installation_.token() + "x");
  EXPECT_EQ(401, call(stranger.get(all)).status);

  installation_.insert({.count = 2});
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve->errors();
  api.make(all + "/" + id + "/secrets/rotate", {{"secret", kRotated}, {"reason", "canary test"}});
  installation_.insert({.count = 2});
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve->errors();

  for (const char* path : {"/v1/webhook-endpoints", "/v1/deliveries", "/v1/dead-letters",
                           "/v1/events", "/readyz", "/openapi.json"}) {
    call(api.get(path));
  }
  call(api.get(all + "/" + id));
  call(api.get(all + "/" + id + "/secrets"));
  int shown = 0;  // encrypted answers, where they belong
  for (const Json& delivery : api.read_all("/v1/deliveries")) {
    ApiResponse detail = api.get("/v1/deliveries/" + delivery.at("id").get<std::string>());
    if (detail.body.at("response_payload") == kAnswer) {
      ++shown;
      detail.body["response_payload"] = nullptr;
      detail.text = detail.body.dump();
    }
    call(detail);
  }
  EXPECT_EQ(4, shown) << "one for each event";
  look_at_process(*serve);
  look_at_tables();

  // A key that does not fit, and a start that fails: errors are places, too.
  const std::string master_key = text_of(installation_.directory() / "master.key");
  std::ofstream(installation_.directory() / "master.key") << master_key.substr(0, 40);
  call(api.patch(all + "/" + id, {{"description", "x"}, {"headers", {{"X-Other", kHeader}}}}));
  const CommandResult refused =
      run_sealpost({.arguments = {"rewrap"}, .environment = installation_.environment()});
  EXPECT_FALSE(refused.succeeded());
  look_at("errors", refused.output + refused.errors);
  serve->terminate();
  ASSERT_TRUE(serve->wait_exit(kPatience));
  look_at("log", serve->errors());

  const std::map<std::string, std::string> secrets = {
      {"the signing secret", kSigning},
      {"its bytes", base64_decode(std::string(kSigning).substr(6)).value()},
      {"the rotated secret", kRotated},
      {"its bytes, too", base64_decode(std::string(kRotated).substr(6)).value()},
      {"the header's value", kHeader},
      {"the root of sealed-json", kRoot},
      {"the encrypted answer", kAnswer},
      {"the token", installation_.token()},
      {"the master key", master_key.substr(0, master_key.size() - 1)},
      {"the master key's bytes",
       base64_decode(master_key.substr(0, master_key.size() - 1)).value()},
  };
  EXPECT_GT(places_["log"].size(), 1000U);
  EXPECT_NE(places_["attempts"].find("500"), std::string::npos);
  for (const auto& [place, content] : places_) {
    const std::string text = lower(content);
    for (const auto& [what, secret] : secrets) {
      for (const std::string& spelling : spellings(secret)) {
        EXPECT_EQ(text.find(spelling), std::string::npos) << what << " is in the " << place;
      }
    }
  }
  // The search itself finds what is there.
  for (const std::string& spelling : spellings("serve.ready")) {
    EXPECT_EQ(lower(places_["log"]).find(spelling) != std::string::npos, spelling == "serve.ready");
  }
}

}  // namespace
}  // namespace sealpost
