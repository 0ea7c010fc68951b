// Signing secrets are rotated all the time while deliveries go on, with receivers that parse and
// change over in different ways.
#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <mutex>
#include <thread>

#include "base/bytes.h"
#include "base/crypto.h"
#include "core/limits.h"
#include "tests/e2e/installation.h"
#include "tests/support/receiver.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr auto kPatience = 60s;

enum class Holds { newest, previous };
enum class Reads { every, first, last };

struct Signed {
  std::string content;
  std::vector<std::string> signatures;  // hex
  std::int64_t at = 0;                  // Unix seconds
};

// Both dialects as their receivers read them: "Stripe-Signature: t=…,v1=…,v1=…" over "t.body", and
// "x-core-signature: …" over the body.
Signed read_signed(const LedgerEntry& request) {
  Signed result;
  std::string header = request.header("stripe-signature");
  if (header.empty()) {
    result.content = request.body;
    const std::string only = request.header("x-core-signature");
    if (!only.empty()) result.signatures.push_back(only);
    result.at = std::atoll(request.header("x-core-timestamp").c_str());
    return result;
  }
  header += ',';
  for (std::size_t from = 0, end = 0; (end = header.find(',', from)) != std::string::npos;
       from = end + 1) {
    const std::string part = header.substr(from, end - from);
    if (part.starts_with("t=")) result.at = std::atoll(part.c_str() + 2);
    if (part.starts_with("v1=")) result.signatures.push_back(part.substr(3));
  }
  result.content = std::to_string(result.at) + '.' + request.body;
  return result;
}

std::string signature(const std::string& secret, const std::string& content) {
  Hmac hmac(HmacAlgorithm::sha256);
  std::string mac;
  const std::array<std::string_view, 1> pieces{content};
  hmac.sign(secret, pieces, mac);
  return hex_encode(mac);
}

// An endpoint and its receiver, which keeps to one secret and one way to read.
class Party {
 public:
  Party(std::string at, Holds holds, Reads reads)
      : path(std::move(at)), holds_(holds), reads_(reads) {}

  Answer answer(const LedgerEntry& request) {
    const std::lock_guard lock(mutex_);
    const std::size_t newest = secrets_.size() - 1;
    const bool previous = holds_ == Holds::previous && newest > 0;
    const Signed got = read_signed(request);
    const std::string expected =
        signature(secrets_[previous ? newest - 1 : newest].text, got.content);
    const auto& all = got.signatures;
    if (all.empty()) return {.status = 403};
    const bool good = reads_ == Reads::first  ? all.front() == expected
                      : reads_ == Reads::last ? all.back() == expected
                                              : std::count(all.begin(), all.end(), expected) > 0;
    return {.status = good ? 200 : 403};
  }

  void got_secret(const std::string& text, WallTime made_at) {
    const std::lock_guard lock(mutex_);
    if (secrets_.size() >= 2) {
      // Rotated twice: ended by force.
      WallTime& end = secrets_[secrets_.size() - 2].retires_at;
      end = std::min(end, made_at + kMinSecretGrace);
    }
    secrets_.push_back({text, WallTime::max()});
  }
  void retires(std::size_t from_the_end, WallTime at) {
    const std::lock_guard lock(mutex_);
    secrets_[secrets_.size() - 1 - from_the_end].retires_at = at;
  }
  void changes_over() {
    const std::lock_guard lock(mutex_);
    holds_ = Holds::newest;
  }

  // Whether the request was signed with a secret that had not retired when it was signed.
  bool signed_with_a_valid_secret(const LedgerEntry& request) const {
    const std::lock_guard lock(mutex_);
    const Signed got = read_signed(request);
    for (const Known& secret : secrets_) {
      const std::string expected = signature(secret.text, got.content);
      const bool signs = std::count(got.signatures.begin(), got.signatures.end(), expected) > 0;
      if (signs && WallTime(std::chrono::seconds(got.at)) <= secret.retires_at) return true;
    }
    return false;
  }
  bool signed_by_the_newest_alone(const LedgerEntry& request) const {
    const std::lock_guard lock(mutex_);
    const Signed got = read_signed(request);
    return got.signatures == std::vector<std::string>{signature(secrets_.back().text, got.content)};
  }

  const std::string path;
  std::string api_path;

 private:
  struct Known {
    std::string text;
    WallTime retires_at;
  };
  mutable std::mutex mutex_;
  Holds holds_;
  const Reads reads_;
  std::vector<Known> secrets_;  // the newest last
};

WallTime time_of(const Json& value) {
  const auto text = value.get<std::string>();
  std::tm fields{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  return WallTime(std::chrono::seconds(timegm(&fields))) +
         std::chrono::milliseconds(std::atoi(rest + 1));
}

class RotationE2eTest : public ::testing::Test {
 protected:
  void add_party(const std::string& path, Holds holds, Reads reads, const std::string& profile) {
    parties_.push_back(std::make_unique<Party>(path, holds, reads));
    Party& party = *parties_.back();
    Json body =
        endpoint_body(receiver_.url(path), {{"signing", profile}, {"envelope", "standard"}});
    // Every refusal would end the delivery, if it were not for the rotation.
    body["retry"] = {
        {"delays_seconds", std::vector<double>(45, 0.4)}, {"jitter", 0}, {"end_on", {"4xx"}}};
    const Json made = api_->make("/v1/webhook-endpoints", body);
    party.api_path = "/v1/webhook-endpoints/" + made.at("id").get<std::string>();
    party.got_secret(made.at("secret"), WallTime::max() - std::chrono::hours{24});
    receiver_.on(path, [&party](const LedgerEntry& request) { return party.answer(request); });
    paths_.push_back(path);
  }

  void rotate(Party& party) {
    const Json rotated = api_->make(party.api_path + "/secrets/rotate",
                                    {{"force", true}, {"grace_period_seconds", 3600}});
    party.got_secret(rotated.at("secret"), time_of(rotated.at("created_at")));
  }

  void insert(int count) { installation_.insert({.count = count, .paths = paths_}); }

  std::vector<LedgerEntry> requests_of(const Party& party, std::size_t from) const {
    std::vector<LedgerEntry> requests;
    const Ledger ledger = receiver_.ledger();
    for (std::size_t i = from; i < ledger.entries().size(); ++i) {
      if (ledger.entries()[i].path == party.path) requests.push_back(ledger.entries()[i]);
    }
    return requests;
  }

  Installation installation_;
  Receiver receiver_;
  std::unique_ptr<SealpostProcess> serve_ = installation_.start("serve");
  std::unique_ptr<ApiClient> api_ = std::make_unique<ApiClient>(installation_.api(*serve_));
  std::vector<std::unique_ptr<Party>> parties_;
  std::vector<std::string> paths_;
};

TEST_F(RotationE2eTest, NoEventIsLostAndNoneSignedWithRetiredSecretsOnly) {
  add_party("/new-every", Holds::newest, Reads::every, "stripe");
  add_party("/new-first", Holds::newest, Reads::first, "stripe");
  add_party("/new-last", Holds::newest, Reads::last, "stripe");
  add_party("/old-every", Holds::previous, Reads::every, "stripe");
  add_party("/old-first", Holds::previous, Reads::first, "stripe");
  add_party("/old-last", Holds::previous, Reads::last, "stripe");
  add_party("/new-single", Holds::newest, Reads::every, "pandora");
  add_party("/old-single", Holds::previous, Reads::every, "pandora");

  for (int turn = 0; turn < 12; ++turn) {
    for (auto& party : parties_) {
      rotate(*party);
      insert(1);
    }
    std::this_thread::sleep_for(300ms);  // the load: a steady trickle
  }
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve_->errors();
  EXPECT_EQ(Findings{},
            find_violations(installation_.committed(), receiver_.ledger(), installation_.stored()));
  for (const auto& party : parties_) {
    const auto requests = requests_of(*party, 0);
    EXPECT_GE(requests.size(), 96U) << party->path;
    for (const LedgerEntry& request : requests) {
      EXPECT_TRUE(party->signed_with_a_valid_secret(request)) << party->path;
    }
  }

  // The grace ends, the last receivers change over.
  for (auto& party : parties_) {
    const Json list = api_->make(party->api_path + "/secrets/revoke-previous");
    party->retires(1, time_of(list.at("data")[1].at("expires_at")));
    party->changes_over();
  }
  ASSERT_TRUE(eventually(kPatience, [&] {
    return installation_.count(
               "SELECT count(*) FROM sealpost.endpoint_secrets "
               "WHERE expires_at > clock_timestamp()") == 0;
  }));
  const std::size_t before = receiver_.requests();
  insert(3);
  ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve_->errors();
  for (const auto& party : parties_) {
    const auto requests = requests_of(*party, before);
    EXPECT_EQ(requests.size(), 3U) << party->path;
    for (const LedgerEntry& request : requests) {
      EXPECT_TRUE(party->signed_by_the_newest_alone(request)) << party->path;
    }
  }
  EXPECT_EQ(Findings{},
            find_violations(installation_.committed(), receiver_.ledger(), installation_.stored()));
  EXPECT_EQ(0, installation_.count("SELECT count(*) FROM sealpost.attempts "
                                   "WHERE signature_key_ids IS NULL"));
}

}  // namespace
}  // namespace sealpost
