// A certificate authority for one benchmark and a server's certificate by it (ECDSA on P-256), made
// by the openssl command.
//
// Threads: none. Errors: std::runtime_error with what openssl said.
#pragma once

#include <filesystem>
#include <string>

namespace sealpost {

class TestAuthority final {
 public:
  // `names` are whom the certificate is for: "DNS:*.bench.example,IP:127.0.1.1".
  TestAuthority(std::filesystem::path directory, const std::string& names);

  std::filesystem::path certificate() const { return directory_ / "server.pem"; }
  std::filesystem::path key() const { return directory_ / "server.key"; }
  // This authority behind all that the system trusts: as long as a real list.
  std::filesystem::path ca_file() const { return directory_ / "authorities.pem"; }

 private:
  void openssl(const std::string& arguments) const;
  std::filesystem::path directory_;
};

}  // namespace sealpost
