#include "storage/rewrapper.h"

#include <fmt/format.h>

#include <utility>

namespace sealpost {
namespace {

// Locked, so that nobody changes the plaintext in between; not against foreign keys to the row.
constexpr const char* kBatchOfColumn = R"sql(
SELECT id, {1}, {2} FROM sealpost.{0} WHERE {2} <> $1 AND id > $2 ORDER BY id LIMIT $3
FOR NO KEY UPDATE)sql";
constexpr const char* kUpdate = "UPDATE sealpost.{0} SET {1} = $2::bytea, {2} = $3 WHERE id = $1";

std::string for_column(const char* sql, const SealedColumn& column) {
  return fmt::format(fmt::runtime(sql), column.table, column.column, column.key_id_column);
}

}  // namespace

Rewrapper::Rewrapper(DatabaseOptions options, std::shared_ptr<MasterKeys> keys, Random& random)
    : session_(std::move(options)), sealer_(std::move(keys), random) {}

RewrapReport Rewrapper::run() {
  RewrapReport report;
  for (;;) {
    Pass pass;
    for (const SealedColumn& column : kSealedColumns) go_through(column, pass);
    report.rewrapped += pass.rewrapped;
    report.unreadable = std::move(pass.unreadable);
    if (pass.rewrapped == 0) return report;
  }
}

void Rewrapper::go_through(const SealedColumn& column, Pass& pass) {
  std::optional<std::string> last = "";
  while (last) last = rewrap_batch(column, *last, pass);
}

std::optional<std::string> Rewrapper::rewrap_batch(const SealedColumn& column,
                                                   const std::string& after, Pass& pass) {
  Pass batch;
  auto last = session_.transaction({}, [&](PgTransaction& transaction) {
    const PgRows rows =
        transaction.run_once(for_column(kBatchOfColumn, column),
                             PgParameters().add(sealer_.newest_key_id()).add(after).add(kBatch));
    for (int i = 0; i < rows.size(); ++i) {
      const std::string id = rows.text(i, 0);
      const auto text = sealer_.open(column, id, rows.view(i, 2), rows.bytes(i, 1));
      if (!text) {
        batch.unreadable.push_back(fmt::format("{}.{} of {}, encrypted under {}", column.table,
                                               column.column, id, rows.view(i, 2)));
        continue;
      }
      const Sealer::Sealed sealed = sealer_.seal(column, id, *text);
      transaction.run_once(for_column(kUpdate, column),
                           PgParameters().add(id).add_bytes(sealed.ciphertext).add(sealed.key_id));
      ++batch.rewrapped;
    }
    return rows.empty() ? std::nullopt : std::optional(rows.text(rows.size() - 1, 0));
  });
  pass.rewrapped += batch.rewrapped;
  for (std::string& one : batch.unreadable) pass.unreadable.push_back(std::move(one));
  return last;
}

}  // namespace sealpost
