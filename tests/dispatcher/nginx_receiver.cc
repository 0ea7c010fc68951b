#include "tests/dispatcher/nginx_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/dispatcher/certificates.h"

namespace sealpost {
namespace {

// nginx cannot choose a port and say which; this one was free a moment ago.
int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

bool accepts(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return connected;
}

std::string configuration(const NginxOptions& options, const std::string& directory, int tls_port,
                          int plain_port) {
  std::string text =
      "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr error;\n"
      "worker_rlimit_nofile 8192;\nevents { worker_connections 4096; }\nhttp {\n"
      "  access_log off;\n";
  for (const char* module : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text += "  " + std::string(module) + "_temp_path " + directory + "/" + module + ";\n";
  }
  if (options.keepalive_requests > 0) {
    text += "  keepalive_requests " + std::to_string(options.keepalive_requests) + ";\n";
  }
  text += "  server {\n    listen 127.0.0.1:" + std::to_string(plain_port) + " backlog=1024;\n" +
          "    listen 127.0.0.1:" + std::to_string(tls_port) + " ssl" +
          (options.http2 ? " http2" : "") + " backlog=1024;\n" + "    ssl_certificate " +
          certificates().path("localhost.pem") + ";\n" + "    ssl_certificate_key " +
          certificates().path("localhost.key") + ";\n" + "    ssl_protocols TLSv1.2 TLSv1.3;\n" +
          "    location / { return 200 \"$server_protocol $ssl_session_reused $connection "
          "$connection_requests $connections_active\"; }\n  }\n}\n";
  return text;
}

}  // namespace

NginxReceiver::NginxReceiver(const NginxOptions& options) {
  char name[] = "/tmp/sealpost-nginx-XXXXXX";
  if (mkdtemp(name) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = name;
  for (int tries = 1; !start(options); ++tries) {  // somebody else took the port meanwhile
    if (tries == 3) throw std::runtime_error("nginx: " + nginx_->text(Stream::errors));
  }
}

NginxReceiver::~NginxReceiver() {
  nginx_->signal(SIGTERM);
  nginx_->wait_exit(std::chrono::seconds(5));
  nginx_.reset();
  std::filesystem::remove_all(directory_);
}

bool NginxReceiver::start(const NginxOptions& options) {
  tls_port_ = free_port();
  plain_port_ = free_port();
  const auto file = directory_ / "nginx.conf";
  std::ofstream(file) << configuration(options, directory_.string(), tls_port_, plain_port_);
  // Debian keeps nginx in /usr/sbin, which is not on every user's path.
  ProgramOptions program;
  program.arguments = {"/usr/sbin/nginx",   "-e", "stderr",     "-p",
                       directory_.string(), "-c", file.string()};
  nginx_ = std::make_unique<RunningProgram>(program);
  while (!accepts(tls_port_) || !accepts(plain_port_)) {
    if (nginx_->wait_exit(std::chrono::milliseconds(10))) return false;
  }
  return true;
}

std::string NginxReceiver::url(const std::string& host) const {
  return "https://" + host + ":" + std::to_string(tls_port_) + "/hook";
}

std::string NginxReceiver::plain_url(const std::string& host) const {
  return "http://" + host + ":" + std::to_string(plain_port_) + "/hook";
}

// $ssl_session_reused is "r", "." for a new session, and empty without TLS.
NginxReceiver::Seen NginxReceiver::seen(const std::string& body) {
  const bool tls = body.find("  ") == std::string::npos;
  std::istringstream text(body);
  Seen seen;
  std::string reused;
  text >> seen.protocol;
  if (tls) text >> reused;
  text >> seen.connection >> seen.requests >> seen.open_connections;
  if (!text) throw std::runtime_error("not nginx's answer: " + body);
  seen.resumed = reused == "r";
  return seen;
}

}  // namespace sealpost
