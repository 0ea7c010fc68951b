#include "core/receiver_error.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

constexpr auto kSignature = ReceiverErrorCode::webhook_signature_invalid;
constexpr auto kDecryption = ReceiverErrorCode::webhook_decryption_failed;

TEST(ReceiverErrorTest, IsReadFromARefusal) {
  const struct {
    std::string_view body;
    std::optional<ReceiverErrorCode> code;
  } cases[] = {
      {R"({"error":{"code":"webhook_signature_invalid","message":"no"}})", kSignature},
      {" \r\n\t{\"more\":[1],\"error\":{\"details\":{},\"code\":\"webhook_decryption_failed\"}} ",
       kDecryption},
      {R"({"error":{"code":"webhook_signature_\u0069nvalid"}})", kSignature},
      {"", {}},
      {"  ", {}},
      {"webhook_signature_invalid", {}},
      {R"("webhook_signature_invalid")", {}},
      {R"([{"error":{"code":"webhook_signature_invalid"}}])", {}},
      {R"({"code":"webhook_signature_invalid"})", {}},
      {R"({"error":"webhook_signature_invalid"})", {}},
      {R"({"error":["webhook_signature_invalid"]})", {}},
      {R"({"error":{"code":5}})", {}},
      {R"({"error":{"code":null}})", {}},
      {R"({"error":{"code":["webhook_signature_invalid"]}})", {}},
      {R"({"error":{"code":"webhook_key_not_found"}})", {}},
      {R"({"error":{"code":"WEBHOOK_SIGNATURE_INVALID"}})", {}},
      {R"({"error":{"code":"webhook_signature_invalid"})", {}},
      {R"({"error":{"code":"webhook_signature_invalid","message":"cut o)", {}},
      {"{\"error\":{\"code\":\"webhook_signature_invalid\",\"message\":\"\xff\"}}", {}},
      {R"({"error":{"code":"webhook_signature_invalid"}} and more)", {}},
      {"<html>{</html>", {}},
  };
  for (const auto& [body, code] : cases) EXPECT_EQ(read_receiver_error(body), code) << body;
}

TEST(ReceiverErrorTest, DepthDoesNotHurt) {
  const std::string deep = "{\"error\":" + std::string(4000, '[');
  EXPECT_EQ(read_receiver_error(deep), std::nullopt);
  EXPECT_EQ(read_receiver_error(deep + std::string(4000, ']') + "}"), std::nullopt);
}

TEST(ReceiverErrorTest, WhatIsAnsweredCanBeRead) {
  for (const ReceiverErrorCode code : {kSignature, kDecryption}) {
    EXPECT_EQ(read_receiver_error(receiver_error_body(code, "\xff \" \n")), code);
  }
  EXPECT_EQ(receiver_error_body(kSignature, "no"),
            R"({"error":{"code":"webhook_signature_invalid","message":"no"}})");
  EXPECT_EQ(status_code_of(kSignature), 401);
  EXPECT_EQ(status_code_of(kDecryption), 422);
}

}  // namespace
}  // namespace sealpost
