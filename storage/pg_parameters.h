// Parameters of a statement and rows of its result, as text in PostgreSQL's own notation. They
// stand between the stores and libpqxx, so that only pg_session.cc knows which version of it is
// there.
//
// Text that comes from outside (receivers' answers, operators) is cleaned on the way in: PostgreSQL
// takes neither NUL nor malformed UTF-8, and one such character must not make a whole batch fail
// forever.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace sealpost {

// NUL is dropped, bytes that are not UTF-8 become U+FFFD.
std::string clean_text(std::string_view text);

// An array literal, '{…}', built element by element. Cast it in the statement: $1::text[].
//
// NULLs at its end are left out, because unnest() of several arrays fills the shorter ones up: a
// column that is NULL everywhere is an empty array, which costs nothing on either side (an element
// costs PostgreSQL 0.1 us). At least one array must have a value in the last row.
class PgArray {
 public:
  PgArray& add(std::string_view text);
  PgArray& add(std::int64_t number);
  PgArray& add(WallTime time);  // as microseconds since 1970, for bigint[]
  PgArray& add_flag(bool flag);
  PgArray& add_bytes(std::string_view bytes);  // for bytea[]
  PgArray& add_null();

  template <class T>
  PgArray& add(const std::optional<T>& value) {
    return value ? add(*value) : add_null();
  }
  PgArray& add(int number) { return add(static_cast<std::int64_t>(number)); }
  PgArray& add(const char* text) { return add(std::string_view(text)); }
  PgArray& add(const std::string& text) { return add(std::string_view(text)); }

  bool empty() const { return text_.empty(); }
  std::string literal() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  std::string& next();
  std::string text_;
  int nulls_ = 0;  // added since the last value
};

// $1, $2, … in this order.
class PgParameters {
 public:
  PgParameters& add(std::string_view text);
  PgParameters& add(std::int64_t number);
  PgParameters& add(const PgArray& array);
  PgParameters& add(WallTime time);  // as microseconds since 1970, for bigint
  PgParameters& add_bytes(std::string_view bytes);
  PgParameters& add_null();

  template <class T>
  PgParameters& add(const std::optional<T>& value) {
    return value ? add(*value) : add_null();
  }
  PgParameters& add(int number) { return add(static_cast<std::int64_t>(number)); }
  PgParameters& add(const char* text) { return add(std::string_view(text)); }
  PgParameters& add(const std::string& text) { return add(std::string_view(text)); }

  std::size_t size() const { return values_.size(); }
  // nullptr: NULL. Valid until the next add().
  const char* value(std::size_t i) const { return values_[i] ? values_[i]->c_str() : nullptr; }

 private:
  std::vector<std::optional<std::string>> values_;
};

}  // namespace sealpost
