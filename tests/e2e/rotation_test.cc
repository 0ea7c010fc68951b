// Signing secrets, key pairs and encryption keys are rotated all the time under a steady load, with
// receivers that parse and change over in different ways, and the program dies in the middle.
#include <gtest/gtest.h>

#include <ctime>
#include <iostream>
#include <thread>

#include "base/box.h"
#include "base/bytes.h"
#include "base/random.h"
#include "tests/e2e/load.h"
#include "tests/e2e/rotating_party.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr auto kPatience = 120s;  // with a sanitizer; else a few seconds

// The load: 400 events and 1,200 deliveries a second.
constexpr auto kTick = 50ms;
constexpr int kTicks = 180;           // 9 s
constexpr int kEventsPerTick = 5;     // of each of four tenants: 3,800 in all
constexpr int kTicksPerRotation = 5;  // of one of twelve endpoints: each has one every 3 s
constexpr int kTicksPerKeyTurn = 20;  // a step of an encryption key's rotation: three are one
constexpr int kKilledAt = 90;
constexpr int kTicksDead = 10;

const std::string kList = "list", kSingle = "single", kAsymmetric = "asymmetric",
                  kEncrypted = "encrypted";
const std::string kKeys = "/v1/merchant/webhook-keys";

const std::vector<PartyKind> kParties{
    {"/new-every", "stripe", Holds::newest, Reads::every, kList},
    {"/new-first", "stripe", Holds::newest, Reads::first, kList},
    {"/new-last", "stripe", Holds::newest, Reads::last, kList},
    {"/old-every", "stripe", Holds::previous, Reads::every, kList},
    {"/old-first", "stripe", Holds::previous, Reads::first, kList},
    {"/old-last", "stripe", Holds::previous, Reads::last, kList},
    {"/new-single", "pandora", Holds::newest, Reads::every, kSingle},
    {"/old-single", "pandora", Holds::previous, Reads::every, kSingle},
    {"/new-asymmetric", "standard-asymmetric", Holds::newest, Reads::every, kAsymmetric},
    {"/old-asymmetric", "standard-asymmetric", Holds::previous, Reads::every, kAsymmetric},
    {"/new-encrypted", "itpay", Holds::newest, Reads::every, kEncrypted},
    {"/old-encrypted", "itpay", Holds::previous, Reads::every, kEncrypted},
};

WallTime time_of(const Json& value) {
  const auto text = value.get<std::string>();
  std::tm fields{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  return WallTime(std::chrono::seconds(timegm(&fields))) +
         std::chrono::milliseconds(std::atoi(rest + 1));
}

// The receiver's half of what a rotation or a creation answers.
std::string verifying_text(const Json& answer) {
  const Json public_key = answer.contains("signing")
                              ? answer.at("signing").value("public_keys", Json::array({Json()}))[0]
                              : answer.at("public_key");
  return public_key.is_string() ? public_key : answer.at("secret");
}

class RotationE2eTest : public ::testing::Test {
 protected:
  RotationE2eTest() {
    start();
    add_encryption_key();
    for (const PartyKind& kind : kParties) add_party(kind);
    for (auto& party : parties_) {
      if (party->kind().tenant == kEncrypted) party->opens_with(private_keys_.back());
    }
  }

  void start() {
    serve_ = installation_.start(
        "serve",
        {{"SEALPOST_INSTANCE", "only"}, {"SEALPOST_MAX_IN_FLIGHT", std::to_string(kLoadInFlight)}});
    api_ = std::make_unique<ApiClient>(installation_.api(*serve_));
  }

  void add_party(const PartyKind& kind) {
    parties_.push_back(std::make_unique<RotatingParty>(kind));
    RotatingParty& party = *parties_.back();
    paths_[kind.tenant].push_back(kind.path);
    receiver_.on(kind.path, [&party](const LedgerEntry& request) { return party.answer(request); });
    Json body = endpoint_body(
        receiver_.url(kind.path),
        {{"tenant", kind.tenant}, {"signing", kind.profile}, {"envelope", "standard"}});
    if (kind.tenant == kEncrypted) body["encryption"] = {{"enabled", true}};
    // Every refusal would end the delivery, if it were not for the rotation.
    body["retry"] = {
        {"delays_seconds", std::vector<double>(45, 0.4)}, {"jitter", 0}, {"end_on", {"4xx"}}};
    const Json made = api_->make("/v1/webhook-endpoints", body);
    party.api_path = "/v1/webhook-endpoints/" + made.at("id").get<std::string>();
    party.got_secret(verifying_text(made), WallTime{});
  }

  void rotate(RotatingParty& party) {
    const Json rotated = api_->make(party.api_path + "/secrets/rotate",
                                    {{"force", true}, {"grace_period_seconds", 3600}});
    party.got_secret(verifying_text(rotated), time_of(rotated.at("created_at")));
  }

  void add_encryption_key() {
    std::string bytes(kBoxKeyBytes, '\0');
    random_.fill(std::as_writable_bytes(std::span(bytes)));
    private_keys_.emplace_back(bytes);
    const Json made =
        api_->make(kKeys, {{"tenant", kEncrypted},
                           {"public_key", base64_encode(box_public_key(private_keys_.back()))}});
    key_ids_.push_back(made.at("id"));
  }

  // One step of: register the new key, make it the primary one, delete the old one. Whoever takes
  // keys early changes over at the first, whoever knows the document's members only at the second.
  void turn_encryption_key(int step) {
    const auto hand_over = [&](Holds holds) {
      for (auto& party : parties_) {
        const PartyKind& kind = party->kind();
        if (kind.tenant == kEncrypted && kind.holds == holds) {
          party->opens_with(private_keys_.back());
        }
      }
    };
    if (step % 3 == 0) {
      add_encryption_key();
      hand_over(Holds::newest);
    } else if (step % 3 == 1) {
      api_->make(kKeys + "/" + key_ids_.back() + "/primary");
      hand_over(Holds::previous);
    } else {
      EXPECT_EQ(200, api_->remove(kKeys + "/" + key_ids_[key_ids_.size() - 2]).status);
    }
  }

  void insert(int count) {
    for (const auto& [tenant, paths] : paths_) {
      installation_.insert({.tenant = tenant, .count = count, .paths = paths});
    }
  }

  std::int64_t secrets_in_grace() {
    return installation_.count(
        "SELECT count(*) FROM sealpost.endpoint_secrets WHERE expires_at > clock_timestamp()");
  }

  // kill -9 with a grace running for every endpoint, and the load goes on.
  void kill_and_restart(MonotonicTime& next) {
    ASSERT_GE(secrets_in_grace(), static_cast<std::int64_t>(kParties.size()));
    serve_->kill_hard();
    ASSERT_TRUE(serve_->wait_exit(kPatience));
    for (int tick = 0; tick < kTicksDead; ++tick) {
      insert(kEventsPerTick);
      std::this_thread::sleep_until(next += kTick);
    }
    start();
  }

  void run_load() {
    MonotonicTime next = SystemClock().monotonic_now();
    for (int tick = 0; tick < kTicks; ++tick) {
      insert(kEventsPerTick);
      if (tick % kTicksPerRotation == 0) {
        rotate(*parties_[static_cast<std::size_t>(tick / kTicksPerRotation) % parties_.size()]);
      }
      if (tick % kTicksPerKeyTurn == 0) turn_encryption_key(tick / kTicksPerKeyTurn);
      if (tick == kKilledAt) kill_and_restart(next);
      std::this_thread::sleep_until(next += kTick);  // the load's pace
    }
  }

  RotatingParty& party_of(const LedgerEntry& request) {
    return **std::find_if(parties_.begin(), parties_.end(),
                          [&](const auto& party) { return party->kind().path == request.path; });
  }

  // What arrived, with encrypted bodies opened.
  Ledger opened_ledger() {
    Ledger opened;
    const Ledger ledger = receiver_.ledger();
    for (LedgerEntry entry : ledger.entries()) {
      auto body = party_of(entry).plain_body(entry);
      EXPECT_TRUE(body) << "not encrypted, or for nobody's key: " << entry.body;
      entry.body = body.value_or("");
      const auto status = entry.status;
      const bool sent = entry.answer_sent;
      const MonotonicTime at = entry.answered_at;
      const std::size_t position = opened.add(std::move(entry));
      if (status) opened.answered(position, *status, sent, at);
    }
    return opened;
  }

  // Every receiver accepted every event; some twice, but no more than were in flight at the kill.
  void expect_all_arrived() {
    ASSERT_TRUE(installation_.wait_until_at_rest(kPatience)) << serve_->errors();
    const Ledger ledger = opened_ledger();
    EXPECT_EQ(installation_.committed().deliveries.size(), ledger.distinct_accepted());
    const Findings findings =
        find_violations(installation_.committed(), ledger, installation_.stored());
    std::cout << ledger.requests() << " requests, " << ledger.accepted()
              << " accepted: " << findings << '\n';
    EXPECT_LE(findings.duplicated, kLoadInFlight);
    EXPECT_LE(findings.unrecorded, kLoadInFlight);
    Findings others = findings;
    others.duplicated = others.unrecorded = 0;
    EXPECT_EQ(Findings{}, others);
    EXPECT_EQ("", dead_letters());
  }

  // With the attempts that led there, for whoever has to find out why.
  std::string dead_letters() {
    const PgRows rows = installation_.sql().query_once(R"sql(
        SELECT string_agg(format('%s %s attempt %s at %s after %s us: %s %s by %s, secrets %s', e.url, d.reason,
                 a.number, a.started_at, a.duration_us, a.status_code, a.error, a.signature_key_ids, (
                   SELECT string_agg(format('%s %s..%s', s.fingerprint, s.created_at, s.expires_at), ', ')
                   FROM sealpost.endpoint_secrets s WHERE s.endpoint_id = e.id)), E'\n')
        FROM sealpost.dead_letters d JOIN sealpost.endpoints e ON e.id = d.endpoint_id
        JOIN sealpost.attempts a ON a.delivery_id = d.id)sql");
    return rows.optional_text(0, 0).value_or("");
  }

  // The grace ends, the last receivers change over.
  void end_all_graces() {
    for (auto& party : parties_) {
      const Json list = api_->make(party->api_path + "/secrets/revoke-previous");
      party->previous_retires(time_of(list.at("data")[1].at("expires_at")));
      party->changes_over();
    }
    ASSERT_TRUE(eventually(kPatience, [&] { return secrets_in_grace() == 0; }));
  }

  Installation installation_;
  SystemRandom random_;
  // Before the receiver, whose thread asks them.
  std::vector<std::unique_ptr<RotatingParty>> parties_;
  Receiver receiver_;
  std::unique_ptr<SealpostProcess> serve_;
  std::unique_ptr<ApiClient> api_;
  std::map<std::string, std::vector<std::string>> paths_;  // by tenant
  std::vector<SecretText> private_keys_;
  std::vector<std::string> key_ids_;
};

TEST_F(RotationE2eTest, UnderLoadAndAKillNoEventIsLostAndNoneSignedWithRetiredSecretsOnly) {
  run_load();
  expect_all_arrived();
  std::map<std::string, int> badly_signed;
  const Ledger under_load = receiver_.ledger();
  for (const LedgerEntry& request : under_load.entries()) {
    if (!party_of(request).signed_with_a_valid_secret(request)) ++badly_signed[request.path];
  }
  EXPECT_EQ((std::map<std::string, int>{}), badly_signed);

  end_all_graces();
  const std::size_t before = receiver_.requests();
  insert(1);
  expect_all_arrived();
  const Ledger ledger = receiver_.ledger();
  EXPECT_EQ(before + kParties.size(), ledger.requests());
  for (std::size_t i = before; i < ledger.requests(); ++i) {
    const LedgerEntry& request = ledger.entries()[i];
    EXPECT_TRUE(party_of(request).signed_by_the_newest_alone(request)) << request.path;
  }
  EXPECT_EQ(0, installation_.count("SELECT count(*) FROM sealpost.attempts "
                                   "WHERE signature_key_ids IS NULL"));
}

}  // namespace
}  // namespace sealpost
