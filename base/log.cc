#include "base/log.h"

#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <iterator>
#include <mutex>

#include "base/bytes.h"
#include "base/clock.h"

namespace sealpost {
namespace {

// A line is one write of at most PIPE_BUF bytes (4,096 on Linux): the kernel then neither splits it
// nor mixes it with lines of other processes. What does not fit is left out and the line says so.
constexpr std::string_view kTruncatedKey = "truncated";
constexpr std::size_t kRoomForEnd = 24;  // `,"truncated":true}` and a line feed
constexpr std::size_t kMaxValueBytes = 1024;

std::atomic<LogLevel> g_level{LogLevel::info};
std::atomic<LogFormat> g_format{LogFormat::json};
std::atomic<std::uint64_t> g_dropped{0};

std::string_view to_text(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

// At most kMaxValueBytes, without cutting through a character.
std::string_view shortened(std::string_view text) {
  if (text.size() <= kMaxValueBytes) return text;
  std::size_t end = kMaxValueBytes;
  while (end > kMaxValueBytes - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

void append_escape(unsigned code, std::string& line) {
  fmt::format_to(std::back_inserter(line), "\\u{:04x}", code);
}

// Escapes one character and returns its length. Terminals obey DEL and U+0080 to U+009F like the
// older control characters, so those are escaped too, although JSON does not ask for it.
std::size_t append_character(std::string_view rest, std::string& line) {
  const auto byte = static_cast<unsigned char>(rest[0]);
  const std::size_t length = utf8_character_length(rest);
  if (length == 0) {
    line += "\\ufffd";  // REPLACEMENT CHARACTER, once per byte that is not UTF-8
    return 1;
  }
  if (byte == '"' || byte == '\\') {
    line.push_back('\\');
    line.push_back(rest[0]);
  } else if (byte == '\n') {
    line += "\\n";
  } else if (byte < 0x20 || byte == 0x7F) {
    append_escape(byte, line);
  } else if (byte == 0xC2 && static_cast<unsigned char>(rest[1]) < 0xA0) {
    append_escape(static_cast<unsigned char>(rest[1]), line);
  } else {
    line.append(rest.substr(0, length));
  }
  return length;
}

void append_quoted(std::string_view text, std::string& line) {
  line.push_back('"');
  while (!text.empty()) text.remove_prefix(append_character(text, line));
  line.push_back('"');
}

// logfmt needs no quotes around a value of visible ASCII without quotes and equals signs.
bool is_bare_word(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) >= 0x7F) {
      return false;
    }
  }
  return !text.empty();
}

void append_field(const LogField& field, LogFormat format, std::string& line) {
  if (format == LogFormat::json) {
    line.append(line.empty() ? "{\"" : ",\"").append(field.key()).append("\":");
  } else {
    line.append(line.empty() ? "" : " ").append(field.key()).append("=");
  }
  field.append_value(format, line);
}

// Asking whether there is room, and writing no more than the room that the answer promises, instead
// of O_NONBLOCK: that flag belongs to the open file, which the shell that started us and our
// children share, and it would make their writes fail. A pipe that is writable has a page free,
// which is PIPE_BUF, so the write does not wait; a writable socket has three quarters of its buffer
// free. The mutex keeps our own threads from using up that room in between. Another process with
// the same pipe still could; then this write waits for a reader once. A thread of our own for
// writing would close that gap, and would lose the last lines of a crash, which are the ones that
// matter.
void write_line(std::string_view line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  pollfd room{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0) {
    ssize_t written = 0;
    do {
      written = write(STDERR_FILENO, line.data(), line.size());
    } while (written < 0 && errno == EINTR);
    if (written == static_cast<ssize_t>(line.size())) return;
  }
  g_dropped.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

LogField::LogField(std::string_view key, std::string_view text)
    : key_(key), kind_(Kind::text), text_(text) {}
LogField::LogField(std::string_view key, const char* text)
    : LogField(key, std::string_view(text == nullptr ? "" : text)) {}
LogField::LogField(std::string_view key, const std::string& text)
    : LogField(key, std::string_view(text)) {}
LogField::LogField(std::string_view key, double number)
    : key_(key), kind_(Kind::real), real_(number) {}
LogField::LogField(std::string_view key, bool flag)
    : key_(key), kind_(Kind::flag), integer_(flag ? 1 : 0) {}

void LogField::append_value(LogFormat format, std::string& line) const {
  switch (kind_) {
    case Kind::text: {
      const std::string_view text = shortened(text_);
      if (format == LogFormat::text && is_bare_word(text)) {
        line.append(text);
      } else {
        append_quoted(text, line);
      }
      return;
    }
    case Kind::integer:
      fmt::format_to(std::back_inserter(line), "{}", integer_);
      return;
    case Kind::unsigned_integer:
      fmt::format_to(std::back_inserter(line), "{}", unsigned_);
      return;
    case Kind::real:
      if (std::isfinite(real_)) {
        fmt::format_to(std::back_inserter(line), "{}", real_);
      } else {
        fmt::format_to(std::back_inserter(line), "\"{}\"", real_);  // JSON has no infinity, no NaN
      }
      return;
    case Kind::flag:
      line += integer_ != 0 ? "true" : "false";
      return;
  }
}

void configure_log(const LogOptions& options) {
  g_level = options.level;
  g_format = options.format;
}

bool log_enabled(LogLevel level) { return level >= g_level.load(std::memory_order_relaxed); }

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  const LogFormat format = g_format.load(std::memory_order_relaxed);
  std::string line;
  line.reserve(512);
  append_field({"ts", to_rfc3339(SystemClock().wall_now())}, format, line);
  append_field({"level", to_text(level)}, format, line);
  append_field({"event", event}, format, line);
  bool truncated = false;
  for (const LogField& field : fields) {
    const std::size_t before = line.size();
    append_field(field, format, line);
    if (line.size() > PIPE_BUF - kRoomForEnd) {
      line.resize(before);
      truncated = true;
    }
  }
  if (truncated) append_field({kTruncatedKey, true}, format, line);
  line += format == LogFormat::json ? "}\n" : "\n";
  write_line(line);
}

std::uint64_t log_lines_dropped() { return g_dropped.load(std::memory_order_relaxed); }

}  // namespace sealpost
