// Keeps TLS sessions usable that libcurl remembers.
//
// libcurl 7.88 closes connections without a close_notify (seen by strace), and OpenSSL takes that
// for an attack and bars the connection's session from being resumed, the remembered one included.
// RFC 5246 dropped that rule (section 7.2.1), and RFC 8446 never had it. So libcurl is handed a
// copy. Later versions of libcurl, which remember sessions serialized, do not mind.
//
// Threads: safe from any.
#pragma once

namespace sealpost {

// For libcurl's CURLOPT_SSL_CTX_FUNCTION: the SSL_CTX of one connection, before its handshake. It
// must have libcurl's own callback for new sessions already.
void keep_sessions_resumable(void* ssl_ctx) noexcept;

}  // namespace sealpost
