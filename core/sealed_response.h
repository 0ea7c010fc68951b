// Encrypted answers to requests of the dialect sealed-json (core/sealed_json.h): a packet under the
// session's key enc-resp, in whose protected header kid and sid are the request's and rnonce is its
// nonce, so that no other answer can be put in its place. Its type is kSealedJsonType.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/random.h"
#include "base/secret_text.h"
#include "core/attempt.h"
#include "core/sealed_packet.h"

namespace sealpost {

// The text, or what is wrong.
std::variant<SecretText, ResponseProblem> open_sealed_response(const SealedSession& session,
                                                               std::string_view body);

// What a receiver answers.
std::string seal_response(const SealedSession& session, std::string_view content_type,
                          std::string_view text, Random& random);

// Judges the answer to a request of this session. Returns what was in it, null if it was not
// encrypted or does not open, and notes that in the outcome. A 2xx stays a success unless
// `required`. What is kept of the body is cut to what is stored.
std::shared_ptr<const SecretText> take_sealed_response(const SealedSession& session, bool required,
                                                       AttemptOutcome& outcome);

}  // namespace sealpost
