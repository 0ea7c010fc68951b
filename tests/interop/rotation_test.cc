// A grace, in which two secrets are valid, before libraries that we did not write: each profile has
// a receiver that holds only the old secret and one that holds only the new one, and every event
// reaches both.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "tests/interop/interop_fixture.h"

namespace sealpost {
namespace {

// What a library makes of a request with two signatures.
enum class Takes {
  any,   // one of them that matches is enough
  last,  // keeps the last one, or the dialect has room for one only
};

struct GraceCase {
  Case judged;
  Takes takes;
  std::string header;     // where the signatures stand
  std::string signature;  // a regular expression of one
};

const std::vector<GraceCase> kCases{
    {{"stripe", "stripe"}, Takes::any, "stripe-signature", "v1=[0-9a-f]{64}"},
    {{"standard", "standardwebhooks"}, Takes::any, "webhook-signature", "v1,[A-Za-z0-9+/]{43}="},
    // Keeps the last h1 of its list.
    {{"paddle", "paddle"}, Takes::last, "paddle-signature", "h1=[0-9a-f]{64}"},
    // The document's own code reads the header into a dictionary.
    {{"itpay", "itpay_signature_sample", Language::python, false},
     Takes::last,
     "webhook-signature",
     "v1=[0-9a-f]{64}"},
    {{"httpsig", "http_message_signatures", Language::node, true, Key::public_key},
     Takes::any,
     "signature",
     "sig[12]=:"},
    {{"httpsig-hmac", "http_message_signatures"}, Takes::any, "signature", "sig[12]=:"},
    {{"github", "octokit", Language::node, false},
     Takes::last,
     "x-hub-signature-256",
     "sha256=[0-9a-f]{64}"},
};

bool has_room_for_one(const GraceCase& one) { return one.judged.profile == "github"; }

enum class Holds { old_secret, new_secret };

std::string name_of(const GraceCase& one, Holds holds) {
  return name_of(one.judged) + (holds == Holds::new_secret ? "_new" : "_old");
}

// For GoogleTest.
void PrintTo(const GraceCase& one, std::ostream* out) { *out << name_of(one.judged); }

class GraceInteropTest : public InteropTest,
                         public ::testing::WithParamInterface<std::tuple<GraceCase, Holds>> {
 protected:
  // An endpoint whose secret was just rotated; no event of it was sent before. Its judge is strict
  // and holds one of the two.
  void create_in_grace(const std::string& path, const Case& one, Holds holds) {
    JudgeProcess& judge = courtroom_->judge(one.language);
    Json more = quick_retry(std::vector<double>(20, 0.1));
    more["tenant"] = tenant_;
    more["signing"] = {{"profile", one.profile}};
    const Json made =
        courtroom_->api.make("/v1/webhook-endpoints", endpoint_body(judge.url(path), more));
    const Json rotated = courtroom_->api.make(
        "/v1/webhook-endpoints/" + made.at("id").get<std::string>() + "/secrets/rotate",
        {{"grace_period_seconds", 3600}});
    const bool is_public = one.key == Key::public_key;
    // A new public key has to be known to verifiers before it signs, unless the operator says it
    // is.
    if (is_public) {
      courtroom_->api.make("/v1/webhook-endpoints/" + made.at("id").get<std::string>() +
                           "/secrets/activate");
    }
    const Json& secret = holds == Holds::new_secret
                             ? rotated.at(is_public ? "public_key" : "secret")
                         : is_public ? made.at("signing").at("public_keys").at(0)
                                     : made.at("secret");
    judge.assign(path, {{"library", one.library},
                        {"profile", one.profile},
                        {"url", judge.url(path)},
                        {"secret", secret},
                        {"strict", true},
                        {"by_keyid", true}});
  }

  static std::ptrdiff_t signatures_in(const Json& verdict, const GraceCase& one) {
    const std::string header = verdict.at("headers").at(one.header);
    const std::regex signature(one.signature);
    return std::distance(std::sregex_iterator(header.begin(), header.end(), signature),
                         std::sregex_iterator());
  }
};

TEST_P(GraceInteropTest, EveryEventArrivesWhicheverSecretTheReceiverHolds) {
  const auto& [one, holds] = GetParam();
  const std::string path = "/grace-" + name_of(one, holds);
  create_in_grace(path, one.judged, holds);
  std::set<std::string> expected;
  for (const std::string& payload : kPayloads)
    expected.insert("wh_" + insert(payload) + "-retry-1");

  const JudgeProcess& judge = courtroom_->judge(one.judged.language);
  std::set<std::string> arrived;
  std::size_t refused = 0;
  for (const Json& verdict : judge.verdicts_until_accepted(path, expected.size())) {
    EXPECT_EQ(has_room_for_one(one) ? 1 : 2, signatures_in(verdict, one));
    if (!verdict.at("accepted")) {
      ++refused;
      continue;
    }
    expect_good(verdict, one.judged);
    arrived.insert(verdict.at("headers").at("idempotency-key"));
  }
  EXPECT_EQ(expected, arrived);
  // Whoever has not noticed the rotation refuses nothing; whoever looks at the last signature alone
  // and has changed over already teaches Sealpost so by a refusal.
  const bool must_teach = one.takes == Takes::last && holds == Holds::new_secret;
  EXPECT_EQ(must_teach, refused > 0) << refused;
}

INSTANTIATE_TEST_SUITE_P(Profiles, GraceInteropTest,
                         ::testing::Combine(::testing::ValuesIn(kCases),
                                            ::testing::Values(Holds::old_secret,
                                                              Holds::new_secret)),
                         [](const auto& test) {
                           std::string name =
                               name_of(std::get<0>(test.param), std::get<1>(test.param));
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace sealpost
