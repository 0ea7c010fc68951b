// One structured line per happening: JSON on a pipe, logfmt on a terminal, to stderr.
//
// `event` is a stable machine name ("delivery.attempted"); docs/OPERATING.md lists every one.
// Values are escaped by the encoder, so no value can start a line of its own. Secrets have no
// overload here and therefore do not compile. A pipe that nobody reads never blocks the program:
// lines that do not fit are dropped and counted.
//
// Threads: safe from any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sealpost {

class SecretText;

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { text, json };

// One field of a line. Holds views: build it in the call, do not keep it.
class LogField {
 public:
  LogField(std::string_view key, std::string_view text);
  LogField(std::string_view key, const char* text);
  LogField(std::string_view key, const std::string& text);
  LogField(std::string_view key, std::signed_integral auto number)
      : key_(key), kind_(Kind::integer), integer_(number) {}
  LogField(std::string_view key, std::unsigned_integral auto number)
      : key_(key), kind_(Kind::unsigned_integer), unsigned_(number) {}
  LogField(std::string_view key, double number);
  LogField(std::string_view key, bool flag);
  LogField(std::string_view key, const SecretText&) = delete;

  std::string_view key() const { return key_; }
  // Appends the value, quoted and escaped as the format asks.
  void append_value(LogFormat format, std::string& line) const;

 private:
  enum class Kind { text, integer, unsigned_integer, real, flag };
  std::string_view key_;
  Kind kind_;
  std::string_view text_;
  std::int64_t integer_ = 0;
  std::uint64_t unsigned_ = 0;
  double real_ = 0;
};

struct LogOptions {
  LogLevel level = LogLevel::info;  // lines below it are not written
  LogFormat format = LogFormat::json;
};

// Call once at start, before other threads exist. Without it: info, json.
void configure_log(const LogOptions& options);
bool log_enabled(LogLevel level);
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

inline void log_debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::debug, event, fields);
}
inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::info, event, fields);
}
inline void log_warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::warn, event, fields);
}
inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::error, event, fields);
}

// Lines that were dropped because the reader of stderr did not keep up, since the start.
std::uint64_t log_lines_dropped();

}  // namespace sealpost
