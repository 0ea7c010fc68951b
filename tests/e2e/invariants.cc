#include "tests/e2e/invariants.h"

#include <algorithm>
#include <optional>

namespace sealpost {
namespace {

// Both clocks are this machine's; the database's is read a little before its commit, and the
// receiver's a little after the bytes arrived.
constexpr std::chrono::milliseconds kClockSlack{20};

DeliveryName name_of(const LedgerEntry& entry) { return {entry.header("webhook-id"), entry.path}; }

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The envelope's last member is the payload, byte for byte.
bool is_expected(const Committed& committed, const LedgerEntry& entry) {
  const DeliveryName name = name_of(entry);
  if (!committed.deliveries.contains(name)) return false;
  if (entry.header("idempotency-key") != "wh_" + name.event_id + "-retry-1") return false;
  return ends_with(entry.body, "\"data\":" + committed.payloads.at(name.event_id) + "}");
}

struct Seen {
  std::size_t requests = 0;
  std::size_t accepted = 0;
  std::optional<WallTime> last_at;
};

using SeenByName = std::map<DeliveryName, Seen>;

SeenByName tally(const Committed& committed, const Ledger& ledger, Findings& findings) {
  SeenByName seen;
  for (const LedgerEntry& entry : ledger.entries()) {
    if (!is_expected(committed, entry)) {
      ++findings.unexpected;
      continue;
    }
    Seen& one = seen[name_of(entry)];
    ++one.requests;
    if (entry.accepted()) ++one.accepted;
    one.last_at = std::max(one.last_at.value_or(entry.arrived_at), entry.arrived_at);
  }
  return seen;
}

void compare_with_database(const SeenByName& seen, const Stored& stored, Findings& findings) {
  for (const auto& [name, one] : seen) {
    const auto attempts = stored.attempts.find(name);
    const std::size_t recorded = attempts == stored.attempts.end() ? 0 : attempts->second;
    findings.unrecorded += one.requests - std::min(one.requests, recorded);
    findings.duplicated += one.accepted - std::min<std::size_t>(one.accepted, 1);
  }
  std::map<DeliveryName, std::size_t> ends;
  for (const Stored::Final& final : stored.finals) {
    const auto found = seen.find(final.name);
    const bool accepted = found != seen.end() && found->second.accepted > 0;
    if (++ends[final.name] > 1) ++findings.contradicted;
    if (final.state == "delivered" && !accepted) ++findings.contradicted;
    if (found != seen.end() && found->second.last_at > final.finished_at + kClockSlack) {
      ++findings.after_end;
    }
  }
}

std::size_t count_lost(const Committed& committed, const SeenByName& seen, const Stored& stored) {
  std::set<DeliveryName> accounted_for;
  for (const auto& [name, one] : seen) {
    if (one.accepted > 0) accounted_for.insert(name);
  }
  for (const Stored::Final& final : stored.finals) {
    if (final.state == "failed" || final.state == "canceled") accounted_for.insert(final.name);
  }
  return static_cast<std::size_t>(
      std::count_if(committed.deliveries.begin(), committed.deliveries.end(),
                    [&](const DeliveryName& name) { return !accounted_for.contains(name); }));
}

}  // namespace

Findings find_violations(const Committed& committed, const Ledger& ledger, const Stored& stored) {
  Findings findings;
  const SeenByName seen = tally(committed, ledger, findings);
  compare_with_database(seen, stored, findings);
  findings.lost = count_lost(committed, seen, stored);
  findings.unfinished = stored.unfinished;
  findings.leased = stored.leased;
  return findings;
}

std::ostream& operator<<(std::ostream& out, const Findings& findings) {
  return out << "lost=" << findings.lost << " unexpected=" << findings.unexpected
             << " duplicated=" << findings.duplicated << " after_end=" << findings.after_end
             << " unrecorded=" << findings.unrecorded << " contradicted=" << findings.contradicted
             << " unfinished=" << findings.unfinished << " leased=" << findings.leased;
}

}  // namespace sealpost
