#include "storage/pg_rows.h"

#include <charconv>
#include <pqxx/pqxx>
#include <stdexcept>

#include "base/bytes.h"

namespace sealpost {

PgRows::PgRows() = default;

PgRows::PgRows(const pqxx::result& result)
    : result_(std::make_shared<const pqxx::result>(result)) {}

int PgRows::size() const { return result_ ? static_cast<int>(result_->size()) : 0; }

int PgRows::affected() const { return result_ ? static_cast<int>(result_->affected_rows()) : 0; }

bool PgRows::is_null(int row, int column) const {
  if (row < 0 || row >= size()) throw std::logic_error("no such row in a result");
  return (*result_)[row][column].is_null();
}

std::string_view PgRows::view(int row, int column) const {
  if (row < 0 || row >= size()) throw std::logic_error("no such row in a result");
  const auto field = (*result_)[row][column];
  return {field.c_str(), field.size()};
}

std::int64_t PgRows::number(int row, int column) const {
  const std::string_view digits = view(row, column);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    throw std::logic_error("column " + std::to_string(column) + " of a result is not a number");
  }
  return value;
}

bool PgRows::flag(int row, int column) const { return view(row, column) == "t"; }

std::string PgRows::bytes(int row, int column) const {
  const std::string_view hex = view(row, column);
  auto decoded = hex.substr(0, 2) == "\\x" ? hex_decode(hex.substr(2)) : std::nullopt;
  if (!decoded) throw std::logic_error("column " + std::to_string(column) + " is not a bytea");
  return *std::move(decoded);
}

WallTime PgRows::time(int row, int column) const {
  return WallTime(std::chrono::microseconds(number(row, column)));
}

std::optional<std::string> PgRows::optional_text(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return text(row, column);
}

std::optional<int> PgRows::optional_number(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return static_cast<int>(number(row, column));
}

std::optional<double> PgRows::optional_real(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  const std::string_view digits = view(row, column);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    throw std::logic_error("column " + std::to_string(column) + " of a result is not a number");
  }
  return value;
}

std::optional<WallTime> PgRows::optional_time(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return time(row, column);
}

}  // namespace sealpost
