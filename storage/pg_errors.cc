#include "storage/pg_errors.h"

#include <array>

namespace sealpost {
namespace {

using Kind = StorageError::Kind;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> candidates) {
  for (const std::string_view candidate : candidates) {
    if (text == candidate) return true;
  }
  return false;
}

}  // namespace

PgFailure classify_sqlstate(std::string_view state) {
  const std::string_view state_class = state.substr(0, 2);
  if (state.empty() || state_class == "08") return {Kind::unavailable, false};
  // Shutting down, crashed, starting up; or promoted away: 25006 says that this server has become a
  // standby.
  if (state_class == "57" && state != "57014") return {Kind::unavailable, false};
  if (state == "25006") return {Kind::unavailable, false};
  // Timed out, waited too long for a lock, out of disk, memory or connections, an I/O error.
  if (is_one_of(state, {"57014", "55P03"}) || is_one_of(state_class, {"53", "58"})) {
    return {Kind::unavailable, true};
  }
  if (is_one_of(state, {"40001", "40P01"})) return {Kind::conflict, true};
  if (state == "40003") return {Kind::in_doubt, false};
  // A prepared statement that a migration made stale, or that a pooler lost: a new connection mends
  // it.
  if (is_one_of(state, {"0A000", "26000"})) return {Kind::unavailable, false};
  return {Kind::permanent, true};
}

std::string connection_error_text(std::string_view message) {
  constexpr std::array<std::string_view, 4> kHarmless = {
      "connection to server", "could not connect", "could not translate host name", "FATAL"};
  for (const std::string_view start : kHarmless) {
    if (message.substr(0, start.size()) != start) continue;
    while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
    return "cannot connect to PostgreSQL: " + std::string(message);
  }
  return "cannot connect to PostgreSQL: the database URL is malformed (it is not shown, as it may "
         "carry a "
         "password); it should look like postgresql://user@host:5432/database";
}

}  // namespace sealpost
