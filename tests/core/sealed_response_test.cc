#include "core/sealed_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "core/limits.h"
#include "core/sealed_json.h"
#include "tests/support/fake_random.h"
#include "tests/support/scripted_random.h"

namespace sealpost {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kText[] = R"({"ok":true})";

// The session of the published request (tests/core/sealed_json_test.cc).
SealedSession published() {
  return {.root = sealed_json_root(SecretText("deployment-master-secret-0123456789"),
                                   "-1001234567890", 1),
          .key_id = "ep_1.1",
          .session = base64url_encode(byte_range(0x00, 0x0f)),
          .nonce = base64url_encode(byte_range(0x10, 0x1f))};
}

// The text, or the word for what is wrong.
std::string opened(const SealedSession& session, std::string_view body) {
  const auto result = open_sealed_response(session, body);
  if (const auto* problem = std::get_if<ResponseProblem>(&result)) {
    return std::string(to_text(*problem));
  }
  return std::string(std::get<SecretText>(result).reveal());
}

std::string sealed(const SealedSession& session = published(), std::string_view text = kText) {
  FakeRandom random;
  return seal_response(session, "application/json", text, random);
}

// A packet that would open but for its header.
std::string with_header(const std::function<void(Json&)>& change) {
  const SealedSession session = published();
  Json header = {{"alg", "dir"},           {"enc", "A256GCM"},        {"kid", session.key_id},
                 {"sid", session.session}, {"rnonce", session.nonce}, {"cty", "text/plain"}};
  change(header);
  const std::string sid = byte_range(0x00, 0x0f);
  FakeRandom random;
  return write_packet(header.dump(), kText,
                      sealed_session_key(session.root, sid, "enc-resp", kGcmKeyBytes), random);
}

std::string with_member(const std::string& packet, const char* name, const Json& value) {
  Json changed = Json::parse(packet);
  changed[name] = value;
  return changed.dump();
}

// Made by Python's cryptography (HKDF, AESGCM): session as above, iv bytes 30…3b, header members
// alg, enc, kid, sid, rnonce, cty ("application/json").
constexpr char kPublishedAnswer[] =
    R"({"protected":"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiZXBfMS4xIiwic2lkIjoiQU)"
    R"(FFQ0F3UUZCZ2NJQ1FvTERBME9EdyIsInJub25jZSI6IkVCRVNFeFFWRmhjWUdSb2JIQjBlSHciLCJjdHkiOi)"
    R"(JhcHBsaWNhdGlvbi9qc29uIn0","iv":"MDEyMzQ1Njc4OTo7","ciphertext":"kzwDoqDRPytFgPc","t)"
    R"(ag":"JzQ4qpHGoZAcE7YmeP715g"})";

TEST(SealedResponseTest, OpensAnAnswerThatWasMadeWithoutThisProgram) {
  EXPECT_EQ(opened(published(), kPublishedAnswer), kText);
}

TEST(SealedResponseTest, MakesTheSameAnswer) {
  ScriptedRandom random(byte_range(0x30, 0x3b));
  EXPECT_EQ(seal_response(published(), "application/json", kText, random), kPublishedAnswer);
}

TEST(SealedResponseTest, OpensWhatItSealed) {
  for (const std::string text : {kText, "", "any \x80 bytes"}) {
    EXPECT_EQ(opened(published(), sealed(published(), text)), text);
  }
  EXPECT_EQ(opened(published(), with_header([](Json&) {})), kText);
  EXPECT_EQ(opened(published(), with_header([](Json& h) { h.erase("cty"); })), kText);
  EXPECT_EQ(opened(published(), with_member(sealed(), "encrypted_key", "")), kText)
      << "some libraries write it";
}

TEST(SealedResponseTest, TheHeaderMustBeTheRequests) {
  const struct {
    const char* member;
    Json value;
    const char* problem;
  } cases[] = {
      {"alg", "A256KW", "wrong_algorithm"},
      {"alg", "none", "wrong_algorithm"},
      {"alg", "DIR", "wrong_algorithm"},
      {"alg", nullptr, "wrong_algorithm"},
      {"enc", "A128GCM", "wrong_algorithm"},
      {"enc", 5, "wrong_algorithm"},
      {"zip", "DEF", "wrong_algorithm"},
      {"crit", Json::array({"exp"}), "wrong_algorithm"},
      {"kid", "ep_2.1", "wrong_session"},
      {"kid", Json::array({"ep_1.1"}), "wrong_session"},
      {"sid", base64url_encode(byte_range(0x01, 0x10)), "wrong_session"},
      {"sid", "", "wrong_session"},
      {"rnonce", base64url_encode(byte_range(0x11, 0x20)), "wrong_nonce"},
      {"rnonce", "", "wrong_nonce"},
      {"rnonce", 7, "wrong_nonce"},
  };
  for (const auto& [member, value, problem] : cases) {
    const std::string packet =
        with_header([&, &name = member, &to = value](Json& h) { h[name] = to; });
    EXPECT_EQ(opened(published(), packet), problem) << member << " " << value;
  }
  for (const char* member : {"alg", "enc", "kid", "sid", "rnonce"}) {
    const std::string packet = with_header([&](Json& h) { h.erase(member); });
    EXPECT_NE(opened(published(), packet), kText) << "without " << member;
  }
}

TEST(SealedResponseTest, WhatWasChangedDoesNotOpen) {
  const std::string good = sealed();
  for (const char* member : {"iv", "ciphertext", "tag"}) {
    std::string text = Json::parse(good).at(member);
    text[1] = text[1] == 'A' ? 'B' : 'A';
    EXPECT_EQ(opened(published(), with_member(good, member, text)), "not_opened") << member;
    text.resize(8);
    EXPECT_EQ(opened(published(), with_member(good, member, text)), "not_opened") << member;
  }
  // The same header in another spelling: it is authenticated as it stands.
  const std::string header =
      base64url_decode(Json::parse(good).at("protected").get<std::string>()).value();
  EXPECT_EQ(opened(published(), with_member(good, "protected", base64url_encode(header + " "))),
            "not_opened");
}

TEST(SealedResponseTest, AnotherSessionsKeyDoesNotOpen) {
  SealedSession other = published();
  other.root = sealed_json_root(SecretText("another"), "1", 1);
  EXPECT_EQ(opened(published(), sealed(other)), "not_opened");
  // The request's own key is not the answer's: a request cannot be played back as its answer.
  const SealedSession session = published();
  FakeRandom random;
  const std::string header = with_header([](Json&) {});
  const std::string protected_text =
      base64url_decode(Json::parse(header).at("protected").get<std::string>()).value();
  const std::string packet = write_packet(
      protected_text, kText,
      sealed_session_key(session.root, byte_range(0x00, 0x0f), "enc-req", kGcmKeyBytes), random);
  EXPECT_EQ(opened(session, packet), "not_opened");
}

TEST(SealedResponseTest, AnythingElseIsMalformed) {
  const std::string good = sealed();
  EXPECT_EQ(opened(published(), ""), "malformed");
  EXPECT_EQ(opened(published(), "ok"), "malformed");
  EXPECT_EQ(opened(published(), "{}"), "malformed");
  EXPECT_EQ(opened(published(), "[" + good + "]"), "malformed");
  EXPECT_EQ(opened(published(), good.substr(0, good.size() - 1)), "malformed");
  EXPECT_EQ(opened(published(), "a.b.c.d.e"), "malformed") << "compact serialization";
  for (const char* member : {"protected", "iv", "ciphertext", "tag"}) {
    EXPECT_EQ(opened(published(), with_member(good, member, nullptr)), "malformed") << member;
    EXPECT_EQ(opened(published(), with_member(good, member, "no base64url!")), "malformed")
        << member;
  }
  for (const std::string header : {"[]", "no JSON", "", "{\"alg\":"}) {
    EXPECT_EQ(opened(published(), with_member(good, "protected", base64url_encode(header))),
              "malformed")
        << header;
  }
}

// --- what an attempt makes of it

struct Taken {
  std::string payload;  // "(none)" if there is none
  std::string problem;  // "" if there is none
  bool succeeded;
  bool operator==(const Taken&) const = default;
};
void PrintTo(const Taken& taken, std::ostream* out) {
  *out << taken.payload << ", " << taken.problem << ", " << taken.succeeded;
}

AttemptOutcome answered(int status, const std::string& body, bool is_packet) {
  AttemptOutcome outcome;
  outcome.status_code = status;
  outcome.response_body = body;
  outcome.response_is_packet = is_packet;
  return outcome;
}

Taken taken(AttemptOutcome outcome, bool required) {
  const auto payload = take_sealed_response(published(), required, outcome);
  return {.payload = payload ? std::string(payload->reveal()) : "(none)",
          .problem = outcome.response_decrypt_failed
                         ? std::string(to_text(*outcome.response_decrypt_failed))
                         : "",
          .succeeded = outcome.succeeded()};
}

TEST(TakeSealedResponseTest, AnswersThatNeedNotBeEncrypted) {
  EXPECT_EQ(taken(answered(200, sealed(), true), false), (Taken{kText, "", true}));
  EXPECT_EQ(taken(answered(204, "", false), false), (Taken{"(none)", "", true}));
  EXPECT_EQ(taken(answered(200, "", true), false), (Taken{"(none)", "", true}));
  EXPECT_EQ(taken(answered(200, "ok", false), false), (Taken{"(none)", "", true}));
  EXPECT_EQ(taken(answered(200, sealed(), false), false), (Taken{"(none)", "", true}))
      << "it is not typed so";
  EXPECT_EQ(taken(answered(200, "ok", true), false), (Taken{"(none)", "malformed", true}));
}

TEST(TakeSealedResponseTest, AnswersThatMustBeEncrypted) {
  EXPECT_EQ(taken(answered(200, sealed(), true), true), (Taken{kText, "", true}));
  EXPECT_EQ(taken(answered(204, "", false), true), (Taken{"(none)", "missing", false}));
  EXPECT_EQ(taken(answered(200, sealed(), false), true), (Taken{"(none)", "missing", false}));
  EXPECT_EQ(taken(answered(200, "ok", true), true), (Taken{"(none)", "malformed", false}));
}

TEST(TakeSealedResponseTest, ARefusalIsARefusal) {
  for (const bool required : {false, true}) {
    EXPECT_EQ(taken(answered(500, sealed(), true), required), (Taken{"(none)", "", false}));
    AttemptOutcome lost;
    lost.error = AttemptError::connection_lost;
    EXPECT_EQ(taken(lost, required), (Taken{"(none)", "", false}));
  }
}

TEST(TakeSealedResponseTest, OnlyWholeAnswersAreOpened) {
  AttemptOutcome cut = answered(200, sealed(), true);
  cut.response_truncated = true;
  EXPECT_EQ(taken(cut, false), (Taken{"(none)", "incomplete", true}));
  AttemptOutcome long_one = answered(200, std::string(kMaxSealedResponse, 'x'), true);
  long_one.response_truncated = true;
  EXPECT_EQ(taken(long_one, true), (Taken{"(none)", "too_large", false}));
}

TEST(TakeSealedResponseTest, NoMoreOfTheBodyIsStoredThanOfOthers) {
  const std::string text(30'000, 't');
  const std::string packet = sealed(published(), text);
  AttemptOutcome outcome = answered(200, packet, true);
  const auto payload = take_sealed_response(published(), true, outcome);
  ASSERT_NE(payload, nullptr);
  EXPECT_EQ(payload->reveal(), text);
  EXPECT_EQ(outcome.response_body, packet.substr(0, kStoredResponseBytes));
  EXPECT_TRUE(outcome.response_truncated);
}

}  // namespace
}  // namespace sealpost
