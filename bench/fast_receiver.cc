#include "bench/fast_receiver.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "bench/test_authority.h"
#include "tests/support/running_program.h"

namespace sealpost {
namespace {

// client_header_buffer_size holds headers and body of one delivery, so that nginx takes both with
// one read and discards the body without another one.
constexpr auto kConfiguration = R"(
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 8192; multi_accept on; }}
http {{
  access_log off;
  server_tokens off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_header_buffer_size 8k;
  client_body_buffer_size 64k;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
{listen}{tls}    location /hook {{ return 200; }}
    location = /status {{ stub_status; }}
  }}
}}
)";

// One certificate for all hosts; a wildcard needs two labels behind it.
constexpr auto kHosts = "bench.localhost";

bool has_ipv6_loopback() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return bound;
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free loopback port");
  return ntohs(address.sin_port);
}

std::string address(int endpoint) { return fmt::format("127.0.1.{}", endpoint + 1); }

// The first is for /status, always plain.
std::string listen_lines(int port, Transport transport) {
  const auto* ssl = transport == Transport::tls ? " ssl" : "";
  std::string lines = fmt::format("    listen 127.0.0.1:{};\n", port);
  for (int endpoint = 0; endpoint < kReceiverEndpoints; ++endpoint) {
    lines += fmt::format("    listen {}:{}{} backlog=4096;\n", address(endpoint), port, ssl);
  }
  return lines;
}

std::string tls_lines(const TestAuthority& authority, int port) {
  std::string lines = fmt::format(
      "    listen 127.0.0.1:{} ssl backlog=4096;\n    ssl_certificate {};\n"
      "    ssl_certificate_key {};\n    ssl_protocols TLSv1.3;\n",
      port, authority.certificate().string(), authority.key().string());
  if (has_ipv6_loopback()) lines += fmt::format("    listen [::1]:{} ssl backlog=4096;\n", port);
  return lines;
}

std::string certificate_names() {
  std::string names = fmt::format("DNS:*.{}", kHosts);
  for (int endpoint = 0; endpoint < kReceiverEndpoints; ++endpoint) {
    names += ",IP:" + address(endpoint);
  }
  return names;
}

std::size_t append(char* data, std::size_t, std::size_t size, void* text) {
  static_cast<std::string*>(text)->append(data, size);
  return size;
}

}  // namespace

struct FastReceiver::Parts {
  Parts(const std::filesystem::path& where, Transport transport)
      : port(free_port()), curl(curl_easy_init(), curl_easy_cleanup) {
    if (transport == Transport::tls) {
      authority.emplace(where / "tls", certificate_names());
      hosts_port = free_port();
    }
    curl_easy_setopt(curl.get(), CURLOPT_URL,
                     fmt::format("http://127.0.0.1:{}/status", port).c_str());
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  }

  // nullopt: no answer.
  std::optional<std::string> status() {
    std::string text;
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
    if (curl_easy_perform(curl.get()) != CURLE_OK) return std::nullopt;
    ++status_requests;
    return text;
  }

  int port;
  int hosts_port = 0;
  std::optional<TestAuthority> authority;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl;
  std::int64_t status_requests = 0;
  std::optional<RunningProgram> nginx;
};

FastReceiver::FastReceiver(const std::filesystem::path& directory, Transport transport)
    : parts_(std::make_unique<Parts>(directory, transport)) {
  std::filesystem::create_directories(directory);
  const auto configuration = directory / "nginx.conf";
  const auto& authority = parts_->authority;
  std::ofstream(configuration) << fmt::format(
      kConfiguration, fmt::arg("directory", directory.string()),
      fmt::arg("listen", listen_lines(parts_->port, transport)),
      fmt::arg("tls", authority ? tls_lines(*authority, parts_->hosts_port) : ""));
  // Debian keeps nginx in /usr/sbin, which is not on every user's path.
  ProgramOptions nginx;
  nginx.arguments = {"/usr/sbin/nginx",     "-e", "stderr", "-p", directory.string(), "-c",
                     configuration.string()};
  parts_->nginx.emplace(nginx);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!parts_->status()) {
    const auto pause = std::chrono::milliseconds(10);
    if (parts_->nginx->wait_exit(pause) || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("nginx does not answer: " + parts_->nginx->text(Stream::errors));
    }
  }
}

FastReceiver::~FastReceiver() {
  parts_->nginx->signal(SIGTERM);
  parts_->nginx->wait_exit(std::chrono::seconds(5));
}

pid_t FastReceiver::pid() const { return parts_->nginx->pid(); }

std::string FastReceiver::url(int endpoint) const {
  return fmt::format("{}://{}:{}/hook", parts_->authority ? "https" : "http", address(endpoint),
                     parts_->port);
}

std::vector<std::string> FastReceiver::urls() const {
  std::vector<std::string> all;
  for (int n = 0; n < kReceiverEndpoints; ++n) all.push_back(url(n));
  return all;
}

std::string FastReceiver::url_of_host(int host) const {
  return fmt::format("https://h{}.{}:{}/hook", host, kHosts, parts_->hosts_port);
}

std::string FastReceiver::ca_file() const {
  return parts_->authority ? parts_->authority->ca_file().string() : "";
}

// The third line of nginx's answer is " ACCEPTS HANDLED REQUESTS"; REQUESTS includes this one.
std::int64_t FastReceiver::requests() {
  const auto text = parts_->status();
  if (!text) throw std::runtime_error("nginx does not answer");
  std::istringstream lines(*text);
  std::string line;
  for (int i = 0; i < 3; ++i) std::getline(lines, line);
  std::int64_t accepts = 0, handled = 0, requests = 0;
  std::istringstream(line) >> accepts >> handled >> requests;
  return requests - parts_->status_requests;
}

}  // namespace sealpost
