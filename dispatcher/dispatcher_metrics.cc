#include "dispatcher/dispatcher_metrics.h"

#include <string_view>
#include <variant>
#include <vector>

#include "base/log.h"

namespace sealpost {
namespace {

constexpr std::array<std::string_view, 6> kClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::size_t kSuccess = 0;
constexpr std::size_t kHttpError = 1;
constexpr std::size_t kFirstError = 2;

// The buckets of OpenTelemetry's http.client.request.duration, and our longest timeouts.
std::vector<double> request_buckets() {
  return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60};
}
std::vector<double> statement_buckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5};
}

std::string_view outcome_name(std::size_t i) {
  if (i == kSuccess) return "success";
  if (i == kHttpError) return "http_error";
  return to_text(static_cast<AttemptError>(i - kFirstError));
}

std::size_t outcome_index(const AttemptOutcome& outcome) {
  if (outcome.succeeded()) return kSuccess;
  if (outcome.status_code) return kHttpError;
  return kFirstError + static_cast<std::size_t>(outcome.error.value_or(AttemptError::internal));
}

}  // namespace

DispatcherMetrics::DispatcherMetrics()
    : attempt_seconds(request_buckets()),
      intake_seconds(statement_buckets()),
      finish_seconds(statement_buckets()) {}

void DispatcherMetrics::attempted(const AttemptOutcome& outcome, const Decision& decision) {
  attempts_by_outcome[outcome_index(outcome)].add();
  const auto status_class = static_cast<std::size_t>(outcome.status_code.value_or(0) / 100);
  responses_by_class[status_class < kClasses.size() ? status_class : 0].add();
  attempt_seconds.observe(std::chrono::duration<double>(outcome.duration).count());
  if (std::holds_alternative<Delivered>(decision.next)) delivered.add();
  if (std::holds_alternative<RetryAfter>(decision.next)) retried.add();
  if (std::holds_alternative<GiveUp>(decision.next)) dead_lettered.add();
  if (decision.disable_endpoint) endpoints_disabled.add();
}

std::string DispatcherMetrics::text(const Gauges& gauges) const {
  MetricsText out;
  out.counter("sealpost_events_taken_total", "Events taken out of intake.", events_taken.value());
  out.counter("sealpost_deliveries_created_total", "Deliveries made by fan-out.",
              deliveries_created.value());
  out.counter("sealpost_deliveries_claimed_total", "Waiting deliveries leased.",
              deliveries_claimed.value());
  out.counter("sealpost_deliveries_taken_over_total", "Deliveries freed from dead dispatchers.",
              deliveries_taken_over.value());
  out.counter("sealpost_deliveries_dropped_total",
              "Deliveries not started because the lease was lost.", deliveries_dropped.value());
  out.counter("sealpost_leases_lost_total", "Times this dispatcher's epoch was ended by another.",
              leases_lost.value());
  out.counter("sealpost_orphan_results_total",
              "Results of attempts whose lease was lost: possible duplicates.",
              orphaned_results.value());
  for (std::size_t i = 0; i < attempts_by_outcome.size(); ++i) {
    const std::string name(outcome_name(i));
    out.counter("sealpost_attempts_total", "HTTP requests that ended, by outcome.",
                attempts_by_outcome[i].value(), {{"outcome", name}});
  }
  for (std::size_t i = 0; i < responses_by_class.size(); ++i) {
    out.counter("sealpost_attempt_responses_total", "HTTP requests that ended, by status class.",
                responses_by_class[i].value(), {{"class", kClasses[i]}});
  }
  const std::string_view settled_help = "What was decided after attempts.";
  out.counter("sealpost_decisions_total", settled_help, delivered.value(), {{"next", "delivered"}});
  out.counter("sealpost_decisions_total", settled_help, retried.value(), {{"next", "retry"}});
  out.counter("sealpost_decisions_total", settled_help, dead_lettered.value(),
              {{"next", "dead_letter"}});
  out.counter("sealpost_endpoints_disabled_total", "Endpoints disabled because they are gone.",
              endpoints_disabled.value());
  out.histogram("sealpost_attempt_duration_seconds", "Duration of HTTP requests.", attempt_seconds);
  out.histogram("sealpost_intake_duration_seconds", "Duration of intake statements.",
                intake_seconds);
  out.histogram("sealpost_finish_duration_seconds", "Duration of finish statements.",
                finish_seconds);
  out.gauge("sealpost_attempts_in_flight", "HTTP requests in flight.",
            static_cast<double>(in_flight.value()));
  out.gauge("sealpost_attempts_in_flight_limit", "Most HTTP requests in flight.",
            gauges.max_in_flight);
  out.gauge("sealpost_queued_deliveries", "Leased and not yet started.", gauges.queued);
  out.gauge("sealpost_queued_bytes", "Payloads of queued deliveries.",
            static_cast<double>(gauges.queued_bytes));
  out.gauge("sealpost_unfinished_results", "Results not yet written.", gauges.unfinished);
  out.gauge("sealpost_lease_held", "1 while requests may be started.", gauges.lease_held ? 1 : 0);
  out.gauge("sealpost_buckets_owned", "Of 256 buckets of endpoints.",
            static_cast<double>(gauges.buckets));
  out.gauge("sealpost_endpoints_cached", "Endpoints in memory.",
            static_cast<double>(gauges.endpoints_cached));
  out.gauge("sealpost_endpoints_unusable", "Enabled endpoints that cannot be signed for.",
            static_cast<double>(gauges.endpoints_unusable));
  out.gauge("sealpost_circuits_open", "Endpoints that do not work and get a probe now and then.",
            static_cast<double>(open_circuits.value()));
  out.gauge("sealpost_db_up", "1 while the database answers.", gauges.store_reachable ? 1 : 0);
  out.counter("sealpost_db_errors_total", "Statements that failed.", gauges.store_errors);
  out.counter("sealpost_log_lines_dropped_total", "Log lines that nobody read in time.",
              log_lines_dropped());
  return out.text();
}

}  // namespace sealpost
