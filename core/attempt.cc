#include "core/attempt.h"

#include "core/words.h"

namespace sealpost {
namespace {

constexpr Word<AttemptError> kErrors[] = {
    {AttemptError::dns, "dns"},
    {AttemptError::connect, "connect"},
    {AttemptError::tls, "tls"},
    {AttemptError::timeout, "timeout"},
    {AttemptError::connection_lost, "connection_lost"},
    {AttemptError::blocked_by_policy, "blocked_by_policy"},
    {AttemptError::bad_response, "bad_response"},
    {AttemptError::internal, "internal"},
};

constexpr Word<ResponseProblem> kResponseProblems[] = {
    {ResponseProblem::missing, "missing"},
    {ResponseProblem::too_large, "too_large"},
    {ResponseProblem::incomplete, "incomplete"},
    {ResponseProblem::malformed, "malformed"},
    {ResponseProblem::wrong_algorithm, "wrong_algorithm"},
    {ResponseProblem::wrong_session, "wrong_session"},
    {ResponseProblem::wrong_nonce, "wrong_nonce"},
    {ResponseProblem::not_opened, "not_opened"},
};

}  // namespace

bool AttemptOutcome::receiver_overloaded() const {
  return error == AttemptError::timeout || status_code == 429 || status_code == 502 ||
         status_code == 504;
}

bool AttemptOutcome::signature_refused() const {
  if (!status_code || succeeded()) return false;
  return *status_code == 400 || *status_code == 401 || *status_code == 403 ||
         receiver_error_code == ReceiverErrorCode::webhook_signature_invalid;
}

bool AttemptOutcome::keys_refused() const {
  return signature_refused() || receiver_error_code == ReceiverErrorCode::webhook_decryption_failed;
}

bool AttemptOutcome::receiver_failed() const {
  if (status_code) return *status_code >= 500;
  return error != AttemptError::blocked_by_policy && error != AttemptError::internal;
}

std::string_view to_text(ResponseProblem problem) { return text_of(kResponseProblems, problem); }

std::optional<ResponseProblem> response_problem_from_text(std::string_view text) {
  return value_of(kResponseProblems, text);
}

std::string_view to_text(AttemptError error) { return text_of(kErrors, error); }

std::optional<AttemptError> attempt_error_from_text(std::string_view text) {
  return value_of(kErrors, text);
}

}  // namespace sealpost
