// The error codes of the ItPay webhook document that a receiver answers with, in the body of a
// refusal: {"error":{"code":"webhook_signature_invalid","message":"…"}}. Receivers of any dialect
// may use them; `sealpost listen` does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sealpost {

enum class ReceiverErrorCode {
  webhook_signature_invalid,  // 401: the request is not verified, or it is too old
  webhook_decryption_failed,  // 422: its encrypted body does not open
};

std::string_view to_text(ReceiverErrorCode code);
std::optional<ReceiverErrorCode> receiver_error_code_from_text(std::string_view text);

// Reads a refusal's body, which may be anything, cut off in the middle too. nullopt: it is not such
// an object, or has another code.
std::optional<ReceiverErrorCode> read_receiver_error(std::string_view body);

// What a receiver answers.
int status_code_of(ReceiverErrorCode code);
std::string receiver_error_body(ReceiverErrorCode code, std::string_view message);

}  // namespace sealpost
