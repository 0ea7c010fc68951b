// CHECK: an invariant of ours that must hold, in every build. A failed one prints the place and the
// message and aborts the process: going on with a broken invariant could lose or forge a delivery.
// It is not for bad input (a value or an exception) and not for a failing environment (an
// exception).
#pragma once

namespace sealpost {
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const char* message);
}

#define CHECK(condition, message)                                                        \
  do {                                                                                   \
    if (!(condition)) ::sealpost::check_failed(__FILE__, __LINE__, #condition, message); \
  } while (false)
