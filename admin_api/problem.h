// Refusals of the API. Every one becomes application/problem+json (RFC 9457) with the members
// `code`, `param`, `request_id` and `errors` besides the standard ones. Codes are part of the
// interface: they are listed in schemas/openapi.yaml and never change their meaning.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "admin_api/http_server.h"

namespace sealpost {

// One thing that is wrong with a request: where, what and what to do.
struct Mistake {
  std::string code;
  std::string param;   // "retry.delays_seconds[2]", or the name of a query parameter
  std::string detail;  // one sentence or two; never repeats a value that may be a secret
};
using Mistakes = std::vector<Mistake>;

// Thrown by whoever notices that a request cannot be served; answered in one place
// (admin_api/api.cc).
class Problem : public std::runtime_error {
 public:
  Problem(int status, std::string code, std::string detail, std::string param = "");
  // 422 with all mistakes at once. `mistakes` must not be empty.
  explicit Problem(Mistakes mistakes);

  Problem&& with_header(std::string name, std::string value) &&;

  int status() const { return status_; }
  ApiAnswer to_answer(std::string_view request_id) const;

 private:
  int status_;
  std::string code_;
  std::string detail_;
  std::string param_;
  Mistakes mistakes_;
  std::vector<Header> headers_;
};

// The same for every kind of thing and for things of other tenants, so that nobody can tell them
// apart.
Problem not_found(std::string_view what);

// What never became a request: 400, 413 or 414.
Problem unreadable_request(int status);

}  // namespace sealpost
