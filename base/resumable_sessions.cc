#include "base/resumable_sessions.h"

#include <openssl/ssl.h>

#include <atomic>

namespace sealpost {
namespace {

using NewSession = int (*)(SSL*, SSL_SESSION*);

// libcurl's; the same function for every connection.
std::atomic<NewSession> remember{nullptr};

// 1 would mean that we keep `session` itself.
int remember_copy(SSL* ssl, SSL_SESSION* session) {
  SSL_SESSION* copy = SSL_SESSION_dup(session);
  if (copy != nullptr && remember.load()(ssl, copy) == 0) SSL_SESSION_free(copy);
  return 0;
}

}  // namespace

void keep_sessions_resumable(void* ssl_ctx) noexcept {
  auto* context = static_cast<SSL_CTX*>(ssl_ctx);
  const NewSession of_libcurl = SSL_CTX_sess_get_new_cb(context);
  if (of_libcurl == nullptr || of_libcurl == remember_copy) return;
  remember = of_libcurl;
  SSL_CTX_sess_set_new_cb(context, remember_copy);
}

}  // namespace sealpost
