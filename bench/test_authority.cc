#include "bench/test_authority.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace sealpost {
namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char* kNewKey = " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TestAuthority::TestAuthority(std::filesystem::path directory, const std::string& names)
    : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
  std::ofstream(directory_ / "extensions") << "subjectAltName=" << names << '\n';
  openssl(std::string("req -x509") + kNewKey +
          "-days 2 -subj /CN=Bench-CA -keyout ca.key -out ca.pem");
  openssl(std::string("req") + kNewKey + "-subj /CN=receiver -keyout server.key -out server.csr");
  openssl(
      "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
      "-extfile extensions -out server.pem");
  std::ofstream(ca_file()) << content(kSystemAuthorities) << content(directory_ / "ca.pem");
}

void TestAuthority::openssl(const std::string& arguments) const {
  const std::string command =
      "cd " + directory_.string() + " && openssl " + arguments + " > openssl.log 2>&1";
  if (std::system(command.c_str()) != 0) {
    throw std::runtime_error("openssl " + arguments + ": " + content(directory_ / "openssl.log"));
  }
}

}  // namespace sealpost
