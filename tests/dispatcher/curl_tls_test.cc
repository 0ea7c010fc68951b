// TLS as the sender insists on it.
#include <gmock/gmock.h>
#include <httplib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "dispatcher/curl_http_sender.h"
#include "tests/dispatcher/certificates.h"
#include "tests/dispatcher/sender_fixture.h"

namespace sealpost {
namespace {

using ::testing::HasSubstr;

// A proper HTTPS server with one of the certificates.
class TlsServer {
 public:
  explicit TlsServer(const std::string& certificate)
      : server_(certificates().path(certificate + ".pem").c_str(),
                certificates().path(certificate + ".key").c_str()) {
    server_.Post("/", [this](const httplib::Request& request, httplib::Response& response) {
      ++requests_;
      response.set_content(request.body, "text/plain");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~TlsServer() {
    server_.stop();
    thread_.join();
  }
  std::string url() const { return "https://localhost:" + std::to_string(port_) + "/"; }
  int requests() const { return requests_; }

 private:
  httplib::SSLServer server_;
  std::atomic<int> requests_{0};
  int port_ = 0;
  std::thread thread_;
};

// `openssl s_server` with exactly these protocol arguments; it answers the handshake and nothing
// else.
class HandshakeServer {
 public:
  explicit HandshakeServer(const std::string& protocol) {
    int output[2];
    int input[2];  // nothing is ever written, and it stays open: s_server ends when its input does
    if (pipe(output) != 0 || pipe(input) != 0) throw std::runtime_error("no pipe");
    const std::string key = certificates().path("localhost.key");
    const std::string certificate = certificates().path("localhost.pem");
    process_ = fork();
    if (process_ == 0) {
      dup2(input[0], STDIN_FILENO);
      dup2(output[1], STDOUT_FILENO);
      dup2(output[1], STDERR_FILENO);
      close(output[0]);
      close(input[1]);
      execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert",
             certificate.c_str(), "-key", key.c_str(), protocol.c_str(), "-cipher",
             "ALL:@SECLEVEL=0", nullptr);
      _exit(127);
    }
    close(output[1]);
    close(input[0]);
    output_ = output[0];
    input_ = input[1];
    port_ = read_port();
  }
  ~HandshakeServer() {
    close(output_);
    close(input_);
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  std::string url() const { return "https://localhost:" + std::to_string(port_) + "/"; }

 private:
  int read_port() const {
    std::string text;
    char byte;
    while (read(output_, &byte, 1) == 1) {
      text += byte;
      const std::size_t at = text.find("ACCEPT 127.0.0.1:");
      if (at != std::string::npos && byte == '\n') return std::stoi(text.substr(at + 17));
    }
    throw std::runtime_error("openssl s_server says: " + text);
  }

  pid_t process_ = -1;
  int output_ = -1;
  int input_ = -1;
  int port_ = 0;
};

class CurlTlsTest : public SenderTest {
 protected:
  static CurlSenderOptions trusting_options() {
    CurlSenderOptions options = local_options();
    options.allow_http = AllowHttp::no;
    options.ca_file = certificates().path("ca.pem");
    return options;
  }
  // With a server that goes no further.
  void expect_handshake(HttpRequest request) {
    request.timeout = Milliseconds{1'000};
    const AttemptOutcome outcome = send(std::move(request));
    EXPECT_EQ(outcome.error, AttemptError::timeout) << outcome.error_detail;
    EXPECT_GT(outcome.phases.tls.count(), 0);
  }
};

TEST_F(CurlTlsTest, AcceptsACertificateOfAGivenAuthority) {
  use(trusting_options());
  TlsServer server("localhost");
  const AttemptOutcome outcome = send(server.url());
  EXPECT_EQ(outcome.status_code, 200) << outcome.error_detail;
  EXPECT_EQ(outcome.response_body, R"({"a": 1})");
  EXPECT_GT(outcome.phases.tls.count(), 0);
}

// Reading a system's authorities takes longer than all the rest of a new connection.
TEST_F(CurlTlsTest, ReadsTheAuthoritiesOnceAndNotPerConnection) {
  CurlSenderOptions options = trusting_options();
  options.ca_file = certificates().path("read-once.pem");
  std::filesystem::copy_file(certificates().path("ca.pem"), options.ca_file);
  use(options);
  TlsServer first("localhost");
  TlsServer second("localhost");
  EXPECT_EQ(send(first.url()).status_code, 200);
  std::filesystem::remove(options.ca_file);
  const AttemptOutcome outcome = send(second.url());
  EXPECT_EQ(outcome.status_code, 200) << outcome.error_detail;
}

TEST_F(CurlTlsTest, RefusesACertificateOfAnUnknownAuthority) {
  CurlSenderOptions options = trusting_options();
  options.ca_file.clear();
  use(options);
  TlsServer server("localhost");
  EXPECT_EQ(send(server.url()).error, AttemptError::tls);
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(CurlTlsTest, RefusesACertificateForAnotherName) {
  use(trusting_options());
  TlsServer server("other");
  const AttemptOutcome outcome = send(server.url());
  EXPECT_EQ(outcome.error, AttemptError::tls);
  EXPECT_THAT(outcome.error_detail, HasSubstr("localhost"));
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(CurlTlsTest, RefusesTls11) {
  use(trusting_options());
  HandshakeServer server("-tls1_1");
  EXPECT_EQ(send(server.url()).error, AttemptError::tls);
}

// The counterpart, so that the test above cannot pass for another reason.
TEST_F(CurlTlsTest, ShakesHandsByTls12) {
  use(trusting_options());
  HandshakeServer server("-tls1_2");
  expect_handshake(request_to(server.url()));
}

TEST_F(CurlTlsTest, RefusesTls12WhereAProfileWantsTls13) {
  use(trusting_options());
  HandshakeServer server("-tls1_2");
  HttpRequest request = request_to(server.url());
  request.tls_1_3_only = true;
  EXPECT_EQ(send(request).error, AttemptError::tls);
}

TEST_F(CurlTlsTest, ShakesHandsByTls13WhereAProfileWantsIt) {
  use(trusting_options());
  HandshakeServer server("-tls1_3");
  HttpRequest request = request_to(server.url());
  request.tls_1_3_only = true;
  expect_handshake(std::move(request));
}

}  // namespace
}  // namespace sealpost
