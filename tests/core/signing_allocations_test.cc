// Signing takes nothing from the heap for a request but the texts of the headers that it writes:
// what it needs besides, it keeps (SigningTools). Both heaps are counted: operator new, and
// OpenSSL's.
//
// Allowed, per request:
//   operator new   two for each header, its name and its value; none for those of up to 15
//                  characters, which std::string keeps in itself
//   OpenSSL        one for each digest, because OpenSSL 3.0 makes the state of a digest anew even
//   in
//                  a context that is kept: two for an HMAC, one for the body's SHA-256. ECDSA P-256
//                  is not counted: its API makes big numbers and contexts by the dozen.
// The profile sealed-json encrypts instead (core/sealed_json.h); it is no signer's matter.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/signer.h"
#include "core/signing_secret.h"
#include "tests/core/counted_heap.h"

namespace sealpost {
namespace {

constexpr int kRequests = 200;
constexpr std::size_t kKeptInPlace = 15;  // characters of a std::string

const std::string kBody = R"({"pad":")" + std::string(1000, 'x') + R"("})";

SigningInput input() {
  return {.message_id = "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM",
          .event_type = "payment_intent.succeeded",
          .idempotency_key = "wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-1",
          .url = "https://merchant.example.com/webhooks?a=1",
          .content_type = "application/json",
          .body = kBody,
          .time = WallTime{std::chrono::seconds(1'790'000'000)},
          .attempt_number = 1};
}

std::size_t texts_on_the_heap(const std::vector<Header>& headers) {
  std::size_t texts = 0;
  for (const Header& header : headers) {
    texts += (header.name.size() > kKeptInPlace) + (header.value.size() > kKeptInPlace);
  }
  return texts;
}

std::size_t digests(const SigningProfile& profile, std::size_t secrets) {
  bool covers_digest = profile.content.find("{body_sha256_") != std::string::npos;
  for (const auto& header : profile.headers) {
    covers_digest |= header.second.find("{body_sha256_") != std::string::npos;
  }
  const std::size_t macs = !is_hmac(profile.algorithm) ? 0 : profile.many_signatures ? secrets : 1;
  return 2 * macs + (covers_digest ? 1 : 0);
}

class SigningAllocationsTest : public ::testing::TestWithParam<std::string_view> {};

TEST_P(SigningAllocationsTest, OnlyTheHeadersComeFromTheHeap) {
  ASSERT_TRUE(openssl_is_counted());
  const SigningProfile profile = signing_preset(GetParam()).value();
  SystemRandom random;
  for (const std::size_t secret_count : {1U, 2U}) {
    std::vector<SecretText> secrets;
    while (secrets.size() < secret_count) secrets.push_back(new_signing_secret(profile, random));
    const Signer signer(profile, secrets);
    SigningTools tools(random);
    std::vector<Header> headers;
    headers.reserve(8);
    for (int warm_up = 0; warm_up < 3; ++warm_up) {
      headers.clear();
      signer.sign(input(), tools, headers);
    }
    const std::size_t allowed = texts_on_the_heap(headers);
    const HeapUse before = heap_use();
    for (int i = 0; i < kRequests; ++i) {
      headers.clear();
      signer.sign(input(), tools, headers);
    }
    const HeapUse after = heap_use();
    EXPECT_LE(after.by_new - before.by_new, kRequests * allowed) << secret_count << " secrets";
    if (profile.algorithm == SignatureAlgorithm::ecdsa_p256_sha256) continue;
    EXPECT_LE(after.by_openssl - before.by_openssl, kRequests * digests(profile, secret_count))
        << secret_count << " secrets";
  }
}

INSTANTIATE_TEST_SUITE_P(Presets, SigningAllocationsTest,
                         ::testing::ValuesIn(signing_preset_names()), [](const auto& test) {
                           std::string name(test.param);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace sealpost
