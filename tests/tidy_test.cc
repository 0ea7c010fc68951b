// Keeps the source tree in order: layers, fences, forbidden calls, sizes, headers, leftovers, and
// the words that the schema and the enums share. The rules stand in tests/tidy/source_rules.cc;
// here each is shown to refuse a bad example and is then run over the whole tree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/attempt.h"
#include "core/delivery.h"
#include "core/endpoint.h"
#include "core/envelope.h"
#include "core/token_store.h"
#include "tests/tidy/schema_words.h"
#include "tests/tidy/source_rules.h"

namespace sealpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> files = read_tree(SEALPOST_SOURCE_DIR);
  return files;
}

using Rule = std::vector<Violation> (*)(const SourceFile&);

void expect_tree_follows(Rule rule) {
  std::string violations;
  for (const SourceFile& file : tree()) violations += to_text(rule(file));
  if (!violations.empty()) ADD_FAILURE() << "\n" << violations;
}

// How the rule judges a file with this one line or text.
std::string judge(Rule rule, const std::string& path, const std::string& text) {
  return to_text(rule({.path = path, .text = text}));
}

// ---------------------------------------------------------------------------------------- the tree

TEST(TidyTreeTest, IsTheWholeProject) {
  std::vector<std::string> paths;
  for (const SourceFile& file : tree()) paths.push_back(file.path);
  EXPECT_THAT(paths, testing::IsSupersetOf({"base/clock.cc", "core/delivery.h", "CMakeLists.txt",
                                            "dispatcher/dispatcher.h", "tests/tidy_test.cc"}));
  EXPECT_THAT(paths, Not(testing::Contains(testing::StartsWith(".git/"))));
}

TEST(TidyTreeTest, IncludesFollowTheLayersAndFences) { expect_tree_follows(check_includes); }
TEST(TidyTreeTest, TimeRandomnessSleepAndEnvironmentStayBehindTheirSeams) {
  expect_tree_follows(check_forbidden_calls);
}
TEST(TidyTreeTest, FilesStayShort) { expect_tree_follows(check_file_length); }
TEST(TidyTreeTest, LinesStayShort) { expect_tree_follows(check_line_length); }
TEST(TidyTreeTest, HeadersAreContractsAndIncludedOnce) { expect_tree_follows(check_header_form); }
TEST(TidyTreeTest, NothingIsLeftOver) { expect_tree_follows(check_leftover_markers); }
TEST(TidyTreeTest, NoPathOfOneMachineIsMentioned) { expect_tree_follows(check_machine_paths); }

// -------------------------------------------------------------------------- the schema and the
// enums

std::string text_of(std::string_view path) {
  const auto file = std::find_if(tree().begin(), tree().end(),
                                 [&](const SourceFile& f) { return f.path == path; });
  return file == tree().end() ? "" : file->text;
}

std::string all_migrations() {
  std::string sql;
  for (const SourceFile& file : tree()) {
    if (file.path.starts_with("migrations/") && file.path.ends_with(".sql")) sql += file.text;
  }
  return sql;
}

// The words that the program writes for the enum, by its own to_text().
template <class Enum>
std::set<std::string> words_of(std::string_view header, std::string_view name) {
  std::set<std::string> words;
  const std::size_t count = enumerators(text_of(header), name).size();
  EXPECT_GT(count, 0u) << "no enum class " << name << " in " << header;
  for (std::size_t i = 0; i < count; ++i) words.emplace(to_text(static_cast<Enum>(i)));
  EXPECT_EQ(words.size(), count) << name << ": two enumerators have the same text";
  return words;
}

TEST(TidySchemaTest, FinalDeliveryStatesAgree) {
  std::set<std::string> words = words_of<DeliveryState>("core/delivery.h", "DeliveryState");
  // No column stores these: a row in deliveries or in dead_letters has them by being there.
  for (const char* word : {"pending", "delivering", "failed"}) {
    EXPECT_EQ(words.erase(word), 1u) << word << " is no DeliveryState any more";
  }
  EXPECT_EQ(difference(words, checked_words(all_migrations(), "delivery_history", "state")), "");
}

TEST(TidySchemaTest, FailureReasonsAgree) {
  EXPECT_EQ(difference(words_of<FailureReason>("core/delivery.h", "FailureReason"),
                       checked_words(all_migrations(), "dead_letters", "reason")),
            "");
}

TEST(TidySchemaTest, AttemptErrorsAgree) {
  EXPECT_EQ(difference(words_of<AttemptError>("core/attempt.h", "AttemptError"),
                       checked_words(all_migrations(), "other_attempts", "error")),
            "");
}

TEST(TidySchemaTest, ReceiverErrorCodesAgree) {
  EXPECT_EQ(difference(words_of<ReceiverErrorCode>("core/receiver_error.h", "ReceiverErrorCode"),
                       checked_words(all_migrations(), "other_attempts", "receiver_error_code")),
            "");
}

TEST(TidySchemaTest, ResponseProblemsAgree) {
  EXPECT_EQ(
      difference(words_of<ResponseProblem>("core/attempt.h", "ResponseProblem"),
                 checked_words(all_migrations(), "other_attempts", "response_decrypt_failed")),
      "");
}

TEST(TidySchemaTest, EndpointStatusesAgree) {
  EXPECT_EQ(difference(words_of<EndpointStatus>("core/endpoint_status.h", "EndpointStatus"),
                       checked_words(all_migrations(), "endpoints", "status")),
            "");
}

TEST(TidySchemaTest, ValidationsAgree) {
  EXPECT_EQ(difference(words_of<ValidationKind>("core/validation.h", "ValidationKind"),
                       checked_words(all_migrations(), "endpoints", "validation")),
            "");
  EXPECT_EQ(difference(words_of<ValidationState>("core/validation.h", "ValidationState"),
                       checked_words(all_migrations(), "endpoints", "validation_state")),
            "");
}

TEST(TidySchemaTest, OrderingsAgree) {
  EXPECT_EQ(difference(words_of<Ordering>("core/endpoint.h", "Ordering"),
                       checked_words(all_migrations(), "endpoints", "ordering")),
            "");
  EXPECT_EQ(difference(words_of<OnDeadLetter>("core/endpoint.h", "OnDeadLetter"),
                       checked_words(all_migrations(), "endpoints", "on_dead_letter")),
            "");
}

TEST(TidySchemaTest, EnvelopesAgree) {
  EXPECT_EQ(difference(words_of<Envelope>("core/envelope.h", "Envelope"),
                       checked_words(all_migrations(), "endpoints", "envelope")),
            "");
}

TEST(TidySchemaTest, EncHeadersAgree) {
  EXPECT_EQ(difference(words_of<EncHeader>("core/encryption.h", "EncHeader"),
                       checked_words(all_migrations(), "endpoints", "enc_header")),
            "");
}

TEST(TidySchemaTest, RolesAgree) {
  EXPECT_EQ(difference(words_of<Role>("core/token_store.h", "Role"),
                       checked_words(all_migrations(), "tokens", "role")),
            "");
}

TEST(SchemaWordsTest, ReadsEnumerators) {
  const std::string header =
      "enum class Other { x };\nenum class Size {\n  small,  // tiny, } \n  big\n};";
  EXPECT_THAT(enumerators(header, "Size"), ElementsAre("small", "big"));
  EXPECT_THAT(enumerators(header, "Color"), IsEmpty());
}

TEST(SchemaWordsTest, TheLastConstraintOfTheTableCounts) {
  const std::string sql =
      "CREATE TABLE sealpost.a (size text CHECK (size IN ('small')));  -- not CHECK (size IN "
      "('no'))\n"
      "CREATE TABLE sealpost.b (size text NOT NULL CHECK (size IN ('huge')));\n";
  EXPECT_THAT(checked_words(sql, "a", "size"), ElementsAre("small"));
  EXPECT_THAT(checked_words(sql, "b", "size"), ElementsAre("huge"));
  EXPECT_THAT(checked_words(sql, "b", "color"), IsEmpty());
  const std::string later = "ALTER TABLE sealpost.a ADD CHECK (size IN ('small',\n 'big'));";
  EXPECT_THAT(checked_words(sql + later, "a", "size"), ElementsAre("big", "small"));
}

TEST(SchemaWordsTest, NamesWordsThatOnlyOneSideHas) {
  EXPECT_EQ(difference({"a", "b"}, {"a", "b"}), "");
  EXPECT_THAT(difference({"a", "b"}, {"a"}), HasSubstr("\"b\" is in the enum only"));
  EXPECT_THAT(difference({"a"}, {"a", "b"}), HasSubstr("\"b\" is in the CHECK only"));
}

// ----------------------------------------------------------------------------------- bad examples

TEST(IncludeRuleTest, RefusesEdgesAgainstTheLayers) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"base/x.cc", "core/event.h"},      {"core/x.h", "storage/y.h"},
      {"core/x.cc", "dispatcher/y.h"},    {"storage/x.cc", "dispatcher/y.h"},
      {"dispatcher/x.cc", "storage/y.h"}, {"admin_api/x.cc", "storage/y.h"},
      {"admin_api/x.cc", "cli/y.h"},      {"dispatcher/x.cc", "tests/support/fake_clock.h"},
      {"core/x.cc", "event.h"},           {"core/x.cc", "../base/clock.h"},
  };
  for (const auto& [path, target] : bad) {
    EXPECT_THAT(judge(check_includes, path, "// a\n#include \"" + target + "\"\n"),
                HasSubstr(path + ":2: includes " + target));
  }
}

TEST(IncludeRuleTest, AcceptsEdgesAlongTheLayers) {
  EXPECT_EQ(judge(check_includes, "base/x.cc", "#include \"base/y.h\"\n#include <vector>\n"), "");
  EXPECT_EQ(judge(check_includes, "core/x.h", "#include \"base/y.h\"\n#include \"core/z.h\"\n"),
            "");
  EXPECT_EQ(judge(check_includes, "cli/x.cc", "#include \"storage/y.h\"\n#include <CLI/CLI.hpp>\n"),
            "");
  EXPECT_EQ(judge(check_includes, "dispatcher/x.cc", "#include <sys/epoll.h>\n#include <poll.h>\n"),
            "");
  EXPECT_EQ(judge(check_includes, "tests/x.cc", "#include \"cli/y.h\"\n#include <pqxx/pqxx>\n"),
            "");
}

TEST(IncludeRuleTest, RefusesLibrariesOutsideTheirFence) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"dispatcher/x.cc", "pqxx/pqxx"},
      {"storage/x.h", "pqxx/pqxx"},
      {"storage/sub/x.cc", "pqxx/pqxx"},
      {"core/x.cc", "curl/curl.h"},
      {"dispatcher/x.cc", "curl/curl.h"},
      {"dispatcher/curl_http_sender.h", "curl/curl.h"},
      {"admin_api/x.cc", "httplib.h"},
      {"admin_api/server.h", "httplib.h"},
      {"core/x.cc", "openssl/evp.h"},
      {"base/x.h", "openssl/evp.h"},
      {"core/x.cc", "sodium.h"},
      {"core/x.cc", "nlohmann/json.hpp"},
      {"dispatcher/x.cc", "nlohmann/json.hpp"},
      {"admin_api/x.h", "nlohmann/json_fwd.hpp"},
      {"core/x.h", "fmt/format.h"},
      {"core/x.cc", "boost/asio.hpp"},
  };
  for (const auto& [path, target] : bad) {
    EXPECT_THAT(judge(check_includes, path, "#include <" + target + ">\n"),
                HasSubstr(path + ":1: includes " + target));
  }
}

TEST(IncludeRuleTest, AcceptsLibrariesInsideTheirFence) {
  EXPECT_EQ(judge(check_includes, "storage/x.cc", "#include <pqxx/pqxx>\n"), "");
  EXPECT_EQ(judge(check_includes, "base/url.cc", "#include <curl/curl.h>\n"), "");
  EXPECT_EQ(judge(check_includes, "dispatcher/curl_http_sender_tls.cc", "#include <curl/curl.h>\n"),
            "");
  EXPECT_EQ(judge(check_includes, "admin_api/health_server.cc", "#include <httplib.h>\n"), "");
  EXPECT_EQ(judge(check_includes, "core/verify.cc", "#include <nlohmann/json.hpp>\n"), "");
}

TEST(CallRuleTest, RefusesWhatBelongsBehindASeam) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"core/x.cc", "auto t = std::chrono::system_clock::now();"},
      {"dispatcher/x.cc", "auto t = std::chrono::steady_clock::now();"},
      {"cli/x.cc", "srand(time(nullptr));"},
      {"cli/x.cc", "std::time(NULL);"},
      {"base/log.cc", "gettimeofday(&t, nullptr);"},
      {"base/x.cc", "int r = std::rand();"},
      {"core/x.h", "std::random_device device;"},
      {"dispatcher/x.cc", "std::this_thread::sleep_for(1ms);"},
      {"cli/x.cc", "usleep(5);"},
      {"core/x.cc", "using C = std::chrono::steady_clock; C::now();"},
      {"storage/x.cc", "std::getenv(\"PGHOST\");"},
  };
  for (const auto& [path, code] : bad) {
    EXPECT_THAT(judge(check_forbidden_calls, path, "\n" + code + "\n"),
                HasSubstr(path + ":2: uses"));
  }
}

TEST(CallRuleTest, AcceptsTheSeamsThemselvesCommentsAndLiterals) {
  EXPECT_EQ(judge(check_forbidden_calls, "base/clock.cc", "system_clock::now();"), "");
  EXPECT_EQ(judge(check_forbidden_calls, "base/random.cc", "std::random_device d;"), "");
  EXPECT_EQ(judge(check_forbidden_calls, "cli/options.cc", "std::getenv(\"X\");"), "");
  EXPECT_EQ(judge(check_forbidden_calls, "tests/x.cc", "std::this_thread::sleep_for(1ms);"), "");
  EXPECT_EQ(judge(check_forbidden_calls, "core/x.cc", "// not system_clock::now()\n"), "");
  EXPECT_EQ(judge(check_forbidden_calls, "core/x.cc", "auto s = \"getenv\";"), "");
  EXPECT_EQ(judge(check_forbidden_calls, "core/x.cc", "start_time(nullptr); std::random_shuffle;"),
            "");
}

TEST(CodeOnlyTest, BlanksCommentsAndLiteralsAndKeepsLines) {
  EXPECT_EQ(code_only("a; // b\nc;"), "a;     \nc;");
  EXPECT_EQ(code_only("a; // b"), "a;     ");
  EXPECT_EQ(code_only("a /* b\nc */ d"), "a     \n     d");
  EXPECT_EQ(code_only(R"(f("x\"y", 'z', '"', 1'000);)"), R"(f(      ,    ,    , 1'000);)");
  EXPECT_EQ(code_only("f(R\"sql(a \"b\" )\" \n)sql\", c)"), "f(               \n     , c)");
  EXPECT_EQ(code_only("\"unterminated"), std::string(13, ' '));
}

TEST(FileLengthRuleTest, RefusesMoreThan400LinesOfProductCode) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "x\n";
  EXPECT_EQ(judge(check_file_length, "core/x.cc", text), "");
  EXPECT_THAT(judge(check_file_length, "core/x.cc", text + "x\n"),
              HasSubstr("core/x.cc:401: 401 lines"));
  EXPECT_EQ(judge(check_file_length, "tests/x.cc", text + "x\n"), "");
}

TEST(LineLengthRuleTest, RefusesMoreThan100Columns) {
  const std::string line(100, 'x');
  EXPECT_EQ(judge(check_line_length, "tests/x.cc", line + "\n"), "");
  EXPECT_THAT(judge(check_line_length, "tests/x.cc", "\n" + line + "x\n"),
              HasSubstr("tests/x.cc:2: 101 columns"));
  EXPECT_EQ(judge(check_line_length, "core/x.h", line.substr(2) + "\xe2\x86\x92\xc3\xa4\n"), "");
  EXPECT_EQ(judge(check_line_length, "docs/x.md", line + line), "");
}

TEST(LineLengthRuleTest, GivesSqlTwentyMore) {
  const std::string line(120, 'x');
  const std::string sql = "f(R\"sql(\n" + line + "\n)sql\");\n";
  EXPECT_EQ(judge(check_line_length, "storage/x.cc", sql), "");
  EXPECT_THAT(judge(check_line_length, "storage/x.cc", sql + line + "\n"),
              HasSubstr("storage/x.cc:4: 120 columns, more than 100"));
  EXPECT_THAT(judge(check_line_length, "storage/x.cc", "R\"sql(\n" + line + "x\n"),
              HasSubstr("storage/x.cc:2: 121 columns, more than 120"));
}

TEST(HeaderRuleTest, RefusesHeadersWithoutContractOrGuard) {
  EXPECT_EQ(judge(check_header_form, "core/x.h", "// What it is for.\n#pragma once\n"), "");
  EXPECT_THAT(judge(check_header_form, "core/x.h", "#pragma once\nint x;\n"),
              HasSubstr("core/x.h:1: begins without a comment"));
  EXPECT_THAT(judge(check_header_form, "core/x.h", "// What it is for.\nint x;  // #pragma once\n"),
              HasSubstr("core/x.h:1: has no line #pragma once"));
  EXPECT_EQ(judge(check_header_form, "core/x.cc", "int x;\n"), "");
}

TEST(LeftoverRuleTest, RefusesMarkersAsWholeWords) {
  for (const std::string& marker :
       {std::string("TO") + "DO", std::string("FIX") + "ME", std::string(3, 'X')}) {
    EXPECT_THAT(judge(check_leftover_markers, "docs/x.md", "a\n" + marker + ": later\n"),
                HasSubstr("docs/x.md:2: has a leftover " + marker));
    EXPECT_EQ(judge(check_leftover_markers, "docs/x.md", "a" + marker + "b " + marker + "_"), "");
  }
}

TEST(MachinePathRuleTest, RefusesPathsThatOthersDoNotHave) {
  EXPECT_THAT(judge(check_machine_paths, "README.md", std::string("cd /wo") + "rk/x\n"),
              HasSubstr("README.md:1:"));
  EXPECT_THAT(judge(check_machine_paths, "README.md", std::string("see ../sha") + "red/x\n"),
              HasSubstr("README.md:1:"));
  EXPECT_EQ(judge(check_machine_paths, "README.md", ".github/workflows/ shared/ /works/"), "");
}

}  // namespace
}  // namespace sealpost
