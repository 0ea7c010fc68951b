// One connection to PostgreSQL, for benchmarks: their own preparations, the feature-free pipeline,
// and questions about what came out. Plain libpq: the baseline must not pay for a library in
// between.
//
// Threads: an instance belongs to one thread. Errors: std::runtime_error with the server's message.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct pg_conn;
struct pg_result;

namespace sealpost {

// The rows that a statement gave. Cells live as long as this object.
class Rows {
 public:
  explicit Rows(pg_result* result);
  int count() const;
  std::string_view at(int row, int column) const;  // text format; NULL reads as empty

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

class Database {
 public:
  explicit Database(const std::string& url);  // libpq URI or keyword string

  // One or several statements without parameters; the rows of the last one.
  Rows run(const std::string& sql);
  // The only cell of the only row.
  std::string value(const std::string& sql);

  void prepare(const std::string& name, const std::string& sql);
  Rows execute(const std::string& name, std::span<const std::string> parameters);

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  Rows checked(pg_result* result);
  std::unique_ptr<pg_conn, Close> connection_;
};

// Throws unless `from` (a table, perhaps with WHERE) has so many rows.
void expect_count(Database& database, const std::string& from, std::int64_t expected);

}  // namespace sealpost
