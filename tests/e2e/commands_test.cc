// The commands beside the dispatcher: listen, verify, the embedded default, and what producers may
// do.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <sstream>

#include "core/storage_error.h"
#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kPatience = 20s;
constexpr const char* kSecret = "whsec_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCd";
constexpr const char* kOtherSecret = "whsec_ZbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCd";

class CommandE2eTest : public ::testing::Test {
 protected:
  std::string write_file(const std::string& name, const std::string& content) {
    const auto file = installation_.directory() / name;
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
  }

  // `sealpost listen` with that secret; its URL is in the first line that it prints.
  std::unique_ptr<SealpostProcess> start_listen(const std::string& secret) {
    return std::make_unique<SealpostProcess>(
        CommandOptions{.arguments = {"listen", "--port", "0", "--json", "--secret-file",
                                     write_file("secret", secret + "\n")}});
  }

  std::string url_of(const SealpostProcess& listen) {
    const auto line = listen.program().wait_for_line(
        Stream::errors,
        [](const std::string& text) { return text.find("http://") != std::string::npos; },
        kPatience);
    if (!line) throw std::runtime_error("listen says no URL: " + listen.errors());
    const auto begin = line->find("http://");
    return line->substr(begin, line->find(' ', begin) - begin);
  }

  Json first_report(const SealpostProcess& listen) {
    const auto line = listen.program().wait_for_line(
        Stream::output, [](const std::string&) { return true; }, kPatience);
    return line ? Json::parse(*line) : Json("nothing came");
  }

  Installation installation_;
};

TEST_F(CommandE2eTest, ListenVerifiesADeliveryAndRefusesTheWrongSecret) {
  const auto right = start_listen(kSecret);
  const std::string right_url = url_of(*right);
  const auto wrong = start_listen(kOtherSecret);
  const std::string wrong_url = url_of(*wrong);
  const auto serve = installation_.start("serve");
  ApiClient api = installation_.api(*serve);
  for (const std::string& url : {right_url, wrong_url}) {
    api.make("/v1/webhook-endpoints", endpoint_body(url, {{"secret", kSecret}}));
  }
  const std::string id = installation_.insert({}).at(0);

  const Json good = first_report(*right);
  EXPECT_EQ(true, good.at("verified")) << good;
  EXPECT_EQ(id, good.at("event_id").get<std::string>());
  EXPECT_EQ("invoice.paid", good.at("event_type"));
  EXPECT_EQ("standard", good.at("profile"));
  EXPECT_EQ(200, good.at("answered"));
  const Json bad = first_report(*wrong);
  EXPECT_EQ(false, bad.at("verified")) << bad;
  EXPECT_EQ(401, bad.at("answered"));
  EXPECT_EQ("webhook_signature_invalid", bad.at("error"));
  // And Sealpost understands what listen answered.
  ASSERT_TRUE(eventually(kPatience, [&] {
    for (const Json& delivery : api.read_all("/v1/deliveries")) {
      const Json detail = api.read("/v1/deliveries/" + delivery.at("id").get<std::string>());
      for (const Json& attempt : detail.at("attempts")) {
        if (attempt.at("receiver_error_code") == "webhook_signature_invalid") return true;
      }
    }
    return false;
  })) << serve->errors();
}

TEST_F(CommandE2eTest, ListenAnswersAnEncryptedRequestEncrypted) {
  constexpr char kRoot[] =
      "YSByb290IGZvciB0aGUgdGVzdCBvZiBsaXN0ZW46IGl0IGhhcyBzaXh0eS1mb3VyIGJ5dGVzIG9mIHRleHQuLg==";
  const std::string secret = std::string("rfsec_") + kRoot;
  const auto listen = start_listen(secret);
  const auto serve = installation_.start("serve");
  ApiClient api = installation_.api(*serve);
  api.make("/v1/webhook-endpoints",
           endpoint_body(url_of(*listen), {{"secret", secret},
                                           {"signing", "sealed-json"},
                                           {"require_encrypted_response", true}}));
  const std::string id = installation_.insert({}).at(0);
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve->errors();
  const Json report = first_report(*listen);
  EXPECT_EQ(true, report.at("decrypted")) << report;
  const std::string delivery = api.read_all("/v1/deliveries").at(0).at("id");
  const Json shown = api.get("/v1/deliveries/" + delivery).body;
  EXPECT_EQ("delivered", shown.at("state"));
  EXPECT_EQ(Json::parse(shown.at("response_payload").get<std::string>()), Json({{"received", id}}));
}

TEST_F(CommandE2eTest, VerifyChecksACapturedRequest) {
  Receiver receiver;
  const auto serve = installation_.start("serve");
  ApiClient api = installation_.api(*serve);
  for (const char* profile : {"standard", "itpay", "square", "httpsig-hmac"}) {
    api.make("/v1/webhook-endpoints",
             endpoint_body(receiver.url("/"),
                           {{"secret", kSecret}, {"signing", {{"profile", profile}}}}));
  }
  const std::string id = installation_.insert({}).at(0);
  ASSERT_TRUE(receiver.wait_for_requests(4, kPatience)) << serve->errors();

  const auto verify = [&](const LedgerEntry& request, const std::string& secret) {
    std::ostringstream raw;
    raw << "POST / HTTP/1.1\r\n";
    for (const auto& [name, value] : request.headers) raw << name << ": " << value << "\r\n";
    raw << "\r\n" << request.body;
    return run_sealpost(
        {.arguments = {"verify", "--secret-file", write_file("secret", secret + "\n"), "--url",
                       receiver.url("/")},
         .input = raw.str()});
  };
  const Ledger ledger = receiver.ledger();
  for (LedgerEntry request : ledger.entries()) {
    const CommandResult good = verify(request, kSecret);
    EXPECT_TRUE(good.succeeded()) << good.output << good.errors;
    EXPECT_NE(std::string::npos, good.output.find(id)) << good.output;
    EXPECT_EQ(1, verify(request, kOtherSecret).exit->code);
    request.body[request.body.size() / 2] ^= 1;
    EXPECT_EQ(1, verify(request, kSecret).exit->code);
  }
}

TEST_F(CommandE2eTest, AProducerMayInsertAndNothingElse) {
  const auto as_producer = [&](const std::string& statement) -> std::string {
    try {
      installation_.sql().transaction({}, [&](PgTransaction& transaction) {
        transaction.run_script("SET LOCAL ROLE sealpost_producer");
        transaction.run_once(statement);
      });
      return "";
    } catch (const StorageError& error) {
      return error.what();
    }
  };
  EXPECT_EQ("", as_producer("INSERT INTO sealpost.outbox (type, payload) VALUES ('a.b', '{}')"));
  for (const char* statement :
       {"SELECT payload FROM sealpost.outbox", "UPDATE sealpost.outbox SET type = 'a'",
        "DELETE FROM sealpost.outbox", "SELECT * FROM sealpost.endpoint_secrets",
        "INSERT INTO sealpost.intake (event_id) VALUES ('evt_1')",
        "DELETE FROM sealpost.delivery_rows"}) {
    EXPECT_NE(std::string::npos, as_producer(statement).find("permission denied")) << statement;
  }
  const std::string bad_type =
      as_producer("INSERT INTO sealpost.outbox (type, payload) VALUES ('not a type', '{}')");
  EXPECT_NE(std::string::npos, bad_type.find("joined by dots")) << bad_type;
  const std::string no_payload = as_producer("INSERT INTO sealpost.outbox (type) VALUES ('a.b')");
  EXPECT_NE(std::string::npos, no_payload.find("payload_bytes must be set")) << no_payload;
  EXPECT_EQ(1, installation_.count("SELECT count(*) FROM sealpost.outbox"));
}

TEST_F(CommandE2eTest, RaisesTheLimitOfOpenFilesAtItsStart) {
  SealpostProcess dispatcher({.arguments = {"dispatcher"},
                              .environment = installation_.environment(),
                              .ulimit = "-Sn 256"});
  ASSERT_TRUE(dispatcher.wait_until_ready()) << dispatcher.errors();
  rlimit limit{};
  ASSERT_EQ(0, prlimit(dispatcher.pid(), RLIMIT_NOFILE, nullptr, &limit));
  EXPECT_GE(limit.rlim_cur, 2048u) << "1,024 requests and their kept connections";
  EXPECT_EQ(std::string::npos, dispatcher.errors().find("file_limit.low"));
}

TEST_F(CommandE2eTest, SaysWhatToDoWhenTooFewOpenFilesAreAllowed) {
  SealpostProcess dispatcher({.arguments = {"dispatcher"},
                              .environment = installation_.environment(),
                              .ulimit = "-n 900"});
  const auto line = dispatcher.wait_for_log("file_limit.low", kPatience);
  ASSERT_TRUE(line) << dispatcher.errors();
  const Json warning = Json::parse(*line);
  EXPECT_EQ(900, warning["limit"]);
  EXPECT_GE(warning["needed"], 2048);
  EXPECT_NE(std::string::npos, warning["remedy"].get<std::string>().find("SEALPOST_MAX_IN_FLIGHT"));
  EXPECT_TRUE(dispatcher.wait_until_ready()) << dispatcher.errors();
}

TEST_F(CommandE2eTest, EmbeddedPostgresNeedsNoConfigurationAndKeepsItsDataAcrossAKill) {
  Receiver receiver;
  const auto data = installation_.directory() / "embedded";
  const Environment nothing_but{{"SEALPOST_DATA_DIR", data.string()},
                                {"SEALPOST_ALLOW_RANGES", "127.0.0.0/8"},
                                {"SEALPOST_ALLOW_HTTP", "true"}};
  const auto start = [&] {
    auto serve = std::make_unique<SealpostProcess>(
        CommandOptions{.arguments = {"serve"}, .environment = nothing_but});
    if (!serve->wait_until_ready()) throw std::runtime_error(serve->errors());
    return serve;
  };
  const auto insert_event = [&] {
    std::string url;
    std::getline(std::ifstream(data / "database-url") >> std::ws, url);
    PgSession sql({.url = url});
    return sql
        .query_once("INSERT INTO sealpost.outbox (type, payload) VALUES ('a.b', '{}') RETURNING id")
        .text(0, 0);
  };

  auto serve = start();
  const CommandResult made = run_sealpost(
      {.arguments = {"token", "create", "--role", "operator"}, .environment = nothing_but});
  ASSERT_TRUE(made.succeeded()) << made.errors;
  const std::string token =
      made.output.substr(made.output.find("sp_"), made.output.find('\n') - made.output.find("sp_"));
  ApiClient(serve->api_port(), token)
      .make("/v1/webhook-endpoints", endpoint_body(receiver.url("/")));
  const std::string first = insert_event();
  ASSERT_TRUE(receiver.wait_for_requests(1, kPatience)) << serve->errors();

  serve->kill_hard();
  ASSERT_TRUE(serve->wait_exit(kPatience));
  serve = start();
  const std::string second = insert_event();
  ASSERT_TRUE(receiver.wait_until(
      [&](const Ledger& ledger) { return ledger.entries().back().header("webhook-id") == second; },
      kPatience))
      << serve->errors();
  ApiClient api(serve->api_port(), token);
  EXPECT_EQ(first, api.read("/v1/events/" + first).at("id").get<std::string>())
      << "the token and the event are still there";

  serve->terminate();
  const auto exit = serve->wait_exit(kPatience);
  ASSERT_TRUE(exit);
  EXPECT_EQ(0, exit->code) << serve->errors();
  EXPECT_FALSE(std::filesystem::exists(data / "postgres" / "postmaster.pid"))
      << "PostgreSQL was left running";
}

}  // namespace
}  // namespace sealpost
