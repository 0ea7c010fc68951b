// One installation and the judges, for the interop tests: real deliveries of the real binary, over
// HTTPS, to judge.mjs and judge.py.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/e2e/installation.h"
#include "tests/interop/judge_process.h"

namespace sealpost {

// Payloads that a sender could spoil: escapes, other scripts, big and exact numbers, odd spacing, a
// long one.
inline const std::vector<std::string> kPayloads{
    R"({"amount": 50000, "currency": "usd"})",
    R"({"text":"\u00e4 \"quoted\" \\ \/ \n","euro":"€","emoji":"😀","cjk":"漢字"})",
    R"({  "spaces" :   1.0 , "exact":12345678901234567890, "small":1e-7})",
    R"([1,"two",null,true])",
    "\"" + std::string(60'000, 'x') + "1\"",
};

enum class Language { node, python };
enum class Key { secret, public_key };  // what a judge is given of the endpoint

// One profile before one judge.
struct Case {
  std::string profile;
  std::string library;  // its name in judges/
  Language language = Language::node;
  bool checks_time = true;  // false: the library, and mostly the dialect, does not
  Key key = Key::secret;
};

inline std::string name_of(const Case& one) { return one.profile + "_" + one.library; }
inline void PrintTo(const Case& one, std::ostream* out) { *out << name_of(one); }  // for GoogleTest

// One installation and one judge of each language for all tests; each test has a tenant of its own,
// whose endpoints get its events only.
struct Courtroom {
  Installation installation{};
  std::string certificate = (installation.directory() / "judge.pem").string();
  std::string certificate_key = make_certificate(certificate);
  JudgeProcess node{{"node", "judge.mjs", certificate, certificate_key}};
  JudgeProcess python{{SEALPOST_PYTHON, "judge.py", certificate, certificate_key}};
  std::unique_ptr<SealpostProcess> serve{installation.start(
      "serve", {{"SEALPOST_CA_FILE", certificate}, {"SEALPOST_WEBHOOK_ORIGIN", "sender.example"}})};
  ApiClient api{installation.api(*serve)};

  JudgeProcess& judge(Language language) { return language == Language::node ? node : python; }

 private:
  // Signed by itself, so that it is its own authority. Returns the file of its key.
  static std::string make_certificate(const std::string& file) {
    const std::string command =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=judge "
        "-addext subjectAltName=IP:127.0.0.1 -keyout " +
        file + ".key -out " + file + " 2> " + file + ".log";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
    return file + ".key";
  }
};

class InteropTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { courtroom_ = std::make_unique<Courtroom>(); }
  static void TearDownTestSuite() { courtroom_.reset(); }

  // Makes an endpoint and hands its secret, as its owner sees it, to the judge, with whatever else
  // the judge should know. Returns the secret.
  std::string create_endpoint(const std::string& path, const Case& one,
                              const Json& settings = Json::object(),
                              const Json& told = Json::object()) {
    JudgeProcess& judge = courtroom_->judge(one.language);
    Json more = quick_retry({0.05});
    more["tenant"] = tenant_;
    more["signing"] = {{"profile", one.profile}};
    more.update(settings);
    const Json endpoint =
        courtroom_->api.make("/v1/webhook-endpoints", endpoint_body(judge.url(path), more));
    Json assignment = {
        {"library", one.library}, {"profile", one.profile}, {"url", judge.url(path)}};
    assignment["secret"] = one.key == Key::public_key
                               ? endpoint.at("signing").at("public_keys").at(0)
                               : endpoint.at("secret");
    assignment.update(told);
    judge.assign(path, assignment);
    return assignment.at("secret");
  }

  // Returns the event's id.
  std::string insert(const std::string& payload) {
    return courtroom_->installation.sql()
        .query_once(
            "INSERT INTO sealpost.outbox (tenant, type, payload) "
            "VALUES ($1, 'payment_intent.succeeded', $2::json) RETURNING id",
            PgParameters().add(tenant_).add(payload))
        .text(0, 0);
  }

  static void expect_good(const Json& verdict, const Case& one) {
    EXPECT_TRUE(verdict.at("accepted")) << verdict.value("problem", "");
    const Json& refused = verdict.at("refused");
    EXPECT_TRUE(refused.at("tampered_body"));
    EXPECT_TRUE(refused.at("wrong_secret"));
    EXPECT_EQ(one.checks_time, refused.at("stale"));
  }

  static inline std::unique_ptr<Courtroom> courtroom_;
  static inline int tests_so_far_ = 0;
  const std::string tenant_ = "tenant" + std::to_string(++tests_so_far_);
};

}  // namespace sealpost
