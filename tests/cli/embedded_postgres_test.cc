#include "cli/embedded_postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>

#include "base/log.h"
#include "tests/cli/scratch_directory.h"

namespace sealpost {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class EmbeddedPostgresTest : public testing::Test {
 protected:
  // Making a cluster takes a second or more; most tests begin with a copy of one.
  static void SetUpTestSuite() {
    configure_log({.level = LogLevel::error});
    template_ = new ScratchDirectory;
    SystemRandom random;
    EmbeddedPostgres(template_->path() / "data", "serve", random).start();
  }
  static void TearDownTestSuite() { delete template_; }

  void begin_with_a_cluster() {
    const std::string copy =
        "cp -a '" + (template_->path() / "data").string() + "' '" + data_dir_.string() + "'";
    ASSERT_EQ(std::system(copy.c_str()), 0);
  }

  std::unique_ptr<EmbeddedPostgres> made(const std::string& holder = "serve") {
    return std::make_unique<EmbeddedPostgres>(data_dir_, holder, random_);
  }

  // What psql prints for a statement; empty if it fails.
  static std::string ask(const std::string& url, const std::string& sql) {
    const std::string command = "psql -XAtq '" + url + "' -c \"" + sql + "\" 2>/dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    char line[256] = "";
    const bool answered = std::fgets(line, sizeof line, pipe) != nullptr;
    pclose(pipe);
    std::string text = answered ? line : "";
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  // Runs `work` in a process of its own that then waits to be killed.
  static pid_t in_another_process(const std::function<void()>& work) {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      work();
      if (write(ready[1], "x", 1) != 1) _exit(1);
      pause();
      _exit(0);
    }
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1) << "the other process failed";
    close(ready[0]);
    return pid;
  }

  // A process that ended but whose new parent has not asked for it yet does not count.
  static bool alive(pid_t pid) {
    char target[256];
    return readlink(("/proc/" + std::to_string(pid) + "/exe").c_str(), target, sizeof target) > 0;
  }

  static inline ScratchDirectory* template_ = nullptr;
  SystemRandom random_;
  ScratchDirectory scratch_;
  fs::path data_dir_ = scratch_.path() / "data";
};

TEST_F(EmbeddedPostgresTest, MakesAClusterWithADatabaseAtTheFirstStart) {
  const auto postgres = made();
  postgres->start();
  EXPECT_EQ(ask(postgres->url(), "SELECT current_database()"), "sealpost");
  EXPECT_EQ(ask(postgres->url(), "SHOW server_encoding"), "UTF8");
  EXPECT_EQ(ask(postgres->url(), "SHOW data_checksums"), "on");
  EXPECT_EQ(ask(postgres->url(), "SHOW synchronous_commit"), "on");
}

TEST_F(EmbeddedPostgresTest, ListensOnNoNetworkAndOnlyItsUserMayEnterTheSocketsDirectory) {
  begin_with_a_cluster();
  const auto postgres = made();
  postgres->start();
  EXPECT_EQ(ask(postgres->url(), "SHOW listen_addresses"), "");
  EXPECT_EQ(ask(postgres->url(),
                "SELECT count(*) FROM pg_hba_file_rules WHERE type <> 'local' AND auth_method <> "
                "'reject'"),
            "0");
  const std::string directory = ask(postgres->url(), "SHOW unix_socket_directories");
  struct stat found {};
  ASSERT_EQ(stat(directory.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((data_dir_ / "master.key").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(EmbeddedPostgresTest, KeepsItsDataAndItsKeyOverASecondStart) {
  begin_with_a_cluster();
  const auto first = made();
  first->start();
  ask(first->url(), "CREATE TABLE kept AS SELECT 42 AS n");
  std::ifstream key_file(first->master_key_file());
  std::string key;
  std::getline(key_file, key);
  first->stop();

  const auto second = made();
  second->start();
  EXPECT_EQ(ask(second->url(), "SELECT n FROM kept"), "42");
  std::ifstream again(second->master_key_file());
  std::string same;
  std::getline(again, same);
  EXPECT_EQ(key, same);
  EXPECT_FALSE(key.empty());
}

TEST_F(EmbeddedPostgresTest, StopsWithTheProcessAndStartsAgainAfterKillNine) {
  begin_with_a_cluster();
  const pid_t parent = in_another_process([&] {
    EmbeddedPostgres* postgres = new EmbeddedPostgres(data_dir_, "serve", random_);
    postgres->start();
    ask(postgres->url(), "CREATE TABLE kept AS SELECT 42 AS n");
  });
  const auto url = EmbeddedPostgres::url_of_running(data_dir_);
  ASSERT_TRUE(url);
  std::ifstream pid_file(data_dir_ / "postgres" / "postmaster.pid");
  pid_t postmaster = 0;
  pid_file >> postmaster;
  ASSERT_TRUE(alive(postmaster));

  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  const auto postgres = made();
  postgres->start();  // waits for the leftover to end
  EXPECT_FALSE(alive(postmaster));
  EXPECT_EQ(ask(postgres->url(), "SELECT n FROM kept"), "42");
}

TEST_F(EmbeddedPostgresTest, RefusesADirectoryThatAnotherServeUses) {
  begin_with_a_cluster();
  const pid_t other = in_another_process([&] {
    EmbeddedPostgres* postgres = new EmbeddedPostgres(data_dir_, "serve", random_);
    postgres->start();
  });
  try {
    made()->start();
    FAIL() << "two of them run";
  } catch (const DirectoryInUse& e) {
    EXPECT_THAT(e.what(),
                HasSubstr("is in use by sealpost serve (pid " + std::to_string(other) + ")"));
    EXPECT_THAT(e.what(), HasSubstr("SEALPOST_DATA_DIR"));
  }
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  made()->start();  // so that nothing is left running
}

TEST_F(EmbeddedPostgresTest, ShowsItsUrlToOtherCommandsOnlyWhileItRuns) {
  EXPECT_FALSE(EmbeddedPostgres::url_of_running(data_dir_));
  begin_with_a_cluster();
  const auto postgres = made();
  postgres->start();
  EXPECT_EQ(EmbeddedPostgres::url_of_running(data_dir_), postgres->url());
  postgres->stop();
  EXPECT_FALSE(EmbeddedPostgres::url_of_running(data_dir_));
}

TEST_F(EmbeddedPostgresTest, StartsOverWhenMakingTheClusterWasInterrupted) {
  fs::create_directories(data_dir_ / "postgres.new" / "base");
  std::ofstream(data_dir_ / "postgres.new" / "PG_VERSION") << "15\n";
  const auto postgres = made();
  postgres->start();
  EXPECT_EQ(ask(postgres->url(), "SELECT 1"), "1");
  EXPECT_FALSE(fs::exists(data_dir_ / "postgres.new"));
}

TEST_F(EmbeddedPostgresTest, RefusesADatabaseWhoseMasterKeyIsGone) {
  begin_with_a_cluster();
  fs::remove(data_dir_ / "master.key");
  try {
    made()->start();
    FAIL() << "it made a new key, under which nothing can be read";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("master.key is missing"));
    EXPECT_THAT(e.what(), HasSubstr("backup"));
  }
}

TEST_F(EmbeddedPostgresTest, PutsTheSocketElsewhereWhenThePathIsTooLong) {
  data_dir_ = scratch_.path() / std::string(90, 'x');
  begin_with_a_cluster();
  const auto postgres = made();
  postgres->start();
  EXPECT_EQ(ask(postgres->url(), "SELECT 1"), "1");
  const std::string directory = ask(postgres->url(), "SHOW unix_socket_directories");
  EXPECT_THAT(directory, testing::Not(StartsWith(data_dir_.string())));
  postgres->stop();
  fs::remove_all(directory);
}

TEST_F(EmbeddedPostgresTest, ComesBackWhenTheServerEndsByItself) {
  begin_with_a_cluster();
  const auto postgres = made();
  postgres->start();
  const pid_t first = postgres->pid();
  kill(first, SIGKILL);
  const auto later = SystemClock{}.monotonic_now() + std::chrono::seconds(10);
  while (postgres->pid() == first) postgres->supervise(later);
  for (int tries = 0; tries < 500 && ask(postgres->url(), "SELECT 1") != "1"; ++tries) {
    usleep(20'000);
    postgres->supervise(SystemClock{}.monotonic_now());
  }
  EXPECT_EQ(ask(postgres->url(), "SELECT 1"), "1");
}

}  // namespace
}  // namespace sealpost
