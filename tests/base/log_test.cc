#include "base/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/secret_text.h"

namespace sealpost {
namespace {

template <class T>
concept Loggable = requires(T value) {
  LogField("key", value);
};

static_assert(Loggable<std::string> && Loggable<int> && Loggable<long long> && Loggable<bool>);
static_assert(!Loggable<SecretText>, "a secret must not compile as a value");
static_assert(!Loggable<SecretText&> && !Loggable<const SecretText&>);

// While it lives, stderr is a pipe that nobody reads until text() is called.
class StderrPipe {
 public:
  StderrPipe() {
    std::fflush(stderr);
    saved_ = dup(STDERR_FILENO);
    std::array<int, 2> ends{};
    if (saved_ < 0 || pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    read_end_ = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
  }
  ~StderrPipe() {
    restore();
    if (read_end_ >= 0) close(read_end_);
  }
  // Gives stderr back and returns all that was written to it.
  std::string text() {
    restore();
    std::string all;
    std::array<char, 4096> part;
    for (ssize_t got = 0; (got = read(read_end_, part.data(), part.size())) > 0;) {
      all.append(part.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  void close_reader() {
    close(read_end_);
    read_end_ = -1;
  }
  int flags() const { return fcntl(STDERR_FILENO, F_GETFL); }

 private:
  void restore() {
    if (saved_ < 0) return;
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    saved_ = -1;
  }
  int saved_ = -1;
  int read_end_ = -1;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  for (std::size_t end = 0; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
    lines.push_back(text.substr(from, end - from));
  }
  EXPECT_EQ(from, text.size()) << "the last line has no end";
  return lines;
}

class LogTest : public testing::Test {
 protected:
  void SetUp() override { configure_log({.level = LogLevel::debug, .format = LogFormat::json}); }
  void TearDown() override { configure_log({}); }
};

// One line, without ts.
nlohmann::ordered_json logged(std::initializer_list<LogField> fields) {
  StderrPipe err;
  log_info("test.happened", fields);
  const std::vector<std::string> lines = lines_of(err.text());
  EXPECT_EQ(lines.size(), 1u);
  auto line = nlohmann::ordered_json::parse(lines.at(0));
  line.erase("ts");
  return line;
}

std::string logged_text(std::initializer_list<LogField> fields) {
  configure_log({.level = LogLevel::debug, .format = LogFormat::text});
  StderrPipe err;
  log_info("test.happened", fields);
  const std::vector<std::string> lines = lines_of(err.text());
  EXPECT_EQ(lines.size(), 1u);
  const std::string begin = " level=info event=test.happened";
  EXPECT_EQ(lines.at(0).find(begin), std::string("ts=2026-01-01T00:00:00.000Z").size());
  return lines.at(0).substr(lines.at(0).find(begin) + begin.size());
}

TEST_F(LogTest, ALineBeginsWithTimeLevelAndEvent) {
  StderrPipe err;
  log_warn("delivery.attempted", {{"attempt", 2}});
  EXPECT_THAT(err.text(),
              testing::MatchesRegex(
                  "\\{\"ts\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z\","
                  "\"level\":\"warn\",\"event\":\"delivery.attempted\",\"attempt\":2\\}\n"));
}

TEST_F(LogTest, WritesEachTypeAsJson) {
  const auto line = logged({{"text", "t"},
                            {"owned", std::string("o")},
                            {"null", static_cast<const char*>(nullptr)},
                            {"int", -1},
                            {"epoch", std::numeric_limits<long long>::min()},
                            {"size", std::numeric_limits<std::size_t>::max()},
                            {"ratio", 0.25},
                            {"infinite", std::numeric_limits<double>::infinity()},
                            {"yes", true},
                            {"no", false}});
  EXPECT_EQ(line.dump(),
            R"({"level":"info","event":"test.happened","text":"t","owned":"o","null":"","int":-1,)"
            R"("epoch":-9223372036854775808,"size":18446744073709551615,"ratio":0.25,)"
            R"("infinite":"inf","yes":true,"no":false})");
}

TEST_F(LogTest, NoValueCanStartALineOfItsOwn) {
  const std::string forged = "x\n{\"ts\":\"2026\",\"level\":\"error\"}\r\n";
  EXPECT_EQ(logged({{"detail", forged}})["detail"], forged);
  EXPECT_EQ(logged_text({{"detail", forged}}),
            R"( detail="x\n{\"ts\":\"2026\",\"level\":\"error\"}\u000d\n")");
}

TEST_F(LogTest, EscapesEveryControlCharacter) {
  for (int c = 1; c < 0xA0; ++c) {
    std::string value;
    if (c < 0x80) {
      value.push_back(static_cast<char>(c));
    } else {
      value = {'\xC2', static_cast<char>(c)};  // U+0080 to U+009F in UTF-8
    }
    StderrPipe err;
    log_info("e", {{"v", value}});
    std::string text = err.text();
    ASSERT_EQ(text.back(), '\n');
    text.pop_back();
    for (const char written : text) {
      EXPECT_TRUE(written >= 0x20 && written < 0x7F) << "character " << c;
    }
    EXPECT_EQ(nlohmann::json::parse(text)["v"], value);
  }
  EXPECT_EQ(logged({{"v", std::string("a\0b", 3)}})["v"], std::string("a\0b", 3));
}

TEST_F(LogTest, KeepsUtf8AndReplacesWhatIsNotUtf8) {
  EXPECT_EQ(logged({{"v", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"}})["v"],
            "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(logged({{"v", "a\xff\xc3(\xed\xa0\x80"}})["v"],
            "a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_F(LogTest, TextFormatQuotesOnlyWhereItMust) {
  EXPECT_EQ(
      logged_text({{"a", "plain-1.5:x/y"},
                   {"b", "two words"},
                   {"c", ""},
                   {"d", "a=b"},
                   {"e", "say \"hi\""},
                   {"f", "back\\slash"},
                   {"g", 7},
                   {"h", true}}),
      R"( a=plain-1.5:x/y b="two words" c="" d="a=b" e="say \"hi\"" f="back\\slash" g=7 h=true)");
}

TEST_F(LogTest, DoesNotWriteBelowItsLevel) {
  configure_log({.level = LogLevel::warn});
  EXPECT_FALSE(log_enabled(LogLevel::info));
  EXPECT_TRUE(log_enabled(LogLevel::warn));
  StderrPipe err;
  log_debug("a");
  log_info("b");
  log_error("c");
  EXPECT_EQ(lines_of(err.text()).size(), 1u);
}

TEST_F(LogTest, CutsLongValuesBetweenCharacters) {
  std::string value = "x";
  while (value.size() < 5000) value += "\xf0\x9f\x98\x80";
  const std::string written = logged({{"v", value}})["v"];
  EXPECT_TRUE(value.starts_with(written));
  EXPECT_LE(written.size(), 1024u);
  EXPECT_GT(written.size(), 1020u);
  EXPECT_TRUE(is_utf8(written));
  const std::string continuation_bytes(5000, '\x80');  // no place to cut is better than another
  EXPECT_GE(std::string(logged({{"v", continuation_bytes.substr(0, 600)}})["v"]).size(), 1800u);
}

TEST_F(LogTest, LeavesOutFieldsThatDoNotFitAndSaysSo) {
  const std::string escaped(1000, '\x01');  // six bytes each
  const std::string big(1000, 'b');
  const auto line =
      logged({{"a", big}, {"b", escaped}, {"c", big}, {"d", big}, {"e", big}, {"f", 1}});
  EXPECT_FALSE(line.contains("b"));
  EXPECT_TRUE(line.contains("d"));
  EXPECT_FALSE(line.contains("e"));
  EXPECT_EQ(line["f"], 1);
  EXPECT_EQ(line["truncated"], true);
}

TEST_F(LogTest, APipeThatNobodyReadsNeverBlocks) {
  const std::string value(1000, 'v');
  constexpr int kLines = 300;  // five times what a pipe holds
  const std::uint64_t dropped_before = log_lines_dropped();
  StderrPipe err;
  const int flags_before = err.flags();
  alarm(60);  // a log that blocks ends the test here instead of hanging it
  for (int i = 0; i < kLines; ++i) log_info("flood", {{"i", i}, {"value", value}});
  alarm(0);
  EXPECT_EQ(err.flags(), flags_before) << "the flags are shared with other processes";
  const std::uint64_t dropped = log_lines_dropped() - dropped_before;
  const std::vector<std::string> lines = lines_of(err.text());
  EXPECT_GT(dropped, 100u);
  EXPECT_GT(lines.size(), 10u);
  EXPECT_EQ(lines.size() + dropped, static_cast<std::size_t>(kLines));
  for (const std::string& line : lines) EXPECT_EQ(nlohmann::json::parse(line)["value"], value);
}

TEST_F(LogTest, LinesOfManyThreadsDoNotMix) {
  const std::uint64_t dropped_before = log_lines_dropped();
  StderrPipe err;
  alarm(60);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        const std::string value(900, static_cast<char>('a' + t));
        for (int i = 0; i < 100; ++i) log_info("flood", {{"value", value}});
      });
    }
  }
  alarm(0);
  const std::uint64_t dropped = log_lines_dropped() - dropped_before;
  const std::vector<std::string> lines = lines_of(err.text());
  EXPECT_EQ(lines.size() + dropped, 400u);
  for (const std::string& line : lines) {
    const std::string value = nlohmann::json::parse(line)["value"];
    EXPECT_EQ(value, std::string(900, value.at(0)));
  }
}

TEST_F(LogTest, CountsLinesThatHaveNoReaderAnymore) {
  const std::uint64_t dropped_before = log_lines_dropped();
  const auto old_handler = std::signal(SIGPIPE, SIG_IGN);  // as the program does at its start
  {
    StderrPipe err;
    err.close_reader();
    log_info("nobody.listens");
  }
  std::signal(SIGPIPE, old_handler);
  EXPECT_EQ(log_lines_dropped(), dropped_before + 1);
}

}  // namespace
}  // namespace sealpost
