#include "tests/dispatcher/certificates.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace sealpost {

Certificates::Certificates() {
  char name[] = "/tmp/sealpost-tls-XXXXXX";
  if (mkdtemp(name) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = name;
  openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Test-CA -keyout ca.key -out ca.pem");
  make("localhost", "DNS:localhost,DNS:*.test.localhost");
  make("other", "DNS:other.example");
}

Certificates::~Certificates() { std::filesystem::remove_all(directory_); }

void Certificates::make(const std::string& name, const std::string& alternative_names) const {
  std::ofstream(directory_ / "extensions") << "subjectAltName=" << alternative_names << "\n";
  openssl("req -newkey rsa:2048 -nodes -subj /CN=" + name + " -keyout " + name + ".key -out " +
          name + ".csr");
  openssl("x509 -req -in " + name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 " +
          "-extfile extensions -out " + name + ".pem");
}

void Certificates::openssl(const std::string& arguments) const {
  const std::string command =
      "cd " + directory_.string() + " && openssl " + arguments + " > openssl.log 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

const Certificates& certificates() {
  static const Certificates made;
  return made;
}

}  // namespace sealpost
