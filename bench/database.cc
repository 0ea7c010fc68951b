#include "bench/database.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <stdexcept>
#include <vector>

namespace sealpost {

Rows::Rows(pg_result* result) : result_(result) {}

int Rows::count() const { return PQntuples(result_.get()); }

std::string_view Rows::at(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

void Rows::Clear::operator()(pg_result* result) const { PQclear(result); }

void Database::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Database::Database(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  }
  // Notices ("table does not exist, skipping") would only clutter the benchmark's output.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
}

Rows Database::checked(pg_result* result) {
  Rows rows(result);
  const auto status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(PQerrorMessage(connection_.get()));
  }
  return rows;
}

Rows Database::run(const std::string& sql) {
  return checked(PQexec(connection_.get(), sql.c_str()));
}

std::string Database::value(const std::string& sql) {
  const Rows rows = run(sql);
  if (rows.count() != 1) throw std::runtime_error("expected one row from: " + sql);
  return std::string(rows.at(0, 0));
}

void Database::prepare(const std::string& name, const std::string& sql) {
  checked(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr));
}

Rows Database::execute(const std::string& name, std::span<const std::string> parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  return checked(PQexecPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                                values.data(), nullptr, nullptr, 0));
}

void expect_count(Database& database, const std::string& from, std::int64_t expected) {
  const auto found = database.value("SELECT count(*) FROM " + from);
  if (found != std::to_string(expected)) {
    throw std::runtime_error(fmt::format("{} rows in {} instead of {}", found, from, expected));
  }
}

}  // namespace sealpost
