// Answers as receivers write them: encrypted ones, of which none opens that was not made with the
// key, and refusals with a code.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/check.h"
#include "core/limits.h"
#include "core/receiver_error.h"
#include "core/sealed_response.h"

namespace sealpost {
namespace {

// That of tests/core/sealed_response_test.cc, whose answer is in the corpus.
const SealedSession& session() {
  static const SealedSession kSession{
      .root =
          SecretText(base64_decode("vBTxqcGNbdHVOop93Z975ZUF5mXP3O0QCGvI2As97VOk0jlrkTklFdIAL5BB"
                                   "WrdlTPPrQmVwUFifX4Gpp4IRhg==")
                         .value()),
      .key_id = "ep_1.1",
      .session = "AAECAwQFBgcICQoLDA0ODw",
      .nonce = "EBESExQVFhcYGRobHB0eHw"};
  return kSession;
}
constexpr std::string_view kOnlyAnswer = R"({"ok":true})";

void check_packet(std::string_view body) {
  const auto opened = open_sealed_response(session(), body);
  const auto* text = std::get_if<SecretText>(&opened);
  CHECK(text == nullptr || text->reveal() == kOnlyAnswer, "opened what nobody encrypted");
}

// Gets past the first reader: the bytes are the protected header.
void check_header(std::string_view header) {
  const std::string packet =
      R"({"protected":")" + base64url_encode(header) +
      R"(","iv":"AAAAAAAAAAAAAAAA","ciphertext":"","tag":"AAAAAAAAAAAAAAAAAAAAAA"})";
  const auto opened = open_sealed_response(session(), packet);
  CHECK(std::holds_alternative<ResponseProblem>(opened), "opened what nobody encrypted");
}

void check_outcome(std::string_view body) {
  for (const bool required : {false, true}) {
    AttemptOutcome outcome;
    outcome.status_code = 200;
    outcome.response_body = body;
    outcome.response_is_packet = true;
    const auto payload = take_sealed_response(session(), required, outcome);
    CHECK(outcome.response_body.size() <= kStoredResponseBytes, "stores more than it may");
    CHECK(outcome.succeeded() == (payload != nullptr || !required), "counts what it must not");
    CHECK(outcome.response_decrypt_failed.has_value() != (payload != nullptr) || body.empty(),
          "neither opened nor a reason");
  }
}

}  // namespace
}  // namespace sealpost

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sealpost::check_packet(text);
  sealpost::check_header(text);
  sealpost::check_outcome(text);
  sealpost::read_receiver_error(text);
  return 0;
}
