// What receivers that are asked for their consent learn of us (dispatcher/validator.h).
#pragma once

#include <string>

namespace sealpost {

struct ValidationOptions {
  std::string origin{};      // our DNS name; empty: nobody can be asked by OPTIONS
  std::string public_url{};  // of the API, without a slash at the end; empty: no callbacks
};

}  // namespace sealpost
