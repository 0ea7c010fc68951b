// The master key is changed while deliveries go on.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/master_key.h"
#include "base/random.h"
#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr auto kPatience = 60s;

class MasterKeyE2eTest : public ::testing::Test {
 protected:
  std::filesystem::path key_file() const { return installation_.directory() / "master.key"; }

  static std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // As an operator would: a new file in the place of the old one.
  void replace_key_file(const std::string& text) {
    const std::filesystem::path fresh = installation_.directory() / "master.key.new";
    std::ofstream(fresh) << text;
    std::filesystem::permissions(fresh, std::filesystem::perms(0600));
    std::filesystem::rename(fresh, key_file());
  }

  void add_endpoint(ApiClient& api, const std::string& path) {
    api.make("/v1/webhook-endpoints",
             endpoint_body(receiver_.url(path), {{"headers", {{"X-Api-Key", "k-123"}}}}));
    paths_.push_back(path);
  }

  std::int64_t under_another_key(const std::string& id) {
    return installation_.count(
        "SELECT (SELECT count(*) FROM sealpost.endpoint_secrets WHERE key_id <> '" + id +
        "') + (SELECT count(*) FROM sealpost.endpoints WHERE headers_key_id <> '" + id + "')");
  }

  Installation installation_;
  Receiver receiver_;
  std::vector<std::string> paths_;
};

TEST_F(MasterKeyE2eTest, IsChangedWhileDeliveriesGoOn) {
  auto serve = installation_.start("serve");
  {
    ApiClient api = installation_.api(*serve);
    for (int i = 0; i < 20; ++i) add_endpoint(api, "/before-" + std::to_string(i));
  }
  const std::string old_text = text_of(key_file());
  SystemRandom random;
  const std::filesystem::path made = installation_.directory() / "made.key";
  create_master_key(made, random);
  const std::string new_text = text_of(made);
  const std::string new_id = load_master_keys(made).at(0).id;

  // Both keys, the new one first; the running process is told nothing.
  replace_key_file(new_text + old_text);
  installation_.insert({.count = 10, .paths = paths_});
  const CommandResult result =
      run_sealpost({.arguments = {"rewrap"}, .environment = installation_.environment()});
  EXPECT_TRUE(result.succeeded()) << result.output << result.errors;
  EXPECT_NE(result.output.find("40 secrets"), std::string::npos) << result.output;
  EXPECT_EQ(0, under_another_key(new_id));

  // What the running process writes from now on is under the new key, and it reads both.
  {
    ApiClient api = installation_.api(*serve);
    for (const Json& endpoint : api.read_all("/v1/webhook-endpoints")) {
      api.make("/v1/webhook-endpoints/" + endpoint.at("id").get<std::string>() + "/secrets/rotate");
    }
    add_endpoint(api, "/after");
  }
  EXPECT_EQ(0, under_another_key(new_id));
  installation_.insert({.count = 10, .paths = paths_});
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve->errors();

  // The old key goes.
  replace_key_file(new_text);
  installation_.insert({.count = 10, .paths = paths_});
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve->errors();
  EXPECT_EQ(serve->errors().find("unreadable"), std::string::npos) << serve->errors();
  serve->terminate();
  ASSERT_TRUE(serve->wait_exit(kPatience));
  serve = installation_.start("serve");
  installation_.insert({.count = 10, .paths = paths_});
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve->errors();
  EXPECT_EQ(Findings{},
            find_violations(installation_.committed(), receiver_.ledger(), installation_.stored()));
  const Ledger ledger = receiver_.ledger();
  for (const LedgerEntry& request : ledger.entries()) {
    EXPECT_FALSE(request.header("webhook-signature").empty());
    EXPECT_EQ("k-123", request.header("x-api-key"));
  }
}

TEST_F(MasterKeyE2eTest, RewrapSaysWhatItCannotRead) {
  {
    const auto api_process = installation_.start("admin-api");
    ApiClient api = installation_.api(*api_process);
    add_endpoint(api, "/a");
  }
  const std::filesystem::path made = installation_.directory() / "made.key";
  SystemRandom random;
  create_master_key(made, random);
  replace_key_file(text_of(made));
  const CommandResult result =
      run_sealpost({.arguments = {"rewrap"}, .environment = installation_.environment()});
  ASSERT_TRUE(result.exit);
  EXPECT_EQ(1, result.exit->code);
  EXPECT_NE(result.errors.find("cannot be decrypted: endpoint_secrets.ciphertext of whs_"),
            std::string::npos)
      << result.errors;
}

}  // namespace
}  // namespace sealpost
