// The documents for operators say what the program does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "cli/options.h"

namespace sealpost {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = SEALPOST_SOURCE_DIR;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> found;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), expression);
       it != std::sregex_iterator(); ++it) {
    found.insert((*it)[1]);
  }
  return found;
}

// The row of docs/CONFIGURATION.md for an option, as it must be.
std::string row(const Option& option) {
  std::string fallback = option.default_text.empty() ? std::string(option.default_note)
                                                     : "`" + std::string(option.default_text) + "`";
  std::string description(option.description);
  if (option.kind == OptionKind::integer) {
    description +=
        " (" + std::to_string(option.minimum) + " to " + std::to_string(option.maximum) + ")";
  }
  for (size_t i = 0; i < option.choices.size(); ++i) {
    description += (i == 0 ? ": " : ", ") + std::string(option.choices[i]);
  }
  return "| `" + option.environment() + "` | `" + std::string(option.name) + "` | " + fallback +
         " | " + description + " |\n";
}

TEST(DocumentsTest, ConfigurationHasARowForEverySettingAndNoOther) {
  const std::string document = text_of(kRoot / "docs" / "CONFIGURATION.md");
  for (const Option& option : options()) EXPECT_THAT(document, testing::HasSubstr(row(option)));
  EXPECT_EQ(matches(document, R"(\n\| `(SEALPOST_[A-Z_]+)` \|)").size(), options().size());
}

TEST(DocumentsTest, OperatingListsEveryLogEventAndNoOther) {
  std::set<std::string> logged;
  for (const char* folder : {"base", "core", "storage", "dispatcher", "admin_api", "cli"}) {
    for (const auto& entry : fs::directory_iterator(kRoot / folder)) {
      if (entry.path().extension() != ".cc") continue;
      logged.merge(
          matches(text_of(entry.path()), R"re(\blog(?:_\w+)?\([^;"]*"([a-z_]+\.[a-z_]+)")re"));
    }
  }
  const std::string document = text_of(kRoot / "docs" / "OPERATING.md");
  EXPECT_EQ(
      matches(document.substr(document.find("## Log events")), R"(\n\| `([a-z_]+\.[a-z_]+)` \|)"),
      logged);
}

}  // namespace
}  // namespace sealpost
