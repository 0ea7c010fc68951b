// A private certificate authority and server certificates by it, made by the openssl command in a
// temporary directory, once per test program.
//
// Threads: safe from any. Errors: std::runtime_error with the command that failed.
#pragma once

#include <filesystem>
#include <string>

namespace sealpost {

class Certificates {
 public:
  Certificates();
  ~Certificates();

  // "ca.pem"; "localhost.pem" and "localhost.key", for localhost and *.test.localhost; "other.pem"
  // and "other.key", for other.example.
  std::string path(const std::string& file) const { return (directory_ / file).string(); }

 private:
  void make(const std::string& name, const std::string& alternative_names) const;
  void openssl(const std::string& arguments) const;

  std::filesystem::path directory_;
};

const Certificates& certificates();

}  // namespace sealpost
