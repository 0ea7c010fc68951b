#include "tests/tidy/source_rules.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <functional>
#include <iterator>

namespace sealpost {
namespace {

// ------------------------------------------------------------------------------------- the tables

using Patterns = std::vector<std::string_view>;  // of paths, as fnmatch(3) reads them; * stops at /

// Which of our folders a folder may include. base <- core <- {storage, dispatcher, admin_api} <-
// cli.
struct Layer {
  std::string_view folder;
  Patterns may_include;
};
const std::vector<Layer> kLayers = {
    {"base", {"base"}},
    {"core", {"base", "core"}},
    {"storage", {"base", "core", "storage"}},
    {"dispatcher", {"base", "core", "dispatcher"}},
    {"admin_api", {"base", "core", "admin_api"}},
    {"cli", {"base", "core", "storage", "dispatcher", "admin_api", "cli"}},
};

// Which files may include a library. Only .cc files: a third-party header in a header of ours would
// reach everybody who includes it.
struct Fence {
  std::string_view begins;  // the included path begins so
  Patterns allowed;
};
const std::vector<Fence> kFences = {
    {"pqxx/", {"storage/*.cc"}},
    {"libpq", {"storage/*.cc"}},
    {"curl/", {"base/url.cc", "dispatcher/curl_http_sender*.cc"}},
    {"httplib.h", {"admin_api/*server*.cc", "cli/listen.cc"}},
    {"openssl/", {"base/*.cc"}},
    {"sodium", {"base/*.cc"}},
    {"nlohmann/",
     {"admin_api/*.cc", "storage/*.cc", "cli/*.cc", "core/verify.cc", "core/check_request.cc",
      "core/open_body.cc", "core/sealed_json.cc", "core/sealed_packet.cc",
      "core/sealed_response.cc", "core/cloudevents.cc", "core/signing_profile_json.cc",
      "core/receiver_error.cc", "core/validation.cc"}},
    {"CLI/", {"cli/*.cc"}},
    {"toml++/", {"cli/*.cc"}},
    {"fmt/", {"*/*.cc"}},
};
const Patterns kSystemFolders = {"sys/*", "arpa/*", "net/*", "netinet/*", "linux/*"};

// Words that only some files may use, in code (not in comments and literals).
struct ForbiddenCall {
  std::string_view code;
  Patterns allowed;
  std::string_view remedy;
};
constexpr std::string_view kUseClock = "take a Clock (base/clock.h), so that tests can move time";
constexpr std::string_view kUseRandom = "take a Random (base/random.h), so that tests can seed it";
constexpr std::string_view kNoSleep =
    "wait on a condition variable, a poll or a queue with a deadline, so that a stop ends the wait";
constexpr std::string_view kUseOptions =
    "read the environment in cli/ and pass the value as an option";
const std::vector<ForbiddenCall> kForbiddenCalls = {
    {"::now(", {"base/clock.cc"}, kUseClock},  // of system_clock, steady_clock and all others
    {"time(nullptr)", {"base/clock.cc"}, kUseClock},
    {"time(NULL)", {"base/clock.cc"}, kUseClock},
    {"gettimeofday", {"base/clock.cc"}, kUseClock},
    {"clock_gettime", {"base/clock.cc"}, kUseClock},
    {"std::rand", {"base/random.cc"}, kUseRandom},
    {"random_device", {"base/random.cc"}, kUseRandom},
    {"sleep_for", {}, kNoSleep},
    {"sleep_until", {}, kNoSleep},
    {"usleep", {}, kNoSleep},
    {"nanosleep", {}, kNoSleep},
    {"getenv", {"cli/*.cc"}, kUseOptions},
};

// Joined from pieces, so that this file does not violate its own rules.
const std::vector<std::string> kLeftoverMarkers = {std::string("TO") + "DO",
                                                   std::string("FIX") + "ME", std::string(3, 'X')};
const std::vector<std::string> kMachinePaths = {std::string("/wo") + "rk/",
                                                std::string("../sha") + "red"};

constexpr std::size_t kMaxLines = 400;
constexpr std::size_t kMaxColumns = 100;
// SQL reads better with a clause on a line, and clang-format does not touch it.
constexpr std::size_t kMaxSqlColumns = 120;

// Not part of the project: what version control, builds and runs leave in the tree.
const Patterns kSkippedFolders = {".git", ".cache", "build", "node_modules", "sealpost-data"};

// ------------------------------------------------------------------------------- reading the text

bool matches_any(const std::string& path, const Patterns& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
    return fnmatch(std::string(pattern).c_str(), path.c_str(), FNM_PATHNAME) == 0;
  });
}

bool is_header(const SourceFile& file) { return file.path.ends_with(".h"); }
bool is_code(const SourceFile& file) { return is_header(file) || file.path.ends_with(".cc"); }

// The file's row in kLayers; nullptr for files that are not the product's code.
const Layer* layer_of(const SourceFile& file) {
  if (!is_code(file)) return nullptr;
  const std::string_view folder = std::string_view(file.path).substr(0, file.path.find('/'));
  const auto layer = std::find_if(kLayers.begin(), kLayers.end(),
                                  [&](const Layer& l) { return l.folder == folder; });
  return layer == kLayers.end() ? nullptr : &*layer;
}

using LineVisitor = std::function<void(int number, std::string_view line)>;

void for_each_line(std::string_view text, const LineVisitor& visit) {
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    visit(number, text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// True if `line` has `word` and not merely as a part of a longer word.
bool has_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos;
       at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool goes_on_before = at > 0 && is_word_character(line[at - 1]);
    const bool goes_on_behind = end < line.size() && is_word_character(line[end]);
    if (!(goes_on_before && is_word_character(word.front())) &&
        !(goes_on_behind && is_word_character(word.back()))) {
      return true;
    }
  }
  return false;
}

std::size_t columns_of(std::string_view line) {
  // The continuation bytes of UTF-8 take no column.
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// ---------------------------------------------------------------------------------------- includes

// What is wrong with including our own file `target`; empty if nothing.
std::string own_include_problem(const Layer& layer, std::string_view target) {
  const std::string_view folder = target.substr(0, target.find('/'));
  if (folder == target || target.starts_with(".")) {
    return "name our own headers from the root of the tree (\"base/clock.h\")";
  }
  const Patterns& allowed = layer.may_include;
  if (std::find(allowed.begin(), allowed.end(), folder) != allowed.end()) return "";
  return fmt::format("{}/ may include only from {}: move what both need down, or join them in cli/",
                     layer.folder, fmt::join(allowed, ", "));
}

// What is wrong with including <target>; empty if nothing.
std::string library_include_problem(const std::string& path, std::string_view target) {
  for (const Fence& fence : kFences) {
    if (!target.starts_with(fence.begins)) continue;
    if (matches_any(path, fence.allowed)) return "";
    return fmt::format("this library stays in {}: put what you need behind an interface there",
                       fmt::join(fence.allowed, ", "));
  }
  const bool is_standard = target.find_first_of("./") == std::string_view::npos;
  const bool is_system = (target.ends_with(".h") && target.find('/') == std::string_view::npos) ||
                         matches_any(std::string(target), kSystemFolders);
  if (is_standard || is_system) return "";
  return "unknown library: decide which files may use it and add that to "
         "tests/tidy/source_rules.cc";
}

}  // namespace

std::string to_text(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& violation : violations) {
    fmt::format_to(std::back_inserter(text), "{}:{}: {}\n", violation.file, violation.line,
                   violation.problem);
  }
  return text;
}

std::vector<SourceFile> read_tree(const std::filesystem::path& root) {
  std::vector<SourceFile> files;
  for (auto entry = std::filesystem::recursive_directory_iterator(root);
       entry != std::filesystem::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory() && matches_any(entry->path().filename().string(), kSkippedFolders)) {
      entry.disable_recursion_pending();
    }
    if (!entry->is_regular_file() || entry->is_symlink()) continue;
    std::ifstream in(entry->path(), std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    if (text.find('\0') != std::string::npos) continue;  // not text
    files.push_back({entry->path().lexically_relative(root).generic_string(), std::move(text)});
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<Violation> check_includes(const SourceFile& file) {
  std::vector<Violation> violations;
  const Layer* const layer = layer_of(file);
  if (layer == nullptr) return violations;
  for_each_line(file.text, [&](int number, std::string_view line) {
    constexpr std::string_view kInclude = "#include ";
    if (!line.starts_with(kInclude)) return;
    line.remove_prefix(kInclude.size());
    const bool is_own = line.starts_with('"');
    const std::string_view target = line.substr(1, line.find_first_of("\">", 1) - 1);
    const std::string problem =
        is_own ? own_include_problem(*layer, target) : library_include_problem(file.path, target);
    if (!problem.empty()) {
      violations.push_back({file.path, number, fmt::format("includes {}: {}", target, problem)});
    }
  });
  return violations;
}

std::vector<Violation> check_forbidden_calls(const SourceFile& file) {
  std::vector<Violation> violations;
  if (layer_of(file) == nullptr) return violations;
  for_each_line(code_only(file.text), [&](int number, std::string_view line) {
    for (const ForbiddenCall& call : kForbiddenCalls) {
      if (!has_word(line, call.code) || matches_any(file.path, call.allowed)) continue;
      violations.push_back({file.path, number, fmt::format("uses {}: {}", call.code, call.remedy)});
    }
  });
  return violations;
}

std::vector<Violation> check_file_length(const SourceFile& file) {
  const auto lines = static_cast<std::size_t>(std::count(file.text.begin(), file.text.end(), '\n'));
  if (layer_of(file) == nullptr || lines <= kMaxLines) return {};
  return {
      {file.path, static_cast<int>(lines),
       fmt::format("{} lines, more than {}: split it by what its parts know", lines, kMaxLines)}};
}

std::vector<Violation> check_line_length(const SourceFile& file) {
  std::vector<Violation> violations;
  if (!is_code(file)) return violations;
  bool in_sql = false;
  for_each_line(file.text, [&](int number, std::string_view line) {
    const bool ends_sql = line.find(")sql\"") != std::string_view::npos;
    const std::size_t limit = in_sql ? kMaxSqlColumns : kMaxColumns;
    in_sql = !ends_sql && (in_sql || line.find("R\"sql(") != std::string_view::npos);
    if (columns_of(line) <= limit) return;
    violations.push_back(
        {file.path, number,
         fmt::format("{} columns, more than {}: run clang-format -i, and break long "
                     "literals by hand",
                     columns_of(line), limit)});
  });
  return violations;
}

std::vector<Violation> check_header_form(const SourceFile& file) {
  std::vector<Violation> violations;
  if (!is_header(file)) return violations;
  if (!file.text.starts_with("// ")) {
    violations.push_back(
        {file.path, 1,
         "begins without a comment: say what the header is for, which threads may use "
         "it, units, limits and errors"});
  }
  bool has_pragma = false;
  for_each_line(file.text,
                [&](int, std::string_view line) { has_pragma |= line == "#pragma once"; });
  if (!has_pragma) violations.push_back({file.path, 1, "has no line #pragma once: add it"});
  return violations;
}

std::vector<Violation> check_leftover_markers(const SourceFile& file) {
  std::vector<Violation> violations;
  for_each_line(file.text, [&](int number, std::string_view line) {
    for (const std::string& marker : kLeftoverMarkers) {
      if (!has_word(line, marker)) continue;
      violations.push_back(
          {file.path, number, fmt::format("has a leftover {}: do it, or open an issue", marker)});
    }
  });
  return violations;
}

std::vector<Violation> check_machine_paths(const SourceFile& file) {
  std::vector<Violation> violations;
  for_each_line(file.text, [&](int number, std::string_view line) {
    for (const std::string& path : kMachinePaths) {
      if (line.find(path) == std::string_view::npos) continue;
      violations.push_back({file.path, number,
                            fmt::format("mentions {}, which exists on one machine only: use a path "
                                        "inside the tree or an option",
                                        path)});
    }
  });
  return violations;
}

}  // namespace sealpost
