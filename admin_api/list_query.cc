#include "admin_api/list_query.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "admin_api/field_names.h"
#include "admin_api/problem.h"
#include "base/ulid.h"

namespace sealpost {
namespace {

constexpr int kDefaultLimit = 20;
constexpr int kMaxLimit = 100;

// Takes parameters by name; what nobody asked for is a mistake.
class QueryReader {
 public:
  explicit QueryReader(const ApiCall& call) : query_(call.query) {}

  std::optional<std::string> take(const char* name) {
    known_.insert(name);
    const auto found = query_.find(name);
    if (found == query_.end()) return std::nullopt;
    if (query_.count(name) > 1) mistake("duplicate", name, "The parameter stands there twice.");
    return found->second;
  }

  std::optional<std::string> take_id(const char* name, std::string_view prefix) {
    auto id = take(name);
    if (!id || is_prefixed_ulid(*id, prefix)) return id;
    mistake("invalid_value", name,
            std::string("An id here begins with ") + std::string(prefix) +
                " and has 26 more characters.");
    return std::nullopt;
  }

  std::optional<WallTime> take_time(const char* name) {
    const auto text = take(name);
    if (!text) return std::nullopt;
    const auto time = parse_rfc3339(*text);
    if (!time) {
      mistake("invalid_value", name,
              "A time is written like 2026-05-27T09:00:00Z; a + in it must be sent as %2B.");
    }
    return time;
  }

  PageRequest take_page(std::string_view id_prefix) {
    PageRequest page{.limit = kDefaultLimit, .cursor = {}};
    if (const auto text = take(Field::limit)) {
      const char* const end = text->data() + text->size();
      const auto [rest, error] = std::from_chars(text->data(), end, page.limit);
      if (error != std::errc() || rest != end || page.limit < 1 || page.limit > kMaxLimit) {
        mistake("out_of_range", Field::limit, "limit must be a number from 1 to 100.");
      }
    }
    if (const auto cursor = take(Field::cursor)) {
      page.cursor = *cursor;
      if (!is_prefixed_ulid(*cursor, id_prefix)) {
        mistake("invalid_value", Field::cursor,
                "Send next_cursor of the page before as it was, or leave cursor out.");
      }
    }
    return page;
  }

  void mistake(const char* code, const std::string& name, std::string detail) {
    mistakes_.push_back({code, name, std::move(detail)});
  }

  // Throws if anything was wrong.
  void finish() {
    for (auto at = query_.begin(); at != query_.end(); at = query_.upper_bound(at->first)) {
      if (known_.contains(at->first)) continue;
      mistake("unknown_parameter", at->first.substr(0, 64),
              "There is no such parameter here; check its spelling.");
    }
    if (!mistakes_.empty()) throw Problem(std::move(mistakes_));
  }

 private:
  const std::multimap<std::string, std::string>& query_;
  std::set<std::string> known_;
  Mistakes mistakes_;
};

bool is_event_type(std::string_view text) {
  return !text.empty() && text.size() <= kMaxEventTypeLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.';
         });
}

std::optional<DeliveryState> take_state(QueryReader& query, std::optional<DeliveryState> only) {
  const auto text = query.take(Field::state);
  if (!text) return only;
  const auto state = delivery_state_from_text(*text);
  if (!state) {
    query.mistake("invalid_value", Field::state,
                  "A state is pending, delivering, delivered, failed, skipped or canceled.");
  } else if (only && state != only) {
    query.mistake("invalid_value", Field::state,
                  "All dead letters are in the state " + std::string(to_text(*only)) + ".");
  }
  return state;
}

// Exactly `count` digits at the front, taken off.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take_one_of(std::string_view& text, std::string_view characters) {
  if (text.empty() || characters.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".123456789", or nothing.
std::optional<std::chrono::microseconds> take_fraction(std::string_view& text) {
  if (!take_one_of(text, ".")) return std::chrono::microseconds{0};
  int digits = 0;
  int microseconds = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
    if (digits < 6) microseconds = microseconds * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  for (; digits < 6; ++digits) microseconds *= 10;
  return std::chrono::microseconds{microseconds};
}

// "Z" or "+02:00", how far it is ahead of UTC.
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take_one_of(text, "Zz")) return std::chrono::minutes{0};
  const int sign = !text.empty() && text.front() == '-' ? -1 : 1;
  if (!take_one_of(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take_one_of(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return std::chrono::minutes{sign * (*hours * 60 + *minutes)};
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take_one_of(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take_one_of(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<std::chrono::seconds> take_time_of_day(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take_one_of(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take_one_of(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second
  return std::chrono::seconds{*hour * 3600 + *minute * 60 + *second};
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take_one_of(text, "Tt")) return std::nullopt;
  const auto time_of_day = take_time_of_day(text);
  if (!time_of_day) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return WallTime(*date) + *time_of_day + *fraction - *offset;
}

PageRequest read_page_query(const ApiCall& call, std::string_view id_prefix) {
  QueryReader query(call);
  PageRequest page = query.take_page(id_prefix);
  query.finish();
  return page;
}

DeliveryListQuery read_delivery_query(const ApiCall& call,
                                      std::optional<DeliveryState> only_state) {
  QueryReader query(call);
  DeliveryListQuery read;
  read.page = query.take_page("dlv_");
  if (auto id = query.take_id(Field::endpoint_id, "we_")) read.filter.endpoint_id = EndpointId(*id);
  if (auto id = query.take_id(Field::event_id, "evt_")) read.filter.event_id = EventId(*id);
  if (auto type = query.take(Field::type)) {
    if (!is_event_type(*type)) {
      query.mistake("invalid_value", Field::type,
                    "An event type is words of letters, digits and _ joined by dots.");
    }
    read.filter.event_type = std::move(type);
  }
  read.filter.state = take_state(query, only_state);
  read.filter.created_after = query.take_time(Field::created_after);
  read.filter.created_before = query.take_time(Field::created_before);
  query.finish();
  return read;
}

KeyScopeQuery read_key_scope_query(const ApiCall& call) {
  QueryReader query(call);
  KeyScopeQuery scope{.tenant = query.take(Field::tenant), .endpoint_id = {}};
  if (scope.tenant && !is_tenant_name(*scope.tenant)) {
    query.mistake("invalid_value", Field::tenant, "A tenant is letters, digits or _ . : @ -");
  }
  if (auto id = query.take_id(Field::endpoint_id, "we_")) {
    scope.endpoint_id = EndpointId(*std::move(id));
  }
  query.finish();
  return scope;
}

void require_no_query(const ApiCall& call) { QueryReader(call).finish(); }

}  // namespace sealpost
