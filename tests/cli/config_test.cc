#include "cli/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/scratch_directory.h"

namespace sealpost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

std::vector<std::string> mistakes_of(const ConfigSources& sources) {
  try {
    load_config(sources);
  } catch (const ConfigError& e) {
    return e.mistakes();
  }
  return {};
}

TEST(ConfigTest, HasTheDocumentedDefaults) {
  const Config config = load_config({});
  EXPECT_FALSE(config.database_url);
  EXPECT_EQ(config.data_dir, std::filesystem::current_path() / "sealpost-data");
  EXPECT_EQ(config.listen, "127.0.0.1:8025");
  EXPECT_EQ(config.metrics_listen, "127.0.0.1:8026");
  EXPECT_TRUE(config.allow_ranges.empty());
  EXPECT_FALSE(config.allow_http);
  EXPECT_EQ(config.max_in_flight, 1024);
  EXPECT_EQ(config.lease, std::chrono::seconds(30));
  EXPECT_EQ(config.poll, Milliseconds(5));
  EXPECT_EQ(config.default_profile, "standard");
  EXPECT_EQ(config.drain, std::chrono::seconds(30));
  EXPECT_EQ(config.retention, std::chrono::days(30));
  EXPECT_EQ(config.log_level, LogLevel::info);
  EXPECT_EQ(config.log_format, LogFormat::json);
}

TEST(ConfigTest, LogsTextOnATerminal) {
  EXPECT_EQ(load_config({.stderr_is_terminal = true}).log_format, LogFormat::text);
}

TEST(ConfigTest, PrefersFlagThenVariableThenFileThenDefault) {
  const ScratchDirectory scratch;
  const auto file = scratch.file("sealpost.toml",
                                 "max_in_flight = 10\nlease_seconds = 10\nretention_days = 10\n");
  const Config config = load_config(
      {.flags = {{"max_in_flight", "30"}},
       .environment = {{"SEALPOST_MAX_IN_FLIGHT", "20"}, {"SEALPOST_LEASE_SECONDS", "20"}},
       .file = file});
  EXPECT_EQ(config.max_in_flight, 30);
  EXPECT_EQ(config.lease, std::chrono::seconds(20));
  EXPECT_EQ(config.retention, std::chrono::days(10));
  EXPECT_EQ(config.drain, std::chrono::seconds(30));
}

TEST(ConfigTest, ReadsTheFileThatTheVariableNames) {
  const ScratchDirectory scratch;
  const auto file =
      scratch.file("s.toml", "allow_http = true\nallow_ranges = [\"10.0.0.0/8\", \"127.0.0.1\"]\n");
  const Config config = load_config({.environment = {{"SEALPOST_CONFIG", file}}});
  EXPECT_TRUE(config.allow_http);
  EXPECT_THAT(config.allow_ranges, SizeIs(2));
}

TEST(ConfigTest, ReportsAllMistakesAtOnceEachWithARemedy) {
  const ScratchDirectory scratch;
  const auto file = scratch.file("s.toml", "lisen = \"127.0.0.1:1\"\nretention_days = 0\n");
  const auto mistakes = mistakes_of({.flags = {{"listen", "8025"}},
                                     .environment = {{"SEALPOST_LEASE_SECONDS", "three"},
                                                     {"SEALPOST_ALLOW_HTTP", "yes"},
                                                     {"SEALPOST_ALLOW_RANGES", "10.0.0.1/8"},
                                                     {"SEALPOST_LOG_LEVEL", "loud"}},
                                     .file = file});
  ASSERT_THAT(mistakes, SizeIs(7));
  const std::string all = ConfigError(mistakes).what();
  EXPECT_THAT(all, StartsWith("the configuration has 7 mistakes:"));
  EXPECT_THAT(all, HasSubstr("lisen in " + file.string() + ": unknown key. Did you mean listen?"));
  EXPECT_THAT(all, HasSubstr("retention_days in " + file.string() +
                             " is \"0\". Use a whole number from 1 to 3650"));
  EXPECT_THAT(all, HasSubstr("--listen is \"8025\". Use HOST:PORT"));
  EXPECT_THAT(all,
              HasSubstr("SEALPOST_LEASE_SECONDS is \"three\". Use a whole number from 5 to 300"));
  EXPECT_THAT(all, HasSubstr("SEALPOST_ALLOW_HTTP is \"yes\". Use true or false"));
  EXPECT_THAT(all, HasSubstr("SEALPOST_ALLOW_RANGES has \"10.0.0.1/8\". Use CIDRs"));
  EXPECT_THAT(all,
              HasSubstr("SEALPOST_LOG_LEVEL is \"loud\". Use one of debug, info, warn, error"));
}

TEST(ConfigTest, RefusesUnknownVariablesExceptThoseForTests) {
  const auto mistakes = mistakes_of(
      {.environment = {{"SEALPOST_LISTN", "x"}, {"SEALPOST_TEST_SEED", "7"}, {"HOME", "/"}}});
  EXPECT_THAT(mistakes,
              ElementsAre(HasSubstr(
                  "SEALPOST_LISTN: unknown environment variable. Did you mean SEALPOST_LISTEN?")));
}

TEST(ConfigTest, SaysTheLineOfWhatIsNotToml) {
  const ScratchDirectory scratch;
  const auto file = scratch.file("s.toml", "allow_http = true\nlisten 5\n");
  EXPECT_THAT(mistakes_of({.file = file}), ElementsAre(HasSubstr(file.string() + ", line 2: ")));
}

TEST(ConfigTest, RefusesAFileThatIsNotThere) {
  EXPECT_THAT(mistakes_of({.file = "/nowhere.toml"}),
              ElementsAre(HasSubstr("/nowhere.toml: there is no such file")));
}

TEST(ConfigTest, AcceptsAPasswordOnlyFromAFile) {
  const std::string url = "postgresql://sealpost:hunter2@db:5432/sealpost";
  const auto mistakes = mistakes_of({.environment = {{"SEALPOST_DATABASE_URL", url}}});
  ASSERT_THAT(mistakes, SizeIs(1));
  EXPECT_THAT(mistakes[0], HasSubstr("SEALPOST_DATABASE_URL_FILE"));
  EXPECT_THAT(mistakes[0], Not(HasSubstr("hunter2")));
  EXPECT_THAT(
      mistakes_of({.flags = {{"database_url", "postgresql://a,b/s?user=u&password=hunter2"}}}),
      SizeIs(1));
  EXPECT_THAT(mistakes_of({.flags = {{"database_url", "postgresql://u:hunter2@a:1,b:2/s"}}}),
              SizeIs(1));

  const ScratchDirectory scratch;
  const auto url_file = scratch.file("url", url + "\n");
  const Config config = load_config({.environment = {{"SEALPOST_DATABASE_URL_FILE", url_file}}});
  EXPECT_EQ(config.database_url->reveal(), url);
  EXPECT_THAT(config.summary, Not(HasSubstr("hunter2")));
  const auto file = scratch.file("s.toml", "database_url = \"" + url + "\"\n");
  EXPECT_EQ(load_config({.file = file}).database_url->reveal(), url);
}

TEST(ConfigTest, AcceptsAUrlWithoutPasswordAndSeveralHosts) {
  const std::string url =
      "postgresql://sealpost@a:5432,b:5432/sealpost?target_session_attrs=read-write";
  EXPECT_EQ(load_config({.environment = {{"SEALPOST_DATABASE_URL", url}}}).database_url->reveal(),
            url);
}

TEST(ConfigTest, RefusesTwoDatabaseUrls) {
  const ScratchDirectory scratch;
  const auto file = scratch.file("url", "postgresql:///b\n");
  EXPECT_THAT(mistakes_of({.environment = {{"SEALPOST_DATABASE_URL", "postgresql:///a"},
                                           {"SEALPOST_DATABASE_URL_FILE", file}}}),
              ElementsAre(HasSubstr("Keep one of them")));
}

TEST(ConfigTest, RefusesWhatCannotWorkTogether) {
  EXPECT_THAT(mistakes_of({.environment = {{"SEALPOST_LISTEN", "127.0.0.1:9000"},
                                           {"SEALPOST_METRICS_LISTEN", "127.0.0.1:9000"}}}),
              ElementsAre(HasSubstr("different ports")));
  EXPECT_THAT(mistakes_of({.environment = {{"SEALPOST_EGRESS_PROXY", "proxy"}}}),
              ElementsAre(HasSubstr("http://HOST:PORT")));
  EXPECT_THAT(mistakes_of({.environment = {{"SEALPOST_DATABASE_URL", "mysql://x"}}}),
              ElementsAre(HasSubstr("postgresql://")));
  EXPECT_THAT(mistakes_of({.environment = {{"SEALPOST_MASTER_KEY_FILE", "/nowhere"}}}),
              ElementsAre(HasSubstr("openssl rand")));
}

TEST(ConfigTest, SummarizesEverySettingWithItsOrigin) {
  const Config config = load_config(
      {.flags = {{"listen", "127.0.0.1:1"}}, .environment = {{"SEALPOST_POLL_MS", "7"}}});
  EXPECT_THAT(config.summary, HasSubstr("listen=127.0.0.1:1(flag)"));
  EXPECT_THAT(config.summary, HasSubstr("poll_ms=7(environment)"));
  EXPECT_THAT(config.summary, HasSubstr("drain_seconds=30(default)"));
  EXPECT_THAT(config.summary, HasSubstr("database_url_configured=no"));
}

TEST(ConfigTest, WhatReceiversAreToldIsANameAndAUrl) {
  const Config config =
      load_config({.environment = {{"SEALPOST_WEBHOOK_ORIGIN", "events.example.com"},
                                   {"SEALPOST_PUBLIC_URL", "https://api.example.com/sealpost/"}}});
  EXPECT_EQ(config.webhook_origin, "events.example.com");
  EXPECT_EQ(config.public_url, "https://api.example.com/sealpost");
  for (const char* wrong : {"https://a.example", "a b", "*", "a..b"}) {
    EXPECT_THAT(mistakes_of({.environment = {{"SEALPOST_WEBHOOK_ORIGIN", wrong}}}),
                ElementsAre(HasSubstr("SEALPOST_WEBHOOK_ORIGIN")))
        << wrong;
  }
  for (const char* wrong : {"api.example.com", "http://api.example.com", "https://a.example/?b",
                            "https://a.example/#b", "https://me@a.example/"}) {
    EXPECT_THAT(mistakes_of({.environment = {{"SEALPOST_PUBLIC_URL", wrong}}}),
                ElementsAre(HasSubstr("SEALPOST_PUBLIC_URL")))
        << wrong;
  }
}

}  // namespace
}  // namespace sealpost
