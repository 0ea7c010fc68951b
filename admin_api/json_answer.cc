#include "admin_api/json_answer.h"

#include <algorithm>

#include "admin_api/problem.h"

namespace sealpost {
namespace {

// "application/json", with or without parameters (charset=utf-8 is common and says nothing new).
bool is_json(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  const auto end = type.find_last_not_of(" \t");
  const std::string_view name = type.substr(0, end == std::string_view::npos ? 0 : end + 1);
  return std::equal(name.begin(), name.end(), kJson.begin(), kJson.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

}  // namespace

std::string_view json_body(const ApiCall& call, BodyNeed need) {
  if (call.body.empty() && need == BodyNeed::optional) return {};
  if (!is_json(call.header("content-type"))) {
    throw Problem(415, "unsupported_media_type",
                  "Send the body as Content-Type: application/json.");
  }
  return call.body;
}

}  // namespace sealpost
