// The real binary, command by command, against one embedded installation.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <sstream>

#include "cli/options.h"
#include "tests/cli/scratch_directory.h"
#include "tests/support/api_client.h"
#include "tests/support/sealpost_process.h"

namespace sealpost {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::chrono::seconds kPatience{60};

// Standard Webhooks' own vector.
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* kHeaders =
    "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\n"
    "webhook-timestamp: 1614265330\n"
    "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\n";
constexpr const char* kBody = R"({"test": 2432232314})";
constexpr const char* kThen = "2021-02-25T15:02:10Z";

CommandResult run(std::vector<std::string> arguments, const std::string& input = "",
                  std::map<std::string, std::string> environment = {}) {
  return run_sealpost(
      {.arguments = std::move(arguments), .environment = std::move(environment), .input = input});
}

int code(const CommandResult& result) { return result.exit ? result.exit->code.value_or(-1) : -1; }

TEST(CommandLineTest, LeadsItsHelpWithExamplesAndNamesEveryCommand) {
  const CommandResult result = run({"help"});
  EXPECT_EQ(code(result), 0);
  EXPECT_LT(result.output.find("Examples:"), result.output.find("Usage:"));
  for (const char* command : {"serve", "dispatcher", "admin-api", "migrate", "token", "listen",
                              "verify", "healthcheck"}) {
    EXPECT_THAT(result.output, HasSubstr(command));
  }
  EXPECT_THAT(run({"--version"}).output, StartsWith("sealpost "));
}

TEST(CommandLineTest, ExplainsEverySettingInACommandsHelp) {
  const CommandResult result = run({"help", "serve"});
  for (const Option& option : options()) EXPECT_THAT(result.output, HasSubstr(option.flag()));
}

TEST(CommandLineTest, SuggestsACommandOrFlagForATypo) {
  const CommandResult command = run({"serv"});
  EXPECT_EQ(code(command), 2);
  EXPECT_THAT(command.errors, HasSubstr("\"serv\" is unknown. Did you mean serve?"));
  EXPECT_EQ(command.output, "");
  EXPECT_THAT(run({"serve", "--lisen", "x"}).errors, HasSubstr("Did you mean --listen?"));
}

TEST(CommandLineTest, ReportsAllMistakesOfTheConfigurationAndExitsWith2) {
  const CommandResult result = run({"serve", "--lease-seconds", "1"}, "",
                                   {{"SEALPOST_POLL_MS", "0"}, {"SEALPOST_LISTN", "x"}});
  EXPECT_EQ(code(result), 2);
  EXPECT_THAT(result.errors, HasSubstr("3 mistakes"));
  EXPECT_THAT(result.errors, HasSubstr("--lease-seconds is \"1\""));
  EXPECT_THAT(result.errors, HasSubstr("SEALPOST_POLL_MS is \"0\""));
  EXPECT_THAT(result.errors, HasSubstr("Did you mean SEALPOST_LISTEN?"));
}

class VerifyCommandTest : public testing::Test {
 protected:
  ScratchDirectory scratch_;
  std::string secret_ = scratch_.file("secret", std::string(kSecret) + "\n");
  std::string headers_ = scratch_.file("headers", kHeaders);
  std::string body_ = scratch_.file("body", kBody);
};

TEST_F(VerifyCommandTest, AcceptsTheStandardsOwnVectorFromFiles) {
  const CommandResult result = run(
      {"verify", "--secret-file", secret_, "--headers", headers_, "--body", body_, "--at", kThen});
  EXPECT_EQ(code(result), 0) << result.output << result.errors;
  EXPECT_THAT(result.output,
              HasSubstr("verified: profile standard, event msg_p5jXN8AQM9LWM0D4loKWxJek"));
}

TEST_F(VerifyCommandTest, AcceptsARawRequestFromStdin) {
  const std::string raw = std::string("POST / HTTP/1.1\n") + kHeaders + "\n" + kBody;
  EXPECT_EQ(code(run({"verify", "--secret-file", secret_, "--at", kThen}, raw)), 0);
}

TEST_F(VerifyCommandTest, RefusesAnotherBodyAndAnotherTimeWithTheReason) {
  const std::string other = scratch_.file("other", R"({"test": 2432232315})");
  EXPECT_EQ(code(run({"verify", "--secret-file", secret_, "--headers", headers_, "--body", other,
                      "--at", kThen})),
            1);
  const CommandResult late =
      run({"verify", "--secret-file", secret_, "--headers", headers_, "--body", body_});
  EXPECT_EQ(code(late), 1);
  EXPECT_THAT(late.output, StartsWith("not verified: webhook_signature_invalid: the timestamp"));
  EXPECT_EQ(code(run({"verify", "--secret-file", secret_, "--headers", headers_, "--body", body_,
                      "--at", "2021-02-25T15:03:10Z", "--tolerance", "59"})),
            1);
}

TEST_F(VerifyCommandTest, SaysWhatCannotBeRead) {
  EXPECT_THAT(run({"verify", "--secret-file", "/nowhere"}, kHeaders).errors, HasSubstr("/nowhere"));
  EXPECT_EQ(code(run({"verify", "--secret-file", secret_, "--at", "soon"}, kHeaders)), 2);
  EXPECT_EQ(code(run({"verify"})), 2);
}

// The published box of tests/base/box_test.cc, signed with Python's hmac.
const std::string kEncryptedRequest =
    "Webhook-Signature: t=1716792600,v1="
    "314a7728a83fcd8508e071cb39411b2a768ce76c9ebd2f74745d9f1662117521,enc=body\n\n"
    R"({"encrypted":true,"key_fingerprint":)"
    R"("ef1f7d8ef0ab699b890076ef20201662cde62fccd4571b98c263d73c2d1d574f","ciphertext":")"
    "ZLEBsdC+WocEvQePmJUAH8A+jp+VIvGI3RKNmEbUhGYAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhdiM5OOlt1CcupiLHRQ"
    R"(9uKA5OmIOUvLeELD","hmac_key_id":"whk_1"})";
const std::string kPrivateKey = "MC4CAQAwBQYDK2VuBCIEIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g";

TEST_F(VerifyCommandTest, OpensAnEncryptedBodyWithItsKeyOnly) {
  const std::string secret = scratch_.file("itpay", "whsec_abc123def456");
  const auto verify_with = [&](const std::string& key) {
    return run({"verify", "--secret-file", secret, "--private-key", scratch_.file("key", key),
                "--at", "2024-05-27T06:50:00Z"},
               kEncryptedRequest);
  };
  const CommandResult opened =
      verify_with("-----BEGIN PRIVATE KEY-----\n" + kPrivateKey + "\n-----END PRIVATE KEY-----\n");
  EXPECT_EQ(code(opened), 0) << opened.output << opened.errors;
  EXPECT_THAT(opened.output, HasSubstr("verified: profile itpay"));
  EXPECT_THAT(opened.output, HasSubstr(", decrypted"));
  const CommandResult other = verify_with(std::string(64, '7'));
  EXPECT_EQ(code(other), 1);
  EXPECT_THAT(other.output, StartsWith("not verified: webhook_decryption_failed: the body"));
  const CommandResult no_key =
      verify_with("MCowBQYDK2VuAyEAB6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=");
  EXPECT_EQ(code(no_key), 1);
  EXPECT_THAT(no_key.errors, HasSubstr("public key"));
}

// One installation for all: making its PostgreSQL takes longer than the tests.
class EmbeddedCommandsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new ScratchDirectory;
    serve_ = new SealpostProcess({.arguments = {"serve"}, .environment = environment()});
    ASSERT_TRUE(serve_->wait_until_ready(kPatience)) << serve_->errors();
  }
  static void TearDownTestSuite() {
    serve_->terminate();
    const auto status = serve_->wait_exit(kPatience);
    EXPECT_TRUE(status && status->code == 0) << serve_->errors();
    delete serve_;
    delete scratch_;
  }
  static std::map<std::string, std::string> environment() {
    return {{"SEALPOST_DATA_DIR", scratch_->path() / "data"}};
  }

  static inline ScratchDirectory* scratch_ = nullptr;
  static inline SealpostProcess* serve_ = nullptr;
};

TEST_F(EmbeddedCommandsTest, TokenCreatePrintsATokenThatTheApiAccepts) {
  const CommandResult result =
      run({"token", "create", "--role", "readonly", "--name", "test"}, "", environment());
  ASSERT_EQ(code(result), 0) << result.errors;
  EXPECT_THAT(result.output, StartsWith("sp_"));
  EXPECT_THAT(result.errors, HasSubstr("only now"));
  const std::string token = result.output.substr(0, result.output.find('\n'));
  ApiClient api(serve_->api_port(), token);
  EXPECT_EQ(api.get("/v1/webhook-endpoints").status, 200);
  EXPECT_EQ(code(run({"token", "create", "--role", "king"}, "", environment())), 2);
}

TEST_F(EmbeddedCommandsTest, TheFirstAdminTokenIsInAFileAndNotInTheLog) {
  std::ifstream file(scratch_->path() / "data" / "admin-token");
  std::string token;
  ASSERT_TRUE(std::getline(file, token));
  EXPECT_EQ(ApiClient(serve_->api_port(), token).get("/v1/webhook-endpoints").status, 200);
  EXPECT_THAT(serve_->errors(), Not(HasSubstr(token)));
}

TEST_F(EmbeddedCommandsTest, MigrateStatusListsEveryMigrationAsApplied) {
  const CommandResult result = run({"migrate", "status"}, "", environment());
  EXPECT_EQ(code(result), 0) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("0001 outbox_and_deliveries: applied"));
  EXPECT_THAT(run({"migrate", "plan"}, "", environment()).output, "");
}

TEST_F(EmbeddedCommandsTest, HealthcheckAnswersByItsExitCode) {
  const std::string address = "127.0.0.1:" + std::to_string(serve_->metrics_port());
  EXPECT_EQ(code(run({"healthcheck", "live", "--address", address})), 0);
  EXPECT_EQ(code(run({"healthcheck", "ready"}, "", {{"SEALPOST_METRICS_LISTEN", address}})), 0);
  const CommandResult nobody = run({"healthcheck", "ready", "--address", "127.0.0.1:1"});
  EXPECT_EQ(code(nobody), 1);
  EXPECT_THAT(nobody.errors, HasSubstr("nothing answers on 127.0.0.1:1"));
}

TEST_F(EmbeddedCommandsTest, ASecondServeOnTheSameDirectoryIsRefused) {
  const CommandResult second = run({"serve"}, "", environment());
  EXPECT_EQ(code(second), 1);
  EXPECT_THAT(second.errors, HasSubstr("is in use by sealpost serve"));
}

TEST_F(EmbeddedCommandsTest, ATakenPortIsAClearError) {
  auto settings = environment();
  settings["SEALPOST_LISTEN"] = "127.0.0.1:" + std::to_string(serve_->api_port());
  const CommandResult result = run({"admin-api"}, "", settings);
  EXPECT_EQ(code(result), 1);
  EXPECT_THAT(result.errors, HasSubstr(settings["SEALPOST_LISTEN"]));
}

TEST_F(EmbeddedCommandsTest, SecretsAreNowhereInTheLog) {
  std::ifstream file(scratch_->path() / "data" / "master.key");
  std::string key;
  ASSERT_TRUE(std::getline(file, key));
  EXPECT_THAT(serve_->errors(), Not(HasSubstr(key)));
  EXPECT_THAT(serve_->errors(), HasSubstr("config.effective"));
}

TEST(ServeTest, NeedsAMasterKeyBesideAConfiguredDatabase) {
  const CommandResult result =
      run({"serve"}, "",
          {{"SEALPOST_DATABASE_URL", "postgresql:///x?host=/nowhere"}, {"SEALPOST_POLL_MS", "0"}});
  EXPECT_EQ(code(result), 2);
  EXPECT_THAT(result.errors, HasSubstr("2 mistakes"));
  EXPECT_THAT(result.errors, HasSubstr("SEALPOST_MASTER_KEY_FILE is not set"));
}

}  // namespace
}  // namespace sealpost
