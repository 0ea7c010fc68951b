#include "storage/pg_dispatcher_registry.h"

#include <fmt/format.h>

#include "storage/advisory_locks.h"
#include "storage/pg_delivery_batches.h"

namespace sealpost {
namespace {

// Waits for the statements that run under the old epoch (they hold its row); they are over in
// milliseconds.
constexpr const char* kEndNamed =
    "DELETE FROM sealpost.dispatchers WHERE instance = $1 RETURNING epoch";
constexpr const char* kEndOverdue =
    "DELETE FROM sealpost.dispatchers WHERE expires_at < clock_timestamp() RETURNING epoch";
constexpr const char* kEnd = "DELETE FROM sealpost.dispatchers WHERE epoch = $1 RETURNING epoch";

constexpr const char* kBegin = R"sql(
INSERT INTO sealpost.dispatchers (instance, expires_at, host)
VALUES ($1, clock_timestamp() + $2 * interval '1 second', $3) RETURNING epoch)sql";

// Does not touch the key, so it does not wait for statements that hold the row FOR KEY SHARE.
constexpr PgStatement kRenew{"renew", R"sql(
UPDATE sealpost.dispatchers SET expires_at = clock_timestamp() + $2 * interval '1 second'
WHERE epoch = $1)sql"};

constexpr PgStatement kLive{"live", R"sql(
SELECT epoch, (host = $1)::int FROM sealpost.dispatchers WHERE expires_at > clock_timestamp() ORDER BY epoch)sql"};

// No index leads to the rows of an epoch (storing one must be cheap), so this reads the table: 0.3
// s per million rows, once per death. Rows are due as they were.
constexpr const char* kFree = R"sql(
UPDATE sealpost.delivery_rows SET lease_epoch = NULL WHERE lease_epoch = ANY ($1::bigint[]))sql";

constexpr const char* kForgetHandovers =
    "DELETE FROM sealpost.handovers WHERE epoch = ANY ($1::bigint[])";

// Epochs that hold rows and are in no register. It takes a damaged database to make one. They are
// collected before anything is freed, because a row may be leased to a living epoch meanwhile, and
// that is not in the list.
constexpr const char* kUnregistered = R"sql(
SELECT d.lease_epoch FROM (
  SELECT lease_epoch FROM sealpost.delivery_rows WHERE lease_epoch IS NOT NULL
  UNION SELECT lease_epoch FROM sealpost.delivery_batches) d
WHERE NOT EXISTS (SELECT FROM sealpost.dispatchers p WHERE p.epoch = d.lease_epoch))sql";

constexpr PgTransactionOptions kEnding{.statement_timeout = std::chrono::minutes{2},
                                       .lock_timeout = std::chrono::seconds{20}};

// A statement of its own, after the delete: it has to see what was committed while the delete
// waited.
int free_rows(PgTransaction& transaction, const PgRows& epochs) {
  if (epochs.empty()) return 0;
  PgArray array;
  for (int i = 0; i < epochs.size(); ++i) array.add(epochs.number(i, 0));
  transaction.run_once(kForgetHandovers, PgParameters().add(array));
  const int freed = transaction.run_once(kFree, PgParameters().add(array)).affected();
  return freed + break_up_batches(transaction, array, std::chrono::seconds{0}, true);
}

}  // namespace

PgDispatcherRegistry::PgDispatcherRegistry(DatabaseOptions options, std::string host)
    : session_(std::move(options)), host_(std::move(host)) {}

Registration PgDispatcherRegistry::start(const std::string& instance, std::chrono::seconds lease) {
  return session_.transaction(kEnding, [&](PgTransaction& transaction) {
    // Two starts under one name come one after the other; the later one wins.
    transaction.run_script(fmt::format("SELECT pg_advisory_xact_lock({})", kRegistryLock));
    Registration registration;
    const PgRows ended = transaction.run_once(kEndNamed, PgParameters().add(instance));
    registration.freed = free_rows(transaction, ended);
    const auto parameters =
        PgParameters().add(instance).add(std::int64_t{lease.count()}).add(host_);
    registration.epoch = transaction.run_once(kBegin, parameters).number(0, 0);
    registration.freed += free_rows(transaction, transaction.run_once(kUnregistered));
    return registration;
  });
}

bool PgDispatcherRegistry::renew(Epoch epoch, std::chrono::seconds lease) {
  const auto parameters = PgParameters().add(std::int64_t{epoch}).add(std::int64_t{lease.count()});
  return session_.transaction({}, [&](PgTransaction& transaction) {
    return transaction.run(kRenew, parameters).affected() == 1;
  });
}

LiveDispatchers PgDispatcherRegistry::live() {
  const PgRows rows = session_.query(kLive, PgParameters().add(host_));
  LiveDispatchers live;
  for (int i = 0; i < rows.size(); ++i) {
    live.epochs.push_back(rows.number(i, 0));
    live.on_our_host += static_cast<int>(rows.number(i, 1));
  }
  return live;
}

int PgDispatcherRegistry::take_over_dead() {
  return session_.transaction(kEnding, [&](PgTransaction& transaction) {
    return free_rows(transaction, transaction.run_once(kEndOverdue));
  });
}

void PgDispatcherRegistry::stop(Epoch epoch) {
  session_.transaction(kEnding, [&](PgTransaction& transaction) {
    free_rows(transaction, transaction.run_once(kEnd, PgParameters().add(std::int64_t{epoch})));
  });
}

}  // namespace sealpost
