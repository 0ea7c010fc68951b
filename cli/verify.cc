// `sealpost verify`: checks one captured request offline.

#include <fmt/format.h>

#include <iostream>
#include <iterator>

#include "base/clock.h"
#include "cli/captured_request.h"
#include "cli/commands.h"
#include "core/check_request.h"

namespace sealpost {
namespace {

ReceivedRequest read_request(const VerifyOptions& options) {
  if (options.headers && options.body) {
    return {.headers = parse_headers(read_file(*options.headers)),
            .body = read_file(*options.body)};
  }
  const std::string raw(std::istreambuf_iterator<char>(std::cin), {});
  return parse_raw_request(raw);
}

}  // namespace

int verify(const VerifyOptions& options) {
  const auto at = options.at == "now" ? SystemClock{}.wall_now() : parse_rfc3339_utc(options.at);
  if (!at) {
    fmt::print(stderr, "sealpost: --at is \"{}\". Use now or a time like 2026-11-22T10:15:30Z\n",
               options.at);
    return kExitUsage;
  }
  const SecretText secret = read_secret(options.secret_file);
  std::optional<SecretText> private_key;
  if (options.private_key) private_key = read_private_key(*options.private_key);
  std::optional<SigningProfile> profile;
  if (options.profile) profile = read_profile(*options.profile);
  ReceivedRequest request = read_request(options);
  if (options.url) request.url = *options.url;
  const CheckedRequest checked =
      check_request(request, secret, private_key, *at, options.tolerance, profile);
  const Verification& result = checked.verification;
  if (!result.verified) {
    fmt::print("not verified: {}: {}\n", to_text(result.error.value()), result.problem);
    return kExitFailed;
  }
  const char* const encryption = !checked.encrypted ? ""
                                 : checked.text     ? ", decrypted"
                                                    : ", encrypted";
  fmt::print("verified: profile {}, event {}, type {}{}\n", result.profile,
             result.event_id.empty() ? "unknown" : result.event_id,
             result.event_type.empty() ? "unknown" : result.event_type, encryption);
  return kExitOk;
}

}  // namespace sealpost
