// The rules of the source tree that no compiler checks, as functions over the text of one file.
// What is allowed stands in the tables at the top of source_rules.cc. tests/tidy_test.cc runs them
// over the tree, and over small bad examples, so that each rule is known to be able to fail.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sealpost {

struct SourceFile {
  std::string path;  // from the root of the tree, with slashes: "base/clock.cc"
  std::string text;
};

struct Violation {
  std::string file;
  int line = 0;         // from 1
  std::string problem;  // what is wrong, and what to do
};

// "base/clock.cc:12: problem", one line each.
std::string to_text(const std::vector<Violation>& violations);

// All text files below `root` that belong to the project (no build folders, no data), sorted by
// path.
std::vector<SourceFile> read_tree(const std::filesystem::path& root);

// Rules for .h and .cc files of the product's folders; other files have no violations.
std::vector<Violation> check_includes(const SourceFile& file);
std::vector<Violation> check_forbidden_calls(const SourceFile& file);
std::vector<Violation> check_file_length(const SourceFile& file);

// Rules for all .h and .cc files.
std::vector<Violation> check_line_length(const SourceFile& file);
std::vector<Violation> check_header_form(const SourceFile& file);

// Rules for all text files.
std::vector<Violation> check_leftover_markers(const SourceFile& file);
std::vector<Violation> check_machine_paths(const SourceFile& file);

// The text of a C++ file with comments and the contents of literals blanked out; lines stay where
// they are.
std::string code_only(std::string_view text);

}  // namespace sealpost
