// Counts what a test program takes from the heap: by operator new, which counted_heap.cc replaces
// for the whole program, and by OpenSSL.
//
// Threads: for programs with one.
#pragma once

#include <cstddef>

namespace sealpost {

struct HeapUse {
  std::size_t by_new = 0;
  std::size_t by_openssl = 0;
};

// Allocations since the program began.
HeapUse heap_use();

// OpenSSL lets itself be counted only before its first allocation.
bool openssl_is_counted();

}  // namespace sealpost
