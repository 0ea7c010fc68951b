#include "tests/e2e/load.h"

#include <algorithm>

namespace sealpost {
namespace {

constexpr int kTenants = 8;
constexpr int kPerInsert = 250;
// Long enough that the limit of requests in flight is reached, short enough for thousands a second.
constexpr std::chrono::milliseconds kAnswerDelay{10};

std::string tenant(int i) { return "tenant-" + std::to_string(i); }

std::vector<std::string> paths_of(int i) {
  return {"/" + tenant(i) + "/a", "/" + tenant(i) + "/b"};
}

}  // namespace

Load::Load(Installation& installation) : installation_(installation) {
  const auto process = installation.start("admin-api");
  ApiClient api = installation.api(*process);
  for (int i = 0; i < kTenants; ++i) {
    for (const std::string& path : paths_of(i)) {
      receiver_.on(path, {{.delay = kAnswerDelay}});
      api.make("/v1/webhook-endpoints",
               endpoint_body(receiver_.url(path), {{"tenant", tenant(i)}}));
    }
  }
}

void Load::insert(int events) {
  for (int inserted = 0, i = 0; inserted < events; i = (i + 1) % kTenants) {
    const int count = std::min(kPerInsert, events - inserted);
    installation_.insert({.tenant = tenant(i), .count = count, .paths = paths_of(i)});
    inserted += count;
  }
}

std::unique_ptr<SealpostProcess> Load::start_dispatcher(const std::string& instance,
                                                        const Environment& more) {
  Environment variables = more;
  variables.merge(Environment{{"SEALPOST_INSTANCE", instance},
                              {"SEALPOST_MAX_IN_FLIGHT", std::to_string(kLoadInFlight)}});
  return installation_.start("dispatcher", variables);
}

bool Load::wait_for_accepted(std::size_t deliveries, std::chrono::milliseconds timeout) {
  return receiver_.wait_until(
      [&](const Ledger& ledger) { return ledger.distinct_accepted() >= deliveries; }, timeout);
}

Findings Load::findings() {
  return find_violations(installation_.committed(), receiver_.ledger(), installation_.stored());
}

std::set<std::string> Load::leased_events() {
  const PgRows rows = installation_.sql().query_once(
      "SELECT DISTINCT event_id FROM sealpost.deliveries WHERE lease_epoch IS NOT NULL");
  std::set<std::string> events;
  for (int row = 0; row < rows.size(); ++row) events.insert(rows.text(row, 0));
  return events;
}

std::optional<MonotonicTime> Load::first_request_for(const std::set<std::string>& events,
                                                     MonotonicTime since) const {
  const Ledger ledger = receiver_.ledger();
  for (const LedgerEntry& entry : ledger.entries()) {
    if (entry.began_at > since && events.contains(entry.header("webhook-id")))
      return entry.began_at;
  }
  return std::nullopt;
}

}  // namespace sealpost
