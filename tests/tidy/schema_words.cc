#include "tests/tidy/schema_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "tests/tidy/source_rules.h"

namespace sealpost {
namespace {

std::string without_sql_comments(std::string_view sql) {
  std::string text;
  while (!sql.empty()) {
    const std::string_view line = sql.substr(0, sql.find('\n'));
    text.append(line.substr(0, line.find("--"))).append("\n");
    sql.remove_prefix(std::min(line.size() + 1, sql.size()));
  }
  return text;
}

// All runs of `characters` in `text`.
std::vector<std::string> runs_of(std::string_view text, std::string_view characters) {
  std::vector<std::string> runs;
  std::size_t at = 0;
  while ((at = text.find_first_of(characters, at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_not_of(characters, at), text.size());
    runs.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return runs;
}

constexpr std::string_view kWordCharacters = "abcdefghijklmnopqrstuvwxyz0123456789_-";

}  // namespace

std::vector<std::string> enumerators(std::string_view header, std::string_view name) {
  const std::string code = code_only(header);
  const std::string begin = fmt::format("enum class {} {{", name);
  const std::size_t at = code.find(begin);
  if (at == std::string::npos) return {};
  const std::size_t from = at + begin.size();
  return runs_of(std::string_view(code).substr(from, code.find('}', from) - from), kWordCharacters);
}

std::set<std::string> checked_words(std::string_view sql, std::string_view table,
                                    std::string_view column) {
  const std::string text = without_sql_comments(sql);
  const std::string check = fmt::format("CHECK ({} IN (", column);
  std::set<std::string> words;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view statement = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(statement.size() + 1, rest.size()));
    const bool concerns_table =
        statement.find(fmt::format("CREATE TABLE sealpost.{} ", table)) != std::string_view::npos ||
        statement.find(fmt::format("ALTER TABLE sealpost.{} ", table)) != std::string_view::npos;
    const std::size_t at = statement.find(check);
    if (!concerns_table || at == std::string_view::npos) continue;
    const std::size_t from = at + check.size();
    const auto found =
        runs_of(statement.substr(from, statement.find(')', from) - from), kWordCharacters);
    words = {found.begin(), found.end()};
  }
  return words;
}

std::string difference(const std::set<std::string>& in_code,
                       const std::set<std::string>& in_schema) {
  std::string text;
  const auto report = [&](const auto& words, const auto& others, std::string_view problem) {
    for (const std::string& word : words) {
      if (!others.contains(word)) {
        fmt::format_to(std::back_inserter(text), "\"{}\" {}\n", word, problem);
      }
    }
  };
  report(in_code, in_schema, "is in the enum only: add it to the CHECK in a new migration");
  report(in_schema, in_code, "is in the CHECK only: add it to the enum");
  return text;
}

}  // namespace sealpost
