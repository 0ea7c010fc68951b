// An endpoint that the API must refuse, as the parameter of a test.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <ostream>
#include <string>

#include "tests/admin_api/api_fixture.h"

namespace sealpost {

struct Refusal {
  const char* what;
  Json members;  // besides url and enabled_events
  const char* code;
  const char* param;
};

inline void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.what; }

inline std::string test_name(const testing::TestParamInfo<Refusal>& info) {
  std::string name = info.param.what;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

}  // namespace sealpost
