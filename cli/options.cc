#include "cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>

#include "core/limits.h"
#include "core/signing_profile.h"

namespace sealpost {
namespace {

std::vector<Option> place_options() {
  return {
      {.name = "database_url",
       .kind = OptionKind::text,
       .default_text = "",
       .default_note = "a private PostgreSQL in the data directory",
       .description =
           "libpq URI of the database, PostgreSQL 14 or newer; several hosts allowed. With a "
           "password in it, use database_url_file or the configuration file",
       .may_hold_password = true},
      {.name = "database_url_file",
       .kind = OptionKind::path,
       .default_text = "",
       .default_note = "none",
       .description = "file that holds the database URL, for a URL with a password"},
      {.name = "data_dir",
       .kind = OptionKind::path,
       .default_text = "./sealpost-data",
       .default_note = "",
       .description = "directory of the private PostgreSQL, its keys and the lock files"},
      {.name = "listen",
       .kind = OptionKind::address,
       .default_text = "127.0.0.1:8025",
       .default_note = "",
       .description = "address of the admin API; port 0 picks a free one"},
      {.name = "metrics_listen",
       .kind = OptionKind::address,
       .default_text = "127.0.0.1:8026",
       .default_note = "",
       .description =
           "address of the dispatcher's /livez, /readyz and /metrics; port 0 picks a free one"},
      {.name = "master_key_file",
       .kind = OptionKind::path,
       .default_text = "",
       .default_note =
           "master.key in the data directory beside a private PostgreSQL, else required",
       .description =
           "file with the key under which secrets are stored: 32 random bytes as base64, mode "
           "0600"},
  };
}

std::vector<Option> sending_options() {
  return {
      {.name = "allow_ranges",
       .kind = OptionKind::ranges,
       .default_text = "",
       .default_note = "none",
       .description =
           "private address ranges that endpoints may reach, as CIDRs separated by commas"},
      {.name = "allow_http",
       .kind = OptionKind::flag,
       .default_text = "false",
       .default_note = "",
       .description = "accept endpoints with http:// URLs"},
      {.name = "egress_proxy",
       .kind = OptionKind::text,
       .default_text = "",
       .default_note = "none",
       .description =
           "HTTP proxy through which endpoints are called, http://HOST:PORT; it must refuse "
           "private addresses itself. With a password, use the configuration file",
       .may_hold_password = true},
      {.name = "max_in_flight",
       .kind = OptionKind::integer,
       .default_text = "1024",
       .default_note = "",
       .description = "requests at once, all endpoints together",
       .minimum = 1,
       .maximum = kLargestMaxInFlight},
      {.name = "lease_seconds",
       .kind = OptionKind::integer,
       .default_text = "30",
       .default_note = "",
       .description =
           "how long a dispatcher that is not heard of keeps its deliveries; longer than the "
           "slowest restart of the database",
       .minimum = 5,
       .maximum = 300},
      {.name = "instance",
       .kind = OptionKind::text,
       .default_text = "",
       .default_note = "host name and data directory",
       .description =
           "name of this dispatcher; a restarted process of the same name takes its old leases "
           "over at once"},
      {.name = "poll_ms",
       .kind = OptionKind::integer,
       .default_text = "5",
       .default_note = "",
       .description = "milliseconds between looks for new events when idle",
       .minimum = 1,
       .maximum = 1000},
  };
}

std::vector<Option> other_options() {
  return {
      {.name = "default_profile",
       .kind = OptionKind::choice,
       .default_text = "standard",
       .default_note = "",
       .description = "signing profile of endpoints that name none",
       .choices = signing_preset_names()},
      {.name = "drain_seconds",
       .kind = OptionKind::integer,
       .default_text = "30",
       .default_note = "",
       .description = "how long a stop waits for requests in flight",
       .minimum = 0,
       .maximum = 600},
      {.name = "retention_days",
       .kind = OptionKind::integer,
       .default_text = "30",
       .default_note = "",
       .description = "how long events, finished deliveries and attempts are kept",
       .minimum = 1,
       .maximum = 3650},
      {.name = "ca_file",
       .kind = OptionKind::path,
       .default_text = "",
       .default_note = "the system's",
       .description =
           "PEM file of the authorities that endpoints' certificates are checked against, and no "
           "others; read again every hour"},
      {.name = "webhook_origin",
       .kind = OptionKind::text,
       .default_text = "",
       .default_note = "none",
       .description =
           "DNS name that stands for this sender, under which receivers are asked for their "
           "consent (validation cloudevents); the same for all processes on a database"},
      {.name = "public_url",
       .kind = OptionKind::text,
       .default_text = "",
       .default_note = "none",
       .description =
           "URL at which receivers reach the admin API's /v1/webhook-validations/, to consent "
           "later by a callback; without it none is offered"},
      {.name = "log_level",
       .kind = OptionKind::choice,
       .default_text = "info",
       .default_note = "",
       .description = "least important lines to write",
       .choices = {"debug", "info", "warn", "error"}},
      {.name = "log_format",
       .kind = OptionKind::choice,
       .default_text = "",
       .default_note = "text on a terminal, json otherwise",
       .description = "how log lines look",
       .choices = {"text", "json"}},
  };
}

std::vector<Option> make_options() {
  std::vector<Option> all = place_options();
  for (const auto& more : {sending_options(), other_options()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

// Levenshtein's distance, one row at a time.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Option::environment() const {
  std::string text = "SEALPOST_";
  for (const char c : name) text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string Option::flag() const {
  std::string text = "--" + std::string(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::span<const Option> options() {
  static const std::vector<Option> table = make_options();
  return table;
}

const Option* find_option(std::string_view name) {
  const auto all = options();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Option& option) { return option.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::string closest(std::string_view text, std::span<const std::string> candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(text.size() / 3, 2) + 1;
  for (const std::string& candidate : candidates) {
    const size_t d = distance(text, candidate);
    if (d >= best_distance) continue;
    best = candidate;
    best_distance = d;
  }
  return best;
}

std::string suggestion(std::string_view text, std::span<const std::string> candidates) {
  const std::string best = closest(text, candidates);
  return best.empty() ? "" : fmt::format("Did you mean {}? ", best);
}

}  // namespace sealpost
