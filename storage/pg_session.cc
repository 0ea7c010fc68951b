#include "storage/pg_session.h"

#include <fmt/format.h>

#include <pqxx/pqxx>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "storage/connection_url.h"
#include "storage/pg_errors.h"

// libpqxx 7.10 deprecates exec_prepared() and exec_params(), which are the calls that 6.4 has as
// well.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace sealpost {
namespace {

using Kind = StorageError::Kind;

constexpr std::size_t kMaxParameters = 32;

// BEGIN and COMMIT are sent by us and not by pqxx::work, so that the settings travel with BEGIN.
// One SELECT sets them all, and tries for the lock: a SET LOCAL each would be as many statements.
constexpr const char* kBegin =
    "BEGIN ISOLATION LEVEL READ COMMITTED;"
    "SELECT {}, set_config('synchronous_commit', 'on', true)"
    ", set_config('statement_timeout', '{}', true)"
    ", set_config('lock_timeout', '{}', true)";

// Hot statements are written for these settings: each access to a table is a LATERAL subquery
// behind a fence (LIMIT or OFFSET 0), which can only be a nested loop over an index scan, and
// everything else joins the results of such subqueries, which only a hash join does in linear time.
// Disabled plan types cost 1e10 in the planner's eyes and are still used where nothing else is
// possible; that cost must not set off JIT compilation or parallel workers. Plans are generic:
// planning anew with every batch would cost more than running it.
constexpr const char* kPlanByIndex =
    ", set_config('enable_seqscan', 'off', true)"
    ", set_config('enable_bitmapscan', 'off', true)"
    ", set_config('enable_nestloop', 'off', true)"
    ", set_config('enable_mergejoin', 'off', true)"
    ", set_config('max_parallel_workers_per_gather', '0', true)"
    ", set_config('jit', 'off', true)"
    ", set_config('work_mem', '64MB', true)"
    ", set_config('plan_cache_mode', 'force_generic_plan', true)";

// libpqxx takes parameters as arguments of a variadic template, the only way that all versions
// share.
template <class Call, std::size_t... I>
pqxx::result spread(Call& call, const PgParameters& parameters, std::index_sequence<I...>) {
  return call(parameters.value(I)...);
}

template <std::size_t N = 0, class Call>
pqxx::result with_parameters(Call& call, const PgParameters& parameters) {
  if (parameters.size() == N) return spread(call, parameters, std::make_index_sequence<N>());
  if constexpr (N < kMaxParameters) {
    return with_parameters<N + 1>(call, parameters);
  } else {
    throw std::logic_error("a statement has too many parameters");
  }
}

}  // namespace

struct PgSession::Connection {
  explicit Connection(const std::string& url) : connection(url), statements(connection) {}
  pqxx::connection connection;
  pqxx::nontransaction statements;

  // Whether the next transaction meets the statements that this one prepared. A pooler hands every
  // transaction to whichever server connection is free, and gives itself away: the process id that
  // it announced at connection is made up, because there is no one server process behind it.
  bool keeps_statements() {
    if (!is_direct) {
      const auto pid = statements.exec("SELECT pg_backend_pid()")[0][0].as<int>();
      is_direct = pid == connection.backendpid();
    }
    return *is_direct;
  }

  void prepare(const PgStatement& statement) {
    if (prepared.insert(statement.name).second) connection.prepare(statement.name, statement.sql);
  }

  std::optional<bool> is_direct;  // nullopt: not asked yet
  std::set<std::string_view> prepared;
};

PgSession::PgSession(DatabaseOptions options) : options_(std::move(options)) {}
PgSession::~PgSession() = default;

PgRows PgSession::query(const PgStatement& statement, const PgParameters& parameters) {
  return run_prepared(statement, parameters);
}

PgRows PgSession::query_once(const std::string& sql, const PgParameters& parameters) {
  return run_unprepared(sql, parameters);
}

PgSession::Connection& PgSession::connected() {
  if (connection_) return *connection_;
  if (in_transaction_)
    throw StorageError(Kind::unavailable, "the connection was lost in a transaction");
  try {
    connection_ = std::make_unique<Connection>(connection_string(options_));
  } catch (const pqxx::failure& error) {
    throw StorageError(Kind::unavailable, connection_error_text(error.what()));
  }
  return *connection_;
}

// Runs `call` and translates what libpqxx throws. The order of the handlers matters: in libpqxx 6 a
// rollback by the server is no sql_error, in 7 it is.
template <class Call>
auto PgSession::guarded(During during, Call&& call) {
  const auto fail = [&](PgFailure failure, const char* what) -> StorageError {
    failed_ = true;
    const bool lost =
        !failure.connection_usable || !connection_ || !connection_->connection.is_open();
    if (lost) connection_.reset();
    if (lost && failure.kind == Kind::permanent) failure.kind = Kind::unavailable;
    if (lost && during == During::commit) failure.kind = Kind::in_doubt;
    return StorageError(failure.kind, what);
  };
  try {
    return call();
  } catch (const StorageError&) {
    throw;
  } catch (const pqxx::in_doubt_error& error) {
    throw fail({Kind::in_doubt, false}, error.what());
  } catch (const pqxx::statement_completion_unknown& error) {
    throw fail({Kind::in_doubt, false}, error.what());
  } catch (const pqxx::transaction_rollback& error) {
    throw fail({Kind::conflict, true}, error.what());
  } catch (const pqxx::broken_connection& error) {
    throw fail({Kind::unavailable, false}, error.what());
  } catch (const pqxx::sql_error& error) {
    throw fail(classify_sqlstate(error.sqlstate()), error.what());
  } catch (const pqxx::failure& error) {
    throw fail({Kind::unavailable, false}, error.what());
  }
}

PgRows PgSession::run_prepared(const PgStatement& statement, const PgParameters& parameters) {
  return guarded(During::statement, [&] {
    Connection& c = connected();
    const bool kept = c.keeps_statements();
    if (kept) c.prepare(statement);
    const auto call = [&](auto... values) {
      return kept ? c.statements.exec_prepared(statement.name, values...)
                  : c.statements.exec_params(statement.sql, values...);
    };
    return PgRows(with_parameters(call, parameters));
  });
}

PgRows PgSession::run_unprepared(const std::string& sql, const PgParameters& parameters) {
  return guarded(During::statement, [&] {
    Connection& c = connected();
    const auto call = [&](auto... values) { return c.statements.exec_params(sql, values...); };
    return PgRows(with_parameters(call, parameters));
  });
}

PgRows PgSession::run_script(const std::string& sql) {
  return guarded(During::statement, [&] { return PgRows(connected().statements.exec(sql)); });
}

void PgSession::begin(const PgTransactionOptions& options, PgTransaction& transaction) {
  const std::string lock =
      options.try_lock ? fmt::format("pg_try_advisory_xact_lock({})", *options.try_lock) : "false";
  std::string sql =
      fmt::format(kBegin, lock, options.statement_timeout.count(), options.lock_timeout.count());
  if (options.plans == PgPlans::by_index) sql += kPlanByIndex;
  try {
    const PgRows rows = run_script(sql);
    in_transaction_ = true;
    failed_ = false;
    transaction.locked_ = rows.flag(0, 0);
  } catch (...) {
    rollback();
    throw;
  }
}

void PgSession::commit() {
  try {
    // COMMIT of a transaction that failed rolls back and reports success.
    if (failed_) throw std::logic_error("a transaction is committed although a statement failed");
    guarded(During::commit, [&] { return connected().statements.exec("COMMIT"); });
    in_transaction_ = false;
  } catch (...) {
    rollback();
    throw;
  }
}

// A connection that cannot even roll back is given up; the server then rolls back by itself.
void PgSession::rollback() noexcept {
  in_transaction_ = false;
  if (!connection_) return;
  try {
    connection_->statements.exec("ROLLBACK");
  } catch (const std::exception&) {
    connection_.reset();
  }
}

PgRows PgTransaction::run(const PgStatement& statement, const PgParameters& parameters) {
  return session_.run_prepared(statement, parameters);
}

PgRows PgTransaction::run_once(const std::string& sql, const PgParameters& parameters) {
  return session_.run_unprepared(sql, parameters);
}

PgRows PgTransaction::run_script(const std::string& sql) { return session_.run_script(sql); }

}  // namespace sealpost
