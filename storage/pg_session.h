// One connection to PostgreSQL. Connects at the first use and again after it was lost; prepares
// each statement once per connection; turns every failure into a StorageError.
//
// Works through PgBouncer in transaction mode, whatever its version: all settings are made
// for one transaction, in the round trip that begins it, and nothing is kept prepared behind a
// pooler. There each statement is planned anew with each batch (measured: 2 ms for intake, 0.5 ms
// for finish).
//
// Threads: an instance belongs to one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "core/storage_error.h"
#include "storage/database_options.h"
#include "storage/pg_parameters.h"
#include "storage/pg_rows.h"

namespace sealpost {

// A statement that is prepared under `name` when it is first used, except behind a pooler.
// Instances are constants.
struct PgStatement {
  const char* name;
  const char* sql;
};

// How statements of a transaction are planned.
enum class PgPlans {
  by_statistics,  // PostgreSQL's choice
  // Through indexes, whatever the statistics say. Queue tables are empty most of the time and are
  // analyzed empty, and then sequential scans look free: measured, intake took 80–120 µs per event
  // instead of 12 until the next analyze. See pg_session.cc for the settings.
  by_index,
};

struct PgTransactionOptions {
  PgPlans plans = PgPlans::by_statistics;
  std::chrono::milliseconds statement_timeout{30'000};  // zero: none
  std::chrono::milliseconds lock_timeout{5'000};        // zero: none
  // An advisory lock until the end of the transaction, if it is free.
  std::optional<std::int64_t> try_lock{};
};

class PgTransaction {
 public:
  PgTransaction(const PgTransaction&) = delete;
  PgTransaction& operator=(const PgTransaction&) = delete;

  PgRows run(const PgStatement& statement, const PgParameters& parameters = {});
  // Not kept prepared: for statements whose text varies or that are rare.
  PgRows run_once(const std::string& sql, const PgParameters& parameters = {});
  // Several statements separated by semicolons, without parameters. Never with text from outside.
  PgRows run_script(const std::string& sql);

  // Whether `try_lock` was obtained.
  bool locked() const { return locked_; }

 private:
  friend class PgSession;
  explicit PgTransaction(class PgSession& session) : session_(session) {}
  PgSession& session_;
  bool locked_ = false;
};

class PgSession {
 public:
  explicit PgSession(DatabaseOptions options);
  ~PgSession();

  // One statement that changes nothing, outside a transaction.
  PgRows query(const PgStatement& statement, const PgParameters& parameters = {});
  PgRows query_once(const std::string& sql, const PgParameters& parameters = {});

  // Runs `work(PgTransaction&)` and commits. Whatever `work` throws rolls back. Isolation is READ
  // COMMITTED whatever the server's default. StorageError with kind in_doubt: the connection was
  // lost after COMMIT had been sent, so nobody knows yet.
  template <class Work>
  auto transaction(const PgTransactionOptions& options, Work&& work) {
    PgTransaction transaction(*this);
    begin(options, transaction);
    Rollback rollback(*this);
    if constexpr (std::is_void_v<decltype(work(transaction))>) {
      work(transaction);
      rollback.dismiss();
      commit();
    } else {
      auto result = work(transaction);
      rollback.dismiss();
      commit();
      return result;
    }
  }

 private:
  friend class PgTransaction;
  struct Connection;

  class Rollback {
   public:
    explicit Rollback(PgSession& session) : session_(&session) {}
    Rollback(const Rollback&) = delete;
    Rollback& operator=(const Rollback&) = delete;
    ~Rollback() {
      if (session_) session_->rollback();
    }
    void dismiss() { session_ = nullptr; }

   private:
    PgSession* session_;
  };

  enum class During { statement, commit };
  Connection& connected();
  template <class Call>
  auto guarded(During during, Call&& call);
  PgRows run_prepared(const PgStatement& statement, const PgParameters& parameters);
  PgRows run_unprepared(const std::string& sql, const PgParameters& parameters);
  PgRows run_script(const std::string& sql);
  void begin(const PgTransactionOptions& options, PgTransaction& transaction);
  void commit();
  void rollback() noexcept;

  DatabaseOptions options_;
  std::unique_ptr<Connection> connection_;  // empty: not connected
  bool in_transaction_ = false;
  bool failed_ = false;  // a statement of the present transaction failed
};

}  // namespace sealpost
