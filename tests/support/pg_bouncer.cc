#include "tests/support/pg_bouncer.h"

#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace sealpost {
namespace {

namespace fs = std::filesystem;

// Debian keeps it in /usr/sbin, which is not on every user's path.
constexpr const char* kProgram = "/usr/sbin/pgbouncer";
constexpr std::string_view kHost = "?host=";

// Like PostgreSQL it refuses to run as root; then both run as the user postgres.
fs::path make_directory() {
  std::string pattern = (fs::temp_directory_path() / "sealpost-pool-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw std::runtime_error("cannot make a directory " + pattern);
  if (::geteuid() == 0) {
    const passwd* user = ::getpwnam("postgres");
    if (!user || ::chown(pattern.c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error("no user postgres");
  }
  return pattern;
}

// Changing the user would undo that the program dies with the test; setpriv asks for it again.
std::vector<std::string> command(const fs::path& configuration) {
  std::vector<std::string> words;
  if (::geteuid() == 0)
    words = {"setpriv",       "--reuid=postgres", "--regid=postgres",
             "--init-groups", "--pdeathsig=KILL", "--"};
  words.insert(words.end(), {kProgram, configuration.string()});
  return words;
}

// No startup parameters are ignored: what a client may not send to a pooler, it must not send here.
void write_configuration(const fs::path& file, const std::string& cluster, int connections) {
  std::ofstream(file) << "[databases]\n* = user=postgres host=" << cluster
                      << "\n[pgbouncer]\nunix_socket_dir = " << file.parent_path().string()
                      << "\nlisten_port = 6432\nauth_type = any\npool_mode = transaction\n"
                         "server_round_robin = 1\nmax_client_conn = 200\ndefault_pool_size = "
                      << connections << '\n';
}

}  // namespace

PgBouncer::PgBouncer(const std::string& database_url, int server_connections)
    : directory_(fs::exists(kProgram)
                     ? make_directory()
                     : throw std::runtime_error("no PgBouncer: apt-get install pgbouncer")) {
  const std::size_t query = database_url.find(kHost);
  if (query == database_url.npos) throw std::runtime_error("not a cluster of ours");
  url_ = database_url.substr(0, query) + "?host=" + directory_.string() + "&port=6432";
  const fs::path configuration = directory_ / "pgbouncer.ini";
  write_configuration(configuration, database_url.substr(query + kHost.size()), server_connections);
  program_.emplace(ProgramOptions{.arguments = command(configuration)});
  const auto is_up = [](const std::string& line) { return line.find("process up") != line.npos; };
  if (!program_->wait_for_line(Stream::errors, is_up, std::chrono::seconds(30)))
    throw std::runtime_error("PgBouncer does not start:\n" + program_->text(Stream::errors));
}

PgBouncer::~PgBouncer() {
  program_.reset();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

int PgBouncer::connections_made() const {
  constexpr std::string_view kLine = "login attempt";
  const std::string log = program_->text(Stream::errors);
  int count = 0;
  for (std::size_t at = log.find(kLine); at != log.npos; at = log.find(kLine, at + 1)) ++count;
  return count;
}

}  // namespace sealpost
