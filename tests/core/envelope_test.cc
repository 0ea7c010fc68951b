#include "core/envelope.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

using namespace std::chrono_literals;

Event paid(std::string payload) {
  return {.id = EventId("evt_01J7Z3A4B5C6D7E8F9G0H1J2KM"),
          .tenant = "acme",
          .type = "invoice.paid",
          .payload = std::move(payload),
          .payload_is_json = true,
          .content_type = "application/json",
          .ordering_key = "",
          .created_at = WallTime{1716792600s + 7ms + 999us}};  // 2024-05-27T06:50:00Z and a little
}

Event protobuf() {
  Event event = paid(std::string("\x08\x00\x96\x01", 4));
  event.payload_is_json = false;
  event.content_type = "application/x-protobuf";
  return event;
}

TEST(EnvelopeTest, StandardPutsTypeAndTimeBesideThePayload) {
  const Body body = build_body(Envelope::standard, paid(R"({"amount":50000})")).value();
  EXPECT_EQ(body.bytes, R"({"type":"invoice.paid","timestamp":"2024-05-27T06:50:00.007Z",)"
                        R"("data":{"amount":50000}})");
  EXPECT_EQ(body.content_type, "application/json");
}

TEST(EnvelopeTest, ItpayPutsThePayloadIntoDataObject) {
  const Body body = build_body(Envelope::itpay, paid(R"({"amount":50000})")).value();
  EXPECT_EQ(body.bytes, R"({"id":"evt_01J7Z3A4B5C6D7E8F9G0H1J2KM","type":"invoice.paid",)"
                        R"("data":{"object":{"amount":50000}},"created":1716792600})");
  EXPECT_EQ(body.content_type, "application/json");
}

TEST(EnvelopeTest, PandoraCarriesItsVersion) {
  const Body body = build_body(Envelope::pandora, paid(R"({"amount":50000})")).value();
  EXPECT_EQ(body.bytes,
            R"({"id":"evt_01J7Z3A4B5C6D7E8F9G0H1J2KM","type":"invoice.paid","version":"v1",)"
            R"("timestamp":1716792600,"data":{"amount":50000}})");
  EXPECT_EQ(body.content_type, "application/json");
}

TEST(EnvelopeTest, RawIsThePayloadWithItsOwnContentType) {
  const Event event = protobuf();
  const Body body = build_body(Envelope::raw, event).value();
  EXPECT_EQ(body.bytes, event.payload);
  EXPECT_EQ(body.content_type, "application/x-protobuf");
}

TEST(EnvelopeTest, CloudEventsCarryAnyPayload) {
  const Body structured = build_body(Envelope::cloudevents, protobuf()).value();
  EXPECT_EQ(structured.content_type, "application/cloudevents+json; charset=utf-8");
  EXPECT_TRUE(structured.headers.empty());
  const Event event = protobuf();
  const Body binary = build_body(Envelope::cloudevents_binary, event).value();
  EXPECT_EQ(binary.bytes, event.payload);
  EXPECT_EQ(binary.content_type, "application/x-protobuf");
  ASSERT_EQ(binary.headers.size(), 5U);
  EXPECT_EQ(binary.headers[0].name, "ce-specversion");
}

TEST(EnvelopeTest, JsonEnvelopesRefuseOtherPayloads) {
  for (const Envelope envelope : {Envelope::standard, Envelope::itpay, Envelope::pandora}) {
    EXPECT_FALSE(build_body(envelope, protobuf())) << to_text(envelope);
  }
}

TEST(EnvelopeTest, ThePayloadIsCopiedByteForByte) {
  const std::string payload = "{ \"b\" : 1.00,\n\t\"a\":\"\\u00e9 \xC3\xA9\", \"a\": null }";
  for (const Envelope envelope : {Envelope::standard, Envelope::itpay, Envelope::pandora}) {
    const Body body = build_body(envelope, paid(payload)).value();
    EXPECT_NE(body.bytes.find(payload), std::string::npos) << to_text(envelope);
  }
}

TEST(EnvelopeTest, TimestampsAreUtcWithExactlyThreeDecimals) {
  const std::pair<WallTime, std::string_view> cases[] = {
      {WallTime{0us}, "1970-01-01T00:00:00.000Z"},
      {WallTime{951782399s + 999999us}, "2000-02-28T23:59:59.999Z"},
      {WallTime{951782400s}, "2000-02-29T00:00:00.000Z"},
      {WallTime{1779872400s}, "2026-05-27T09:00:00.000Z"},
      {WallTime{-1us}, "1969-12-31T23:59:59.999Z"},
  };
  for (const auto& [time, text] : cases) {
    Event event = paid("1");
    event.created_at = time;
    EXPECT_EQ(build_body(Envelope::standard, event)->bytes,
              R"({"type":"invoice.paid","timestamp":")" + std::string(text) + R"(","data":1})");
  }
}

TEST(EnvelopeDeathTest, ATypeThatWouldNeedEscapingStopsTheProgram) {
  Event event = paid("{}");
  event.type = R"(a","data":{"forged":true},"x":")";
  EXPECT_DEATH(build_body(Envelope::standard, event), "JSON escaping");
}

}  // namespace
}  // namespace sealpost
