// Encrypted bodies, opened by libraries that we did not write and by the sample receivers of the
// ItPay document.
#include <algorithm>
#include <regex>

#include "tests/interop/interop_fixture.h"

namespace sealpost {
namespace {

// Of a receiver: its private key in hex, its public key as DER in base64, and the SHA-256 of that
// DER, all computed by PyNaCl and hashlib.
struct KeyPair {
  std::string private_key;
  std::string public_key;
  std::string fingerprint;
};
const KeyPair kOldKey{"0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
                      "MCowBQYDK2VuAyEAB6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=",
                      "ef1f7d8ef0ab699b890076ef20201662cde62fccd4571b98c263d73c2d1d574f"};
const KeyPair kNewKey{"2122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40",
                      "MCowBQYDK2VuAyEAWGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns=",
                      "7b94819f57c76c360b0100d3cb63bec9865fe5a3bf356f4de6d74f3d6fbbd77b"};

const Json kEncryptToOldKey = {
    {"encryption", {{"public_key", kOldKey.public_key}, {"key_type", "x25519"}}}};

// For judges whose secret is the private key: they open and look at nothing else.
Json told_to_open(const KeyPair& key) {
  return {{"secret", key.private_key}, {"fingerprint", key.fingerprint}};
}

class EncryptionInteropTest : public InteropTest {
 protected:
  // All payloads arrive and are what they were: byte for byte where the judge returns the text.
  void expect_all_opened(const std::string& path, const Case& one) {
    std::vector<std::string> waiting = kPayloads;
    for (const Json& verdict : courtroom_->judge(one.language).verdicts(path, waiting.size())) {
      expect_good(verdict, one);
      const Json event = verdict.value("event", Json());
      const auto payload = std::find_if(waiting.begin(), waiting.end(), [&](const std::string& p) {
        return event.is_string() ? event.get<std::string>().find(p) != std::string::npos
                                 : event.at("data").at("object") == Json::parse(p);
      });
      ASSERT_NE(waiting.end(), payload) << event;
      waiting.erase(payload);
    }
  }

  void insert_all() {
    for (const std::string& payload : kPayloads) insert(payload);
  }

  void register_key(const KeyPair& key) {
    courtroom_->api.make("/v1/merchant/webhook-keys",
                         {{"tenant", tenant_}, {"public_key", key.public_key}});
  }
};

TEST_F(EncryptionInteropTest, LibrariesOpenTheBoxes) {
  const std::vector<Case> cases{{"itpay", "pynacl", Language::python, false},
                                {"itpay", "tweetnacl", Language::node, false},
                                {"itpay", "libsodium", Language::node, false}};
  for (const Case& one : cases) {
    create_endpoint("/" + name_of(one), one, kEncryptToOldKey, told_to_open(kOldKey));
  }
  insert_all();
  for (const Case& one : cases) expect_all_opened("/" + name_of(one), one);
}

TEST_F(EncryptionInteropTest, TheDocumentsReceiverVerifiesAndOpens) {
  const Case one{"itpay", "itpay_sample", Language::python};
  create_endpoint("/sample", one, kEncryptToOldKey, {{"private_key", kOldKey.private_key}});
  insert_all();
  expect_all_opened("/sample", one);
}

// The document's other receiver splits the header at every "=", so no base64 in it may be padded;
// Stripe's skips what it does not know.
TEST_F(EncryptionInteropTest, ReceiversThatOnlyVerifyTakeTheHeaderInEveryMode) {
  const std::vector<Case> cases{{"itpay", "itpay_signature_sample", Language::python, false},
                                {"itpay", "stripe"}};
  for (const Case& one : cases) {
    for (const std::string mode : {"auto", "full", "body"}) {
      Json settings = kEncryptToOldKey;
      settings["encryption"]["enc_header"] = mode;
      create_endpoint("/" + one.library + "-" + mode, one, settings);
    }
  }
  insert(kPayloads.front());
  const std::regex box("t=[1-9][0-9]{9},v1=[0-9a-f]{64},enc=[A-Za-z0-9+/]{96,}");
  const std::regex word("t=[1-9][0-9]{9},v1=[0-9a-f]{64},enc=body");
  for (const Case& one : cases) {
    for (const std::string mode : {"auto", "full", "body"}) {
      const Json verdict =
          courtroom_->judge(one.language).verdicts("/" + one.library + "-" + mode, 1).front();
      expect_good(verdict, one);
      const Json& envelope = verdict.at("event");
      EXPECT_EQ(true, envelope.at("encrypted"));
      EXPECT_EQ(kOldKey.fingerprint, envelope.at("key_fingerprint"));
      const std::string header = verdict.at("headers").at("webhook-signature");
      EXPECT_TRUE(std::regex_match(header, mode == "body" ? word : box)) << mode << " " << header;
    }
  }
}

TEST_F(EncryptionInteropTest, WhileAKeyIsReplacedEitherOpens) {
  register_key(kOldKey);
  register_key(kNewKey);
  const Json encrypt = {{"encryption", {{"enabled", true}}}};
  const Case old_one{"itpay", "tweetnacl", Language::node, false};
  const Case new_one{"itpay", "libsodium", Language::node, false};
  create_endpoint("/old", old_one, encrypt, told_to_open(kOldKey));
  create_endpoint("/new", new_one, encrypt, told_to_open(kNewKey));
  // Has the old key and has never heard of recipients.
  const Case sample{"itpay", "itpay_sample", Language::python};
  create_endpoint("/sample-old", sample, encrypt, {{"private_key", kOldKey.private_key}});
  insert_all();
  expect_all_opened("/old", old_one);
  expect_all_opened("/new", new_one);
  expect_all_opened("/sample-old", sample);
}

TEST_F(EncryptionInteropTest, LibrariesOpenSealedJson) {
  const std::vector<Case> cases{{"sealed-json", "jose"},
                                {"sealed-json", "jwcrypto", Language::python, false}};
  for (const Case& one : cases) create_endpoint("/" + name_of(one), one);
  insert_all();
  for (const Case& one : cases) expect_all_opened("/" + name_of(one), one);
}

// The judges answer encrypted, with libraries that we did not write, and as docs/RECEIVERS.md says.
TEST_F(EncryptionInteropTest, EncryptedAnswersAreOpened) {
  constexpr auto kAnswer = R"({"ok":true,"text":"\u00e4 € 漢字"})";
  const std::vector<Case> cases{{"sealed-json", "jose"},
                                {"sealed-json", "jwcrypto", Language::python, false},
                                {"sealed-json", "guide_sealed"},
                                {"sealed-json", "guide_sealed", Language::python}};
  for (const Case& one : cases) {
    create_endpoint("/answers-" + one.library, one, {{"require_encrypted_response", true}},
                    {{"answer", kAnswer}});
  }
  insert_all();
  for (const Case& one : cases) expect_all_opened("/answers-" + one.library, one);
  const auto deliveries = [&] {
    std::vector<Json> delivered;
    for (const Json& delivery : courtroom_->api.read_all("/v1/deliveries?state=delivered")) {
      if (delivery.at("tenant") == tenant_) delivered.push_back(delivery);
    }
    return delivered;
  };
  ASSERT_TRUE(eventually(std::chrono::seconds(60),
                         [&] { return deliveries().size() == cases.size() * kPayloads.size(); }));
  for (const Json& delivery : deliveries()) {
    const std::string path = "/v1/deliveries/" + delivery.at("id").get<std::string>();
    const Json detail = courtroom_->api.get(path).body;
    EXPECT_EQ(kAnswer, detail.at("response_payload")) << detail;
    EXPECT_EQ("utf8", detail.at("response_payload_encoding"));
    EXPECT_EQ(1U, detail.at("attempts").size()) << "none was refused";
  }
}

}  // namespace
}  // namespace sealpost
