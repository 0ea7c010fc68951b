// Requests as `sealpost verify` reads them: nothing that was not signed verifies, and what is shown
// of it is harmless on a terminal.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "base/check.h"
#include "cli/captured_request.h"
#include "core/verify.h"

namespace sealpost {
namespace {

using std::chrono_literals::operator""s;

constexpr WallTime kNow{1716792600s};

void check_shown(std::string_view text) {
  for (const char c : text) CHECK(c >= 0x20 && c < 0x7f, "a terminal would obey this");
}

void check_request(std::string_view text) {
  ReceivedRequest request;
  try {
    request = parse_raw_request(text);
  } catch (const std::runtime_error& error) {
    check_shown(error.what());
    return;
  }
  // Nobody signed with this one.
  static const SecretText kSecret("whsec_bm9ib2R5IHNpZ25lZCBhbnl0aGluZyB3aXRo");
  const Verification result = verify_request(request, kSecret, kNow);
  CHECK(!result.verified, "verified what nobody signed");
  CHECK(!result.problem.empty(), "refused without a reason");
  check_shown(result.problem);
  check_shown(result.event_id);
  check_shown(result.event_type);
}

}  // namespace
}  // namespace sealpost

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sealpost::check_request(text);
  sealpost::parse_rfc3339_utc(text);
  sealpost::time_of_event(text);
  return 0;
}
