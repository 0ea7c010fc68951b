#include "core/check_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/open_body.h"
#include "core/sealed_json.h"

namespace sealpost {
namespace {

constexpr char kSealedSignature[] = "x-roboflux-signature";

std::string_view header(const ReceivedRequest& request, const char* name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string_view{} : std::string_view(found->second);
}

// The value of enc= in a Stripe-like signature header; empty if there is none.
std::string enc_component(const ReceivedRequest& request) {
  for (const char* name : {"webhook-signature", "stripe-signature"}) {
    const std::string_view value = header(request, name);
    const std::size_t at = value.find(",enc=");
    if (at == std::string_view::npos) continue;
    const std::string_view rest = value.substr(at + 5);
    return std::string(rest.substr(0, rest.find(',')));
  }
  return "";
}

// The headers of most dialects do not name the type, and an encrypted body shows it to nobody else.
void read_type(CheckedRequest& checked) {
  if (!checked.text || !checked.verification.event_type.empty()) return;
  const auto body = nlohmann::json::parse(checked.text->reveal(), nullptr, false);
  if (!body.is_object()) return;
  const auto type = body.find("type");
  if (type == body.end() || !type->is_string()) return;
  const auto& text = type->get_ref<const std::string&>();
  const bool is_harmless =
      std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (is_harmless && text.size() <= 128) checked.verification.event_type = text;
}

std::string time_problem(std::string_view timestamp, WallTime now, std::chrono::seconds tolerance) {
  long long sent = 0;
  const char* const end = timestamp.data() + timestamp.size();
  const auto [rest, error] = std::from_chars(timestamp.data(), end, sent);
  if (error != std::errc() || rest != end || sent < 0) {
    return "the timestamp is missing or not a number of Unix seconds";
  }
  const long long age =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() - sent;
  if (std::abs(age) <= tolerance.count()) return "";
  return fmt::format("the timestamp is {} s in the {}, more than the {} s allowed", std::abs(age),
                     age > 0 ? "past" : "future", tolerance.count());
}

// Why not; empty if it was opened.
SealedProblem open_sealed(const ReceivedRequest& request, const SecretText& secret,
                          CheckedRequest& checked) {
  const std::optional<SecretText> root = decode_sealed_json_secret(secret);
  if (!root) {
    return {ReceiverErrorCode::webhook_signature_invalid,
            "a secret of sealed-json is rfsec_ and the base64 of 64 bytes"};
  }
  auto result = open_sealed_request(*root,
                                    {.timestamp = header(request, "x-roboflux-timestamp"),
                                     .nonce = header(request, "x-roboflux-nonce"),
                                     .session = header(request, "x-roboflux-session"),
                                     .token = header(request, "x-roboflux-token"),
                                     .signature = header(request, kSealedSignature)},
                                    request.body);
  if (auto* problem = std::get_if<SealedProblem>(&result)) return std::move(*problem);
  auto& opened = std::get<OpenedRequest>(result);
  checked.text = std::move(opened.text);
  checked.session = std::move(opened.session);
  return {};
}

CheckedRequest check_sealed(const ReceivedRequest& request, const SecretText& secret, WallTime now,
                            std::chrono::seconds tolerance) {
  CheckedRequest checked;
  checked.encrypted = true;
  // Whatever verify_request() can tell without knowing the dialect.
  checked.verification.event_id = verify_request(request, secret, now, tolerance).event_id;
  checked.verification.profile = "sealed-json";
  SealedProblem problem{ReceiverErrorCode::webhook_signature_invalid,
                        time_problem(header(request, "x-roboflux-timestamp"), now, tolerance)};
  if (problem.text.empty()) {
    problem = open_sealed(request, secret, checked);
    checked.not_opened = problem.text;
  }
  checked.verification.verified = problem.text.empty();
  if (!checked.verification.verified) checked.verification.error = problem.code;
  checked.verification.problem = std::move(problem.text);
  return checked;
}

CheckedRequest check_plain_or_box(const ReceivedRequest& request, const SecretText& secret,
                                  const std::optional<SecretText>& private_key, WallTime now,
                                  std::chrono::seconds tolerance,
                                  const std::optional<SigningProfile>& profile) {
  CheckedRequest checked;
  checked.verification = profile ? verify_request(request, *profile, secret, now, tolerance)
                                 : verify_request(request, secret, now, tolerance);
  auto result = open_body(request.body, enc_component(request), private_key);
  checked.encrypted = !std::holds_alternative<NotEncrypted>(result);
  if (auto* opened = std::get_if<OpenedBody>(&result)) checked.text = std::move(opened->text);
  if (auto* closed = std::get_if<NotOpened>(&result)) checked.not_opened = closed->problem;
  if (private_key && checked.verification.verified && !checked.not_opened.empty()) {
    checked.verification.problem = checked.not_opened;
    checked.verification.verified = false;
    checked.verification.error = ReceiverErrorCode::webhook_decryption_failed;
  }
  return checked;
}

}  // namespace

CheckedRequest check_request(const ReceivedRequest& request, const SecretText& secret,
                             const std::optional<SecretText>& private_key, WallTime now,
                             std::chrono::seconds tolerance,
                             const std::optional<SigningProfile>& profile) {
  const bool is_sealed =
      profile ? profile->sealed_json : !header(request, kSealedSignature).empty();
  CheckedRequest checked =
      is_sealed ? check_sealed(request, secret, now, tolerance)
                : check_plain_or_box(request, secret, private_key, now, tolerance, profile);
  read_type(checked);
  return checked;
}

}  // namespace sealpost
