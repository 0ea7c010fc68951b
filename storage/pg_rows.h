// The rows that a statement returned. Columns are read by position, in the order of the statement's
// SELECT list; asking for what is not there is a bug of ours and throws std::logic_error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace pqxx {
class result;
}

namespace sealpost {

class PgRows {
 public:
  PgRows();
  explicit PgRows(const pqxx::result& result);

  int size() const;
  bool empty() const { return size() == 0; }
  int affected() const;  // rows inserted, updated or deleted

  bool is_null(int row, int column) const;
  // Valid as long as any copy of these rows.
  std::string_view view(int row, int column) const;
  std::string text(int row, int column) const { return std::string(view(row, column)); }
  std::int64_t number(int row, int column) const;
  bool flag(int row, int column) const;
  std::string bytes(int row, int column) const;  // of a bytea
  WallTime time(int row, int column) const;      // of microseconds since 1970
  std::optional<std::string> optional_text(int row, int column) const;
  std::optional<int> optional_number(int row, int column) const;
  std::optional<double> optional_real(int row, int column) const;
  std::optional<WallTime> optional_time(int row, int column) const;

 private:
  std::shared_ptr<const pqxx::result> result_;
};

}  // namespace sealpost
