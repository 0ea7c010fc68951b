#include "core/signing_profile_json.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "core/endpoint.h"

namespace sealpost {
namespace {

TEST(SigningProfileJsonTest, EveryFieldIsWrittenAndReadBack) {
  const SigningProfile profile{.name = kCustomProfile,
                               .algorithm = SignatureAlgorithm::hmac_sha512,
                               .secret_decoding = SecretDecoding::base64url,
                               .timestamp = TimestampUnit::rfc3339,
                               .content = "{ts}.{body}",
                               .encoding = SignatureEncoding::base64url,
                               .signature_header = "X-Sig",
                               .prefix = "t={ts},",
                               .item = "v1={sig}",
                               .join = ",",
                               .many_signatures = true,
                               .ed25519_item = "v2={sig}",
                               .input_header = "X-Input",
                               .input_item = "k={kid}",
                               .headers = {{"X-B", "{id}"}, {"X-A", "{nonce}"}},
                               .url_query = "d={body_sha256_hex}",
                               .key_id = "key-1",
                               .body_must_be_utf8 = true,
                               .body_must_be_json = true,
                               .body_must_not_start_with_digit = true,
                               .https_only = true,
                               .tls_1_3_only = true,
                               .max_header_value = 1000};
  const std::string json = signing_profile_json(profile);
  EXPECT_EQ(
      json,
      R"({"alg":"hmac-sha512","secret_decode":"base64url","timestamp":"rfc3339",)"
      R"("content":"{ts}.{body}","encoding":"base64url","sig_header":"X-Sig","prefix":"t={ts},",)"
      R"("item":"v1={sig}","join":",","multi":"list","ed25519_item":"v2={sig}",)"
      R"("input_header":"X-Input","input_item":"k={kid}","url_query":"d={body_sha256_hex}",)"
      R"("kid":"key-1","headers":{"X-B":"{id}","X-A":"{nonce}"},"constraints":{"body_utf8":true,)"
      R"("body_json":true,"body_first_byte_not_digit":true,"https_only":true,"tls_min":"1.3",)"
      R"("max_header_value":1000}})");
  const SigningProfile read = signing_profile_from_json(json);
  EXPECT_EQ(read.name, kCustomProfile);
  EXPECT_EQ(signing_profile_json(read), json);
}

TEST(SigningProfileJsonTest, DefaultsAreLeftOut) {
  EXPECT_EQ(signing_profile_json({}), "{}");
  EXPECT_EQ(signing_profile_from_json("{}").max_header_value, kMaxHeaderValueLength);
}

TEST(SigningProfileJsonTest, WhatWasNotWrittenByUsIsRefused) {
  for (const char* json : {"", "[]", "{\"alg\":\"md5\"}", "{\"alg\":7}", "{\"headers\":{\"a\":1}}",
                           "{\"constraints\":5}"}) {
    EXPECT_THROW(signing_profile_from_json(json), std::runtime_error) << json;
  }
}

}  // namespace
}  // namespace sealpost
