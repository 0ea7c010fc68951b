#include "admin_api/problem.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"

namespace sealpost {
namespace {

std::string_view title_of(int status) {
  switch (status) {
    case 400:
      return "Malformed request";
    case 401:
      return "Not authenticated";
    case 403:
      return "Not allowed";
    case 404:
      return "Not found";
    case 405:
      return "Method not allowed";
    case 409:
      return "Conflicts with the present state";
    case 412:
      return "Changed in the meantime";
    case 413:
      return "Body too large";
    case 414:
      return "URL too long";
    case 415:
      return "Not JSON";
    case 422:
      return "Invalid request";
    case 503:
      return "Try again later";
    default:
      return "Internal error";
  }
}

std::string common_code(const Mistakes& mistakes) {
  const bool same = std::all_of(mistakes.begin(), mistakes.end(), [&](const Mistake& mistake) {
    return mistake.code == mistakes.front().code;
  });
  return same ? mistakes.front().code : "validation_failed";
}

std::string common_detail(const Mistakes& mistakes) {
  if (mistakes.size() == 1) return mistakes.front().detail;
  return std::to_string(mistakes.size()) +
         " mistakes, listed in errors; the first one: " + mistakes.front().detail;
}

}  // namespace

Problem::Problem(int status, std::string code, std::string detail, std::string param)
    : std::runtime_error(detail),
      status_(status),
      code_(std::move(code)),
      detail_(std::move(detail)),
      param_(std::move(param)) {}

Problem::Problem(Mistakes mistakes)
    : std::runtime_error("invalid request"), status_(422), mistakes_(std::move(mistakes)) {
  CHECK(!mistakes_.empty(), "a 422 must say what is wrong");
  code_ = common_code(mistakes_);
  detail_ = common_detail(mistakes_);
  param_ = mistakes_.front().param;
}

Problem&& Problem::with_header(std::string name, std::string value) && {
  headers_.push_back({std::move(name), std::move(value)});
  return std::move(*this);
}

ApiAnswer Problem::to_answer(std::string_view request_id) const {
  nlohmann::ordered_json body = {
      {"type", "urn:sealpost:problem:" + code_},
      {"title", title_of(status_)},
      {"status", status_},
      {"detail", detail_},
      {"code", code_},
  };
  if (!request_id.empty()) body["request_id"] = request_id;
  if (!param_.empty()) body["param"] = param_;
  for (const auto& [code, param, detail] : mistakes_) {
    body["errors"].push_back({{"code", code}, {"param", param}, {"detail", detail}});
  }
  return {
      .status = status_,
      .content_type = "application/problem+json",
      .body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
      .headers = headers_,
  };
}

Problem not_found(std::string_view what) {
  return {404, "not_found", "There is no such " + std::string(what) + "."};
}

Problem unreadable_request(int status) {
  if (status == 413) {
    return {413, "body_too_large",
            "The body is larger than " + std::to_string(kMaxApiBodyBytes) + " bytes."};
  }
  if (status == 414) return {414, "url_too_long", "Path and query together may have 2048 bytes."};
  return {
      400, "malformed_request",
      "The request could not be read as HTTP/1.1: its first line or a header is malformed, headers "
      "are larger than 8 KiB a line or 32 KiB together, or the body did not arrive in time."};
}

}  // namespace sealpost
