#include "base/aead.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sealpost {
namespace {

std::string bytes(const char* hex) { return hex_decode(hex).value(); }

// Test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), as NIST took it over.
const SecretText kKey(bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
const std::string kNonce = bytes("cafebabefacedbaddecaf888");
const std::string kContext = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
const std::string kText = bytes(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b5"
    "25b16aedf5aa0de657ba637b39");
const char* const kCiphertext =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10568288"
    "38"
    "c5f61e6393ba7a0abcc9f662";

TEST(GcmTest, MatchesThePublishedCase) {
  const GcmSealed sealed = gcm_seal(kKey, kNonce, kContext, kText);
  EXPECT_EQ(hex_encode(sealed.ciphertext), kCiphertext);
  EXPECT_EQ(hex_encode(sealed.tag), "76fc6ece0f4e1768cddf8853bb2d551b");
  EXPECT_EQ(gcm_open(kKey, kNonce, kContext, sealed)->reveal(), kText);
}

TEST(GcmTest, WhatWasChangedDoesNotOpen) {
  const GcmSealed good = gcm_seal(kKey, kNonce, kContext, kText);
  const SecretText other_key(std::string(kGcmKeyBytes, 'k'));
  EXPECT_FALSE(gcm_open(other_key, kNonce, kContext, good));
  EXPECT_FALSE(gcm_open(kKey, kNonce, "other", good));
  EXPECT_FALSE(gcm_open(kKey, std::string(kGcmNonceBytes, 'n'), kContext, good));
  EXPECT_FALSE(gcm_open(kKey, "short", kContext, good));
  GcmSealed changed = good;
  changed.ciphertext[0] ^= 1;
  EXPECT_FALSE(gcm_open(kKey, kNonce, kContext, changed));
  changed = good;
  changed.tag.pop_back();
  EXPECT_FALSE(gcm_open(kKey, kNonce, kContext, changed));
}

// RFC 5869 has no vectors for SHA-512; this one was computed with Python's hmac.
TEST(HkdfTest, DerivesWhatTheRfcSays) {
  const SecretText key(bytes("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"));
  const std::string salt = bytes("000102030405060708090a0b0c");
  const std::string info = bytes("f0f1f2f3f4f5f6f7f8f9");
  EXPECT_EQ(hex_encode(hkdf_sha512(key, salt, info, 42).reveal()),
            "832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb");
}

}  // namespace
}  // namespace sealpost
