#include "cli/config_sources.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <string_view>

namespace sealpost {
namespace {

constexpr std::string_view kPrefix = "SEALPOST_";
constexpr std::string_view kTestPrefix = "SEALPOST_TEST_";  // for test programs, not for us
constexpr std::string_view kConfigVariable = "SEALPOST_CONFIG";

std::vector<std::string> known_keys() {
  std::vector<std::string> names;
  for (const Option& option : options()) names.emplace_back(option.name);
  return names;
}

std::vector<std::string> known_variables() {
  std::vector<std::string> names{std::string(kConfigVariable)};
  for (const Option& option : options()) names.push_back(option.environment());
  return names;
}

std::optional<std::string> array_text(const toml::array& array) {
  std::string text;
  for (const toml::node& node : array) {
    const auto item = node.value_exact<std::string>();
    if (!item) return std::nullopt;
    if (!text.empty()) text += ',';
    text += *item;
  }
  return text;
}

// What an environment variable would hold. nullopt: a type that no setting has.
std::optional<std::string> node_text(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  if (const toml::array* array = node.as_array()) return array_text(*array);
  return std::nullopt;
}

void read_file(const std::filesystem::path& file, std::map<std::string, Setting>& settings,
               std::vector<std::string>& mistakes) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    mistakes.push_back(fmt::format(
        "configuration file {}: there is no such file. Check the path given by --config "
        "or SEALPOST_CONFIG",
        file.string()));
    return;
  }
  try {
    const toml::table table = toml::parse_file(file.string());
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const std::string where = fmt::format("{} in {}", name, file.string());
      if (find_option(name) == nullptr) {
        mistakes.push_back(fmt::format("{}: unknown key. {}Remove it or correct its name", where,
                                       suggestion(name, known_keys())));
        continue;
      }
      if (const auto text = node_text(node)) {
        settings[name] = {.text = *text, .origin = Origin::file, .where = where};
      } else {
        mistakes.push_back(where +
                           ": write a string, a number, true or false, or a list of strings");
      }
    }
  } catch (const toml::parse_error& e) {
    mistakes.push_back(fmt::format("{}, line {}: {}. Correct the TOML there", file.string(),
                                   e.source().begin.line, e.description()));
  }
}

void read_variables(const std::map<std::string, std::string>& environment,
                    std::map<std::string, Setting>& settings, std::vector<std::string>& mistakes) {
  for (const Option& option : options()) {
    const auto found = environment.find(option.environment());
    if (found == environment.end()) continue;
    settings[std::string(option.name)] = {
        .text = found->second, .origin = Origin::environment, .where = option.environment()};
  }
  const std::vector<std::string> known = known_variables();
  for (const auto& [name, text] : environment) {
    if (!name.starts_with(kPrefix) || name.starts_with(kTestPrefix)) continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    mistakes.push_back(
        fmt::format("{}: unknown environment variable. {}Unset it or correct its name", name,
                    suggestion(name, known)));
  }
}

}  // namespace

std::map<std::string, Setting> collect_settings(const ConfigSources& sources,
                                                std::vector<std::string>& mistakes) {
  std::map<std::string, Setting> settings;
  for (const Option& option : options()) {
    if (option.default_text.empty()) continue;
    settings[std::string(option.name)] = {
        .text = std::string(option.default_text), .origin = Origin::fallback, .where = "default"};
  }
  const auto variable = sources.environment.find(std::string(kConfigVariable));
  if (sources.file) {
    read_file(*sources.file, settings, mistakes);
  } else if (variable != sources.environment.end()) {
    read_file(variable->second, settings, mistakes);
  }
  read_variables(sources.environment, settings, mistakes);
  for (const auto& [name, text] : sources.flags) {
    settings[name] = {.text = text, .origin = Origin::flag, .where = find_option(name)->flag()};
  }
  return settings;
}

}  // namespace sealpost
