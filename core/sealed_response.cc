#include "core/sealed_response.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/bytes.h"
#include "core/limits.h"

namespace sealpost {
namespace {

SecretText response_key(const SealedSession& session) {
  const std::string sid = base64url_decode(session.session).value_or("");
  return sealed_session_key(session.root, sid, "enc-resp", kGcmKeyBytes);
}

std::variant<SecretText, ResponseProblem> judge(const SealedSession& session,
                                                const AttemptOutcome& outcome) {
  if (outcome.response_body.empty() || !outcome.response_is_packet) return ResponseProblem::missing;
  if (outcome.response_body.size() >= kMaxSealedResponse) return ResponseProblem::too_large;
  if (outcome.response_truncated) return ResponseProblem::incomplete;
  return open_sealed_response(session, outcome.response_body);
}

void cut_to_stored(AttemptOutcome& outcome) {
  if (outcome.response_body.size() <= kStoredResponseBytes) return;
  outcome.response_body = outcome.response_body.substr(0, kStoredResponseBytes);
  outcome.response_truncated = true;
}

}  // namespace

std::variant<SecretText, ResponseProblem> open_sealed_response(const SealedSession& session,
                                                               std::string_view body) {
  const auto packet = read_packet(body);
  if (!packet) return ResponseProblem::malformed;
  if (!packet->is_dir_gcm) return ResponseProblem::wrong_algorithm;
  if (packet->kid != session.key_id || packet->sid != session.session) {
    return ResponseProblem::wrong_session;
  }
  if (packet->rnonce != session.nonce) return ResponseProblem::wrong_nonce;
  auto text = open_packet(*packet, response_key(session));
  if (!text) return ResponseProblem::not_opened;
  return *std::move(text);
}

std::string seal_response(const SealedSession& session, std::string_view content_type,
                          std::string_view text, Random& random) {
  const nlohmann::ordered_json header = {
      {"alg", "dir"},           {"enc", "A256GCM"},        {"kid", session.key_id},
      {"sid", session.session}, {"rnonce", session.nonce}, {"cty", content_type}};
  return write_packet(header.dump(), text, response_key(session), random);
}

std::shared_ptr<const SecretText> take_sealed_response(const SealedSession& session, bool required,
                                                       AttemptOutcome& outcome) {
  std::shared_ptr<const SecretText> payload;
  if (outcome.succeeded()) {
    auto judged = judge(session, outcome);
    if (auto* text = std::get_if<SecretText>(&judged)) {
      payload = std::make_shared<const SecretText>(std::move(*text));
    } else if (const auto problem = std::get<ResponseProblem>(judged);
               required || problem != ResponseProblem::missing) {
      outcome.response_decrypt_failed = problem;
      outcome.response_refused = required;
    }
  }
  cut_to_stored(outcome);
  return payload;
}

}  // namespace sealpost
