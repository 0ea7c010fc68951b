#include "tests/support/sealpost_process.h"

#include <csignal>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace sealpost {
namespace {

using Json = nlohmann::json;

ProgramOptions program_options(CommandOptions options) {
  // Nobody's real ports, and no colors or text lines when a test runs in a terminal.
  options.environment.emplace("SEALPOST_LOG_FORMAT", "json");
  options.arguments.insert(options.arguments.begin(), SEALPOST_BINARY);
  if (!options.ulimit.empty()) {
    const std::string script = "ulimit " + options.ulimit + R"( && exec "$0" "$@")";
    options.arguments.insert(options.arguments.begin(), {"/bin/sh", "-c", script});
  }
  return {.arguments = std::move(options.arguments),
          .environment = std::move(options.environment),
          .directory = std::move(options.directory),
          .input = std::move(options.input)};
}

CommandOptions on_free_ports(CommandOptions options) {
  options.environment.emplace("SEALPOST_LISTEN", "127.0.0.1:0");
  options.environment.emplace("SEALPOST_METRICS_LISTEN", "127.0.0.1:0");
  return options;
}

// The port in a field like "http://127.0.0.1:40123"; the field is empty for what is not served.
std::optional<int> port_in(const std::string& line, const char* field) {
  const Json fields = Json::parse(line, nullptr, false);
  if (!fields.is_object() || !fields.contains(field)) return std::nullopt;
  const std::string address = fields[field].get<std::string>();
  if (address.empty()) return std::nullopt;
  return std::stoi(address.substr(address.rfind(':') + 1));
}

int known(const std::optional<int>& port, const char* what) {
  if (!port) throw std::logic_error(std::string("this process has told no port for ") + what);
  return *port;
}

}  // namespace

CommandResult run_sealpost(const CommandOptions& options, std::chrono::milliseconds timeout) {
  RunningProgram program(program_options(options));
  CommandResult result;
  result.exit = program.wait_exit(timeout);
  result.output = program.text(Stream::output);
  result.errors = program.text(Stream::errors);
  return result;
}

SealpostProcess::SealpostProcess(CommandOptions options)
    : program_(program_options(on_free_ports(std::move(options)))) {}

std::optional<std::string> SealpostProcess::wait_for_log(std::string_view event,
                                                         std::chrono::milliseconds timeout) const {
  const std::string needle = "\"event\":\"" + std::string(event) + '"';
  const auto names_it = [&](const std::string& line) {
    return line.find(needle) != std::string::npos;
  };
  return program_.wait_for_line(Stream::errors, names_it, timeout);
}

bool SealpostProcess::wait_until_ready(std::chrono::milliseconds timeout) {
  const auto line = wait_for_log("serve.ready", timeout);
  if (!line) return false;
  api_port_ = port_in(*line, "api");
  metrics_port_ = port_in(*line, "metrics");
  return true;
}

int SealpostProcess::api_port() const { return known(api_port_, "the admin API"); }

int SealpostProcess::metrics_port() const { return known(metrics_port_, "health and metrics"); }

void SealpostProcess::terminate() { program_.signal(SIGTERM); }

void SealpostProcess::kill_hard() { program_.signal(SIGKILL); }

}  // namespace sealpost
