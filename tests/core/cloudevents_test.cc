#include "core/cloudevents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;

Event paid() {
  return {.id = EventId("evt_01J7Z3A4B5C6D7E8F9G0H1J2KM"),
          .tenant = "acme",
          .type = "invoice.paid",
          .payload = R"({"amount": 5.00, "amount": "kept"})",
          .payload_is_json = true,
          .content_type = "application/json",
          .ordering_key = "",
          .created_at = WallTime{1716792600s + 7ms}};
}

std::vector<std::string> lines(const Event& event) {
  std::vector<std::string> all;
  for (const Header& header : cloudevents_headers(event)) {
    all.push_back(header.name + ": " + header.value);
  }
  return all;
}

TEST(CloudEventsTest, StructuredModeKeepsTheBytesOfJson) {
  EXPECT_EQ(cloudevents_json(paid()),
            R"({"specversion":"1.0","id":"evt_01J7Z3A4B5C6D7E8F9G0H1J2KM",)"
            R"("source":"/tenants/acme","type":"invoice.paid","time":"2024-05-27T06:50:00.007Z",)"
            R"("datacontenttype":"application/json","data":{"amount": 5.00, "amount": "kept"}})");
}

TEST(CloudEventsTest, StructuredModeCarriesOtherBytesAsBase64) {
  Event event = paid();
  event.payload = std::string("\x08\x00\xff", 3);
  event.payload_is_json = false;
  event.content_type = R"(multipart/mixed;boundary="a\b")";
  event.ordering_key = "caf\xC3\xA9 \"7\"\n";
  const json made = json::parse(cloudevents_json(event));
  EXPECT_EQ(made.at("data_base64"), base64_encode(event.payload));
  EXPECT_EQ(made.at("datacontenttype"), event.content_type);
  EXPECT_EQ(made.at("partitionkey"), event.ordering_key);
  EXPECT_FALSE(made.contains("data"));
}

TEST(CloudEventsTest, BinaryModePutsAttributesIntoHeaders) {
  EXPECT_THAT(lines(paid()),
              ElementsAre("ce-specversion: 1.0", "ce-id: evt_01J7Z3A4B5C6D7E8F9G0H1J2KM",
                          "ce-source: /tenants/acme", "ce-type: invoice.paid",
                          "ce-time: 2024-05-27T06:50:00.007Z"));
  Event ordered = paid();
  ordered.ordering_key = "order 7";
  EXPECT_EQ(lines(ordered).back(), "ce-partitionkey: order%207");
}

TEST(CloudEventsTest, HeaderValuesArePercentEncoded) {
  EXPECT_EQ(cloudevents_header_value("!~az/:@"), "!~az/:@");
  EXPECT_EQ(cloudevents_header_value("a b\"c%d"), "a%20b%22c%25d");
  EXPECT_EQ(cloudevents_header_value("Euro \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "Euro%20%E2%82%AC%20%F0%9F%98%80");  // the HTTP binding's own example
  EXPECT_EQ(cloudevents_header_value("a\r\nb: c\x7f"), "a%0D%0Ab:%20c%7F");
}

}  // namespace
}  // namespace sealpost
