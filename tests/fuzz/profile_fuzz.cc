// Signing profiles as operators write them, one field on a line. Either a std::invalid_argument
// says what is wrong, or what is signed can be sent: no header is torn or written twice.
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "base/bytes.h"
#include "base/check.h"
#include "core/header_rules.h"
#include "core/signer.h"

namespace sealpost {
namespace {

constexpr std::string_view kBody = R"({"amount":50000})";

// Takes the first line off.
std::string next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string line(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

SigningProfile read_profile(std::string_view& text) {
  SigningProfile profile;
  profile.name = "custom";
  const std::string options = next_line(text);
  profile.algorithm = options.find('5') != std::string::npos ? SignatureAlgorithm::hmac_sha512
                                                             : SignatureAlgorithm::hmac_sha256;
  if (options.find('x') != std::string::npos) profile.secret_decoding = SecretDecoding::hex;
  if (options.find('b') != std::string::npos) profile.encoding = SignatureEncoding::base64;
  profile.many_signatures = options.find('m') != std::string::npos;
  profile.content = next_line(text);
  profile.signature_header = next_line(text);
  profile.prefix = next_line(text);
  profile.item = next_line(text);
  profile.join = next_line(text);
  while (!text.empty()) {
    std::string name = next_line(text);
    profile.headers.emplace_back(std::move(name), next_line(text));
  }
  return profile;
}

void check_headers(const std::vector<Header>& headers) {
  for (const Header& header : headers) {
    CHECK(is_header_name(header.name), "a header without a proper name");
    CHECK(!is_transport_header(header.name), "a header that HTTP writes itself");
    for (const char c : header.value) CHECK(c >= 0x20 && c < 0x7f, "a torn header value");
    for (const Header& other : headers) {
      CHECK(&other == &header || !same_header_name(other.name, header.name), "written twice");
    }
  }
}

void check_profile(std::string_view text) {
  const std::string first_secret = next_line(text);
  const SigningProfile profile = read_profile(text);
  std::vector<Header> headers;
  try {
    const Signer signer(profile, {SecretText(first_secret), SecretText("00112233")});
    SystemRandom random;
    SigningTools tools(random);
    signer.sign({.message_id = "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM",
                 .event_type = "invoice.paid",
                 .idempotency_key = "wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-1",
                 .url = "https://hooks.example.com/in?a=b",
                 .content_type = "application/json",
                 .body = kBody,
                 .time = WallTime{std::chrono::seconds(1716792600)}},
                tools, headers);
  } catch (const std::invalid_argument& error) {
    CHECK(is_utf8(error.what()), "a message that no JSON answer can carry");
    return;
  }
  CHECK(headers.size() == profile.headers.size() + 1, "a header too few or too many");
  check_headers(headers);
}

}  // namespace
}  // namespace sealpost

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sealpost::check_profile({reinterpret_cast<const char*>(data), size});
  return 0;
}
