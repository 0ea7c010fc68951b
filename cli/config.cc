#include "cli/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

#include "base/url.h"
#include "cli/config_sources.h"
#include "cli/options.h"
#include "core/header_rules.h"
#include "core/signing_profile.h"
#include "core/validation.h"

extern char** environ;

namespace sealpost {
namespace {

std::string joined(const std::vector<std::string>& mistakes) {
  std::string text = mistakes.size() == 1
                         ? "the configuration has a mistake:"
                         : fmt::format("the configuration has {} mistakes:", mistakes.size());
  for (const std::string& mistake : mistakes) text += "\n  " + mistake;
  return text;
}

std::optional<long> parse_integer(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Turns texts into values, collecting what is wrong on the way. A getter whose text is wrong
// returns a harmless value; the caller finds the mistakes at the end.
class Reader {
 public:
  Reader(std::map<std::string, Setting> settings, std::vector<std::string>& mistakes)
      : settings_(std::move(settings)), mistakes_(mistakes) {}

  std::optional<std::string> text(std::string_view name) {
    const Setting* setting = find(name);
    if (setting == nullptr) return std::nullopt;
    if (setting->text.empty()) {
      refuse(*setting, "is empty", "Give it a value or leave it out");
      return std::nullopt;
    }
    return setting->text;
  }

  std::optional<std::filesystem::path> path(std::string_view name) {
    const auto given = text(name);
    if (!given) return std::nullopt;
    return std::filesystem::path(*given);
  }

  // For settings that may hold a password: it may only come from a file.
  std::optional<SecretText> guarded_text(std::string_view name, std::string_view remedy) {
    const auto given = text(name);
    if (!given) return std::nullopt;
    const Setting& setting = *find(name);
    if (setting.origin != Origin::file && holds_password(*given)) {
      refuse(setting, "holds a password, which other processes can read there", remedy);
    }
    return SecretText(*given);
  }

  long integer(std::string_view name) {
    const Setting& setting = *find(name);
    const Option& option = *find_option(name);
    const auto value = parse_integer(setting.text);
    if (value && *value >= option.minimum && *value <= option.maximum) return *value;
    refuse(setting, fmt::format("is \"{}\"", setting.text),
           fmt::format("Use a whole number from {} to {}", option.minimum, option.maximum));
    return option.minimum;
  }

  bool flag(std::string_view name) {
    const Setting& setting = *find(name);
    if (setting.text == "true") return true;
    if (setting.text != "false") {
      refuse(setting, fmt::format("is \"{}\"", setting.text), "Use true or false");
    }
    return false;
  }

  std::string choice(std::string_view name, std::string_view fallback) {
    const Setting* setting = find(name);
    if (setting == nullptr) return std::string(fallback);
    const auto& choices = find_option(name)->choices;
    if (std::find(choices.begin(), choices.end(), setting->text) == choices.end()) {
      refuse(*setting, fmt::format("is \"{}\"", setting->text),
             fmt::format("Use one of {}", fmt::join(choices, ", ")));
      return std::string(choices.front());
    }
    return setting->text;
  }

  std::string address(std::string_view name) {
    const Setting& setting = *find(name);
    const size_t colon = setting.text.rfind(':');
    const auto port = colon == std::string::npos
                          ? std::nullopt
                          : parse_integer(std::string_view(setting.text).substr(colon + 1));
    const std::string_view host =
        std::string_view(setting.text).substr(0, std::min(colon, setting.text.size()));
    const bool bare_ipv6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
    if (!port || *port < 0 || *port > 65535 || host.empty() || bare_ipv6) {
      refuse(setting, fmt::format("is \"{}\"", setting.text),
             "Use HOST:PORT, for instance 127.0.0.1:8025 or [::1]:8025");
    }
    return setting.text;
  }

  std::vector<IpRange> ranges(std::string_view name) {
    std::vector<IpRange> ranges;
    const Setting* setting = find(name);
    if (setting == nullptr) return ranges;
    std::string_view rest = setting->text;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      std::string_view item = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      while (item.starts_with(' ')) item.remove_prefix(1);
      while (item.ends_with(' ')) item.remove_suffix(1);
      if (item.empty()) continue;
      if (const auto range = IpRange::parse(item)) {
        ranges.push_back(*range);
      } else {
        refuse(*setting, fmt::format("has \"{}\"", item),
               "Use CIDRs whose address has no bits behind the prefix, for instance "
               "10.0.0.0/8,fd00::/8");
      }
    }
    return ranges;
  }

  bool is_set(std::string_view name) { return find(name) != nullptr; }

  void refuse(const Setting& setting, std::string_view problem, std::string_view remedy) {
    mistakes_.push_back(fmt::format("{} {}. {}", setting.where, problem, remedy));
  }
  void refuse(std::string mistake) { mistakes_.push_back(std::move(mistake)); }

  std::string summary() const;

 private:
  static bool holds_password(std::string_view url) {
    if (const auto parts = parse_url(url)) {
      if (!parts->password.empty()) return true;
    } else if (const size_t at = url.find('@'); at != std::string_view::npos) {
      // libcurl refuses what libpq allows (several hosts); the userinfo ends at the first '@' all
      // the same.
      const size_t start = url.find("://");
      const std::string_view user = url.substr(0, at);
      if (user.find(':', start == std::string_view::npos ? 0 : start + 3) != std::string_view::npos)
        return true;
    }
    return url.find("password=") != std::string_view::npos;
  }

  const Setting* find(std::string_view name) const {
    const auto found = settings_.find(std::string(name));
    return found == settings_.end() ? nullptr : &found->second;
  }

  std::map<std::string, Setting> settings_;
  std::vector<std::string>& mistakes_;
};

std::string_view origin_text(Origin origin) {
  switch (origin) {
    case Origin::flag:
      return "flag";
    case Origin::environment:
      return "environment";
    case Origin::file:
      return "file";
    case Origin::fallback:
      return "default";
  }
  return "default";
}

std::string Reader::summary() const {
  std::string line;
  for (const Option& option : options()) {
    const Setting* setting = find(option.name);
    if (!line.empty()) line += ' ';
    if (option.may_hold_password) {
      line += fmt::format("{}_configured={}", option.name, setting != nullptr ? "yes" : "no");
    } else if (setting != nullptr) {
      line += fmt::format("{}={}({})", option.name, setting->text, origin_text(setting->origin));
    }
  }
  return line;
}

std::optional<SecretText> read_database_url(Reader& reader) {
  const auto url = reader.guarded_text(
      "database_url",
      "Put the URL into a file of mode 0600 and set SEALPOST_DATABASE_URL_FILE to its path");
  const auto file = reader.path("database_url_file");
  if (!file) return url;
  if (url) {
    reader.refuse(
        "SEALPOST_DATABASE_URL and SEALPOST_DATABASE_URL_FILE are both set. Keep one of them");
    return url;
  }
  std::ifstream stream(*file);
  std::string line;
  if (!std::getline(stream, line) || line.empty()) {
    reader.refuse(fmt::format(
        "SEALPOST_DATABASE_URL_FILE: cannot read a URL from {}. The file must exist, be readable "
        "by this user and have the URL in its first line",
        file->string()));
    return std::nullopt;
  }
  return SecretText(line);
}

LogLevel log_level(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "warn") return LogLevel::warn;
  if (text == "error") return LogLevel::error;
  return LogLevel::info;
}

// What receivers are told about us.
void check_public_names(const Config& config, Reader& reader) {
  if (config.webhook_origin && !is_dns_name(*config.webhook_origin)) {
    reader.refuse(
        "SEALPOST_WEBHOOK_ORIGIN is no DNS name. Use one that stands for this sender, for instance "
        "events.example.com");
  }
  if (!config.public_url) return;
  const auto url = parse_url(*config.public_url);
  const bool has_scheme =
      url && (url->scheme == "https" || (url->scheme == "http" && config.allow_http));
  if (has_scheme && is_header_value(*config.public_url) &&
      config.public_url->find_first_of("?#@ ") == std::string::npos) {
    return;
  }
  reader.refuse(
      "SEALPOST_PUBLIC_URL is not the URL of an API. Use https://HOST or https://HOST/PATH, "
      "without "
      "user, query and fragment");
}

// What no single setting can know.
void check_relations(const Config& config, Reader& reader) {
  if (config.listen == config.metrics_listen && !config.listen.ends_with(":0")) {
    reader.refuse(fmt::format(
        "SEALPOST_LISTEN and SEALPOST_METRICS_LISTEN are both {}. Give them different ports",
        config.listen));
  }
  if (config.egress_proxy) {
    const auto proxy = parse_url(config.egress_proxy->reveal());
    if (!proxy || (proxy->scheme != "http" && proxy->scheme != "https")) {
      reader.refuse("SEALPOST_EGRESS_PROXY is not a proxy's URL. Use http://HOST:PORT");
    }
  }
  check_public_names(config, reader);
  if (config.database_url && !config.database_url->reveal().starts_with("postgres")) {
    reader.refuse(
        "SEALPOST_DATABASE_URL is not a PostgreSQL URL. Use postgresql://USER@HOST:PORT/DATABASE");
  }
  for (const auto& file : {config.master_key_file, config.ca_file}) {
    std::error_code error;
    if (!file || std::filesystem::is_regular_file(*file, error)) continue;
    reader.refuse(fmt::format(
        "{} is not there. Check the path in SEALPOST_MASTER_KEY_FILE or SEALPOST_CA_FILE; "
        "a master key is made by: openssl rand -base64 32 > FILE && chmod 600 FILE",
        file->string()));
  }
}

}  // namespace

ConfigError::ConfigError(std::vector<std::string> mistakes)
    : std::runtime_error(joined(mistakes)), mistakes_(std::move(mistakes)) {}

Config load_config(const ConfigSources& sources) {
  std::vector<std::string> mistakes;
  Reader reader(collect_settings(sources, mistakes), mistakes);

  Config config;
  config.database_url = read_database_url(reader);
  config.data_dir =
      std::filesystem::absolute(reader.path("data_dir").value_or(".")).lexically_normal();
  config.listen = reader.address("listen");
  config.metrics_listen = reader.address("metrics_listen");
  config.master_key_file = reader.path("master_key_file");
  config.allow_ranges = reader.ranges("allow_ranges");
  config.allow_http = reader.flag("allow_http");
  config.egress_proxy = reader.guarded_text(
      "egress_proxy", "Set egress_proxy in a configuration file of mode 0600 instead");
  config.max_in_flight = static_cast<int>(reader.integer("max_in_flight"));
  config.lease = std::chrono::seconds(reader.integer("lease_seconds"));
  config.instance = reader.text("instance");
  config.poll = Milliseconds(reader.integer("poll_ms"));
  config.default_profile = reader.choice("default_profile", "standard");
  config.drain = std::chrono::seconds(reader.integer("drain_seconds"));
  config.retention = std::chrono::days(reader.integer("retention_days"));
  config.ca_file = reader.path("ca_file");
  config.webhook_origin = reader.text("webhook_origin");
  config.public_url = reader.text("public_url");
  if (config.public_url && config.public_url->ends_with('/')) config.public_url->pop_back();
  config.log_level = log_level(reader.choice("log_level", "info"));
  const bool text_lines =
      reader.choice("log_format", sources.stderr_is_terminal ? "text" : "json") == "text";
  config.log_format = text_lines ? LogFormat::text : LogFormat::json;
  check_relations(config, reader);
  if (sources.needs_master_key && config.database_url && !config.master_key_file) {
    reader.refuse(
        "SEALPOST_MASTER_KEY_FILE is not set. Secrets are stored under that key, so every process "
        "on a "
        "database needs the same one. Make it once: openssl rand -base64 32 > FILE && chmod 600 "
        "FILE");
  }
  config.summary = reader.summary();

  if (!mistakes.empty()) throw ConfigError(std::move(mistakes));
  return config;
}

std::map<std::string, std::string> read_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return variables;
}

}  // namespace sealpost
