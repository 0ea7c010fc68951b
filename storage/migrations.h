// The files of migrations/, embedded at build time by cmake/embed_migrations.cmake.
#pragma once

#include <string_view>
#include <vector>

namespace sealpost {

struct Migration {
  int version;            // 1, 2, … without gaps
  std::string_view name;  // "outbox_and_deliveries"
  std::string_view sql;   // the file's text
};

const std::vector<Migration>& embedded_migrations();

}  // namespace sealpost
