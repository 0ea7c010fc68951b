// The C++ code of docs/RECEIVERS.md as a program: `guide_cc PROFILE SECRET NOW` reads "name: value"
// lines, an empty line and a body, and says by its exit code whether the request is genuine.
#include "receive.h"

#include <cstdlib>
#include <iostream>
#include <iterator>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string profile = argv[1];
  Headers headers;
  for (std::string line; std::getline(std::cin, line) && !line.empty();) {
    const std::size_t colon = line.find(": ");
    headers[line.substr(0, colon)] = line.substr(colon + 2);
  }
  const std::string body(std::istreambuf_iterator<char>(std::cin), {});
  const std::time_t now = std::atoll(argv[3]);
  const bool genuine = profile == "standard" ? standard(headers, body, argv[2], now)
                                             : itpay(headers, body, argv[2], now);
  return genuine ? 0 : 1;
}
