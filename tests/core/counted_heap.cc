#include "tests/core/counted_heap.h"

#include <openssl/crypto.h>

#include <cstdlib>
#include <new>

namespace sealpost {
namespace {

HeapUse use;

void* openssl_malloc(std::size_t bytes, const char*, int) {
  ++use.by_openssl;
  return std::malloc(bytes);
}
void* openssl_realloc(void* block, std::size_t bytes, const char*, int) {
  ++use.by_openssl;
  return std::realloc(block, bytes);
}
void openssl_free(void* block, const char*, int) { std::free(block); }

const bool kCountsOpenssl =
    CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;

void* counted(std::size_t bytes) {
  ++use.by_new;
  if (void* block = std::malloc(bytes == 0 ? 1 : bytes)) return block;
  throw std::bad_alloc();
}

}  // namespace

HeapUse heap_use() { return use; }
bool openssl_is_counted() { return kCountsOpenssl; }

}  // namespace sealpost

void* operator new(std::size_t bytes) { return sealpost::counted(bytes); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
