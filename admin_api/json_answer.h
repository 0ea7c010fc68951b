// What the handlers of objects share.
#pragma once

#include <string>
#include <utility>

#include "admin_api/http_server.h"
#include "admin_api/routes.h"

namespace sealpost {

inline ApiAnswer json_answer(int status, std::string body) {
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

// The body of a call that takes JSON. Throws Problem 415 unless it says that it is JSON; an empty
// body of a call that can do without one needs not say so.
enum class BodyNeed { required, optional };
std::string_view json_body(const ApiCall& call, BodyNeed need);

}  // namespace sealpost
