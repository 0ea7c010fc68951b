#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace sealpost {

// Not through the log: it drops lines when nobody reads, and this is the one line that must be
// seen.
void check_failed(const char* file, int line, const char* condition, const char* message) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed: %s\n", file, line, condition, message);
  std::abort();
}

}  // namespace sealpost
