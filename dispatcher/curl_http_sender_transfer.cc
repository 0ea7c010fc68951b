#include "dispatcher/curl_http_sender_transfer.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "base/check.h"
#include "base/resumable_sessions.h"
#include "core/sealed_json.h"
#include "dispatcher/curl_http_sender_retry_after.h"
#include "dispatcher/response_headers.h"

namespace sealpost {
namespace {

void set_text(CURL* easy, CURLoption option, const std::string& text) {
  CHECK(curl_easy_setopt(easy, option, text.c_str()) == CURLE_OK, "libcurl refused an option");
}
void set_number(CURL* easy, CURLoption option, long number) {
  CHECK(curl_easy_setopt(easy, option, number) == CURLE_OK, "libcurl refused an option");
}
template <class Pointer>
void set_pointer(CURL* easy, CURLoption option, Pointer pointer) {
  CHECK(curl_easy_setopt(easy, option, pointer) == CURLE_OK, "libcurl refused an option");
}

// Of an answer to OPTIONS: what consents (core/validation.h).
constexpr std::string_view kConsentHeaders[] = {"webhook-allowed-origin", "webhook-allowed-rate"};

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

bool is_packet(CURL* easy) {
  const char* type = nullptr;
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
  return type != nullptr && is_media_type(type, kSealedJsonType);
}

}  // namespace

struct Transfer::HeaderList {
  std::vector<std::string> lines;
  std::vector<curl_slist> nodes;
};

// libcurl calls these from inside its C code: none may throw. Allocation failure aside (which ends
// the process anyway) none of what they call does.
struct Transfer::Callbacks {
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    const auto remote = SocketAddress::from(address->addr);
    if (!remote || !transfer.surroundings_.guard.allows(*remote)) {
      if (!transfer.connecting_) transfer.blocked_ = true;
      return CURL_SOCKET_BAD;  // libcurl goes on with the name's next address, which is judged as
                               // well
    }
    transfer.connecting_ = true;
    transfer.blocked_ = false;
    const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    transfer.surroundings_.sockets.opened(fd);
    return fd;
  }

  static int close_socket(void* sockets, curl_socket_t fd) noexcept {
    static_cast<SocketWatch*>(sockets)->closing(fd);
    return close(fd);
  }

  static CURLcode new_tls_connection(CURL*, void* ssl_ctx, void*) noexcept {
    keep_sessions_resumable(ssl_ctx);
    return CURLE_OK;
  }

  static int before_request(void* self, char* ip, char*, int port, int) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    const bool may = transfer.may_send_on(SocketAddress::from(ip, port));
    return may ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
  }

  static std::size_t header(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.header_bytes_ += size;
    if (transfer.header_bytes_ > kReadHeaderBytes) {
      transfer.too_many_headers_ = true;
      return 0;
    }
    transfer.take_header_line({data, size});
    return size;
  }

  static std::size_t body(char* data, std::size_t, std::size_t size, void* self) noexcept {
    return static_cast<Transfer*>(self)->take_body({data, size}) ? size : 0;
  }
};

Transfer::Transfer(const TransferSurroundings& surroundings)
    : surroundings_(surroundings),
      easy_(curl_easy_init()),
      header_list_(std::make_unique<HeaderList>()) {
  if (easy_ == nullptr) throw std::runtime_error("libcurl gives no handle: out of memory");
  set_constant_options();
}

Transfer::~Transfer() { curl_easy_cleanup(easy_); }

void Transfer::set_constant_options() {
  static_assert(sizeof(error_text_) >= CURL_ERROR_SIZE);
  const CurlSenderOptions& options = surroundings_.options;
  const char* protocols = options.allow_http == AllowHttp::yes ? "http,https" : "https";
  set_text(easy_, CURLOPT_PROTOCOLS_STR, protocols);
  set_text(easy_, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
  set_number(easy_, CURLOPT_FOLLOWLOCATION, 0);
  set_number(easy_, CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
  set_number(easy_, CURLOPT_PATH_AS_IS, 1);  // some dialects sign the URL as it was registered
  set_number(easy_, CURLOPT_NETRC, CURL_NETRC_IGNORED);
  set_number(easy_, CURLOPT_NOSIGNAL, 1);
  set_number(easy_, CURLOPT_POST, 1);
  set_number(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  set_number(easy_, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeout.count());
  set_number(easy_, CURLOPT_MAXLIFETIME_CONN, options.connection_lifetime.count());
  set_number(easy_, CURLOPT_MAXAGE_CONN, kConnectionIdle.count());
  set_number(easy_, CURLOPT_DNS_CACHE_TIMEOUT, kNameLifetime.count());
  set_number(easy_, CURLOPT_BUFFERSIZE,
             4096);  // answers are small; the default is 16 KiB per request

  // Without these the environment's http_proxy and no_proxy would decide.
  set_text(easy_, CURLOPT_PROXY, options.proxy.value_or(""));
  set_text(easy_, CURLOPT_NOPROXY, "");
  set_number(easy_, CURLOPT_HTTPPROXYTUNNEL, options.proxy ? 1 : 0);

  set_number(easy_, CURLOPT_SSL_VERIFYPEER, 1);
  set_number(easy_, CURLOPT_SSL_VERIFYHOST, 2);
  set_text(easy_, CURLOPT_SSL_CIPHER_LIST, "ECDHE+AESGCM:ECDHE+CHACHA20");  // of TLS 1.2
  set_authorities(options.ca_file);

  set_pointer(easy_, CURLOPT_PRIVATE, this);
  set_pointer(easy_, CURLOPT_ERRORBUFFER, error_text_.data());
  set_pointer(easy_, CURLOPT_OPENSOCKETFUNCTION, &Callbacks::open_socket);
  set_pointer(easy_, CURLOPT_OPENSOCKETDATA, this);
  set_pointer(easy_, CURLOPT_CLOSESOCKETFUNCTION, &Callbacks::close_socket);
  set_pointer(easy_, CURLOPT_CLOSESOCKETDATA, &surroundings_.sockets);  // outlives this transfer
  set_pointer(easy_, CURLOPT_SSL_CTX_FUNCTION, &Callbacks::new_tls_connection);
  set_pointer(easy_, CURLOPT_PREREQFUNCTION, &Callbacks::before_request);
  set_pointer(easy_, CURLOPT_PREREQDATA, this);
  set_pointer(easy_, CURLOPT_HEADERFUNCTION, &Callbacks::header);
  set_pointer(easy_, CURLOPT_HEADERDATA, this);
  set_pointer(easy_, CURLOPT_WRITEFUNCTION, &Callbacks::body);
  set_pointer(easy_, CURLOPT_WRITEDATA, this);
}

// libcurl parses the authorities once for all connections of a multi handle, but only if they come
// from a file and from nowhere else (true of 7.88.1). Debian's default is a file and a directory
// with the same certificates in it; parsing them again for each connection took so long that of 256
// new connections at once some timed out.
void Transfer::set_authorities(const std::string& file) {
  char* of_system = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_CAINFO, &of_system);
  std::error_code ignored;
  const bool has_file = of_system != nullptr && std::filesystem::exists(of_system, ignored);
  if (file.empty() && !has_file) return;  // a system with a directory only
  set_text(easy_, CURLOPT_CAINFO, file.empty() ? of_system : file);
  set_pointer(easy_, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  set_number(easy_, CURLOPT_CA_CACHE_TIMEOUT, std::chrono::seconds(kAuthoritiesLifetime).count());
}

bool Transfer::prepare(std::uint64_t tag, HttpRequest request) {
  request_ = std::move(request);
  tag_ = tag;
  in_use_ = true;
  ++serial_;
  started_at_ = surroundings_.clock.wall_now();
  started_ = surroundings_.clock.monotonic_now();
  error_text_[0] = '\0';
  remote_.reset();
  connecting_ = blocked_ = died_on_reuse_ = proxy_refused_ = false;
  header_bytes_ = 0;
  too_many_headers_ = false;
  status_code_ = 0;
  final_headers_ = false;
  retry_after_.reset();
  consent_headers_.clear();
  body_bytes_ = 0;
  kept_body_bytes_ = request_.sealed_session ? kMaxSealedResponse : kStoredResponseBytes;
  body_.clear();
  bad_header_ = !add_header_lines();
  if (bad_header_) return false;
  set_text(easy_, CURLOPT_URL, request_.url);
  // Also for plain HTTP: libcurl 7.88.1 forgets to free a handle's own sessions when it gets a
  // share.
  taken_ = &surroundings_.shares.take(request_.url);
  if (taken_->handle != share_) set_pointer(easy_, CURLOPT_SHARE, share_ = taken_->handle);
  set_pointer(easy_, CURLOPT_POSTFIELDS, request_.body.data());
  set_pointer(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  set_method();
  set_number(easy_, CURLOPT_TIMEOUT_MS, request_.timeout.count());
  set_number(easy_, CURLOPT_SSLVERSION,
             request_.tls_1_3_only ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2);
  return true;
}

// After the body, with which libcurl means POST.
void Transfer::set_method() {
  if (request_.method == HttpMethod::options) set_number(easy_, CURLOPT_HTTPGET, 1);
  if (request_.method == method_) return;
  method_ = request_.method;
  if (method_ == HttpMethod::options) {
    set_text(easy_, CURLOPT_CUSTOMREQUEST, "OPTIONS");
  } else {
    set_pointer(easy_, CURLOPT_CUSTOMREQUEST, static_cast<char*>(nullptr));
    set_number(easy_, CURLOPT_POST, 1);
  }
}

// libcurl sends a CR LF inside a header as it is, and by that a header of somebody else's choice.
// They are refused where they are configured; this is the second fence.
bool Transfer::add_header_lines() {
  std::vector<std::string>& lines = header_list_->lines;
  std::vector<curl_slist>& nodes = header_list_->nodes;
  // "Expect:" takes away the "100-continue" that libcurl adds to large bodies and then waits for.
  const std::size_t count = request_.headers.size() + 1;
  if (lines.size() < count) lines.resize(count);
  nodes.resize(count);
  for (std::size_t i = 0; i < request_.headers.size(); ++i) {
    const Header& header = request_.headers[i];
    if (has_line_break(header.name) || has_line_break(header.value)) return false;
    lines[i].assign(header.name).append(": ").append(header.value);
    // "Name:" would take the header away, "Name;" sends it empty.
    if (header.value.empty()) lines[i].assign(header.name).append(";");
  }
  lines[count - 1].assign("Expect:");
  for (std::size_t i = 0; i < count; ++i) {
    nodes[i] = {lines[i].data(), i + 1 < count ? &nodes[i + 1] : nullptr};
  }
  set_pointer(easy_, CURLOPT_HTTPHEADER, nodes.data());
  return true;
}

// Called for every sending of the request, on a new connection and on a kept one.
//
// libcurl 7.88.1 (Curl_retry_request; no option turns it off) sends a request again when it went
// out on a kept connection that closed before any byte came back. The receiver may have got the
// first one, so the second would be a duplicate without a record. It does come through here:
// refused, it ends as connection_lost, and the retry is an attempt with a number. If nothing had
// been written, the receiver cannot have seen it, and the new connection may be used.
bool Transfer::may_send_on(const std::optional<SocketAddress>& address) {
  if (remote_) {
    long written = 0;
    curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &written);
    if (written > 0) {
      died_on_reuse_ = true;
      return false;
    }
  }
  if (!address || !surroundings_.guard.allows(*address)) {
    blocked_ = true;
    return false;
  }
  remote_ = address;
  blocked_ = false;  // another address of the name may have been refused before this one
  return true;
}

void Transfer::take_header_line(std::string_view line) {
  if (!remote_) {  // not sent yet: this is the proxy's answer to CONNECT
    if (header_value(line, "x-smokescreen-error")) proxy_refused_ = true;
    return;
  }
  if (final_headers_) return;  // trailers
  if (const std::optional<int> status = status_of(line)) {
    status_code_ = *status;
    retry_after_.reset();
    consent_headers_.clear();
  } else if (const auto value = header_value(line, "retry-after")) {
    retry_after_ = parse_retry_after(*value, surroundings_.clock.wall_now());
  } else if (is_blank(line) && !is_interim(status_code_)) {
    final_headers_ = true;
    surroundings_.got_headers.push_back(this);
  } else if (request_.method == HttpMethod::options) {
    for (const std::string_view name : kConsentHeaders) {
      const auto consent = header_value(line, name);
      if (consent) consent_headers_.push_back({std::string(name), std::string(*consent)});
    }
  }
}

// False: enough was read.
bool Transfer::take_body(std::string_view bytes) {
  const std::size_t room = kept_body_bytes_ - body_.size();
  body_.append(bytes.substr(0, room));
  body_bytes_ += bytes.size();
  return body_bytes_ <= kReadResponseBytes;
}

FinishedRequest Transfer::finish(int curl_code) {
  in_use_ = false;
  if (taken_ != nullptr) --std::exchange(taken_, nullptr)->requests;
  FinishedRequest finished;
  finished.tag = tag_;
  finished.started_at = started_at_;
  finished.ended_at = surroundings_.clock.monotonic_now();
  // However the body ended: with the final headers the receiver has answered.
  finished.outcome = final_headers_ && !bad_header_ ? answered(curl_code) : failed(curl_code);
  finished.outcome.duration =
      std::chrono::duration_cast<std::chrono::microseconds>(finished.ended_at - started_);
  if (remote_) finished.outcome.remote_address = remote_->text();
  request_ = {};  // its body may be a megabyte, and the handle is kept
  return finished;
}

AttemptOutcome Transfer::answered(int curl_code) {
  AttemptOutcome outcome;
  outcome.status_code = status_code_;
  outcome.retry_after = retry_after_;
  outcome.response_truncated = body_bytes_ > body_.size() || curl_code != CURLE_OK;
  outcome.response_body = std::move(body_);
  outcome.consent_headers = std::move(consent_headers_);
  if (request_.sealed_session) outcome.response_is_packet = is_packet(easy_);
  outcome.phases = phases();
  return outcome;
}

AttemptOutcome Transfer::failed(int curl_code) const {
  AttemptOutcome outcome;
  const AttemptError error = classify(curl_code);
  outcome.error = error;
  outcome.error_detail = describe(error, curl_code);
  if (!bad_header_) outcome.phases = phases();
  return outcome;
}

AttemptPhases Transfer::phases() const {
  long new_connections = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &new_connections);
  AttemptPhases phases;
  phases.first_byte = std::chrono::microseconds(time_info(CURLINFO_STARTTRANSFER_TIME_T));
  if (new_connections == 0) return phases;
  phases.dns = std::chrono::microseconds(time_info(CURLINFO_NAMELOOKUP_TIME_T));
  phases.connect = std::chrono::microseconds(time_info(CURLINFO_CONNECT_TIME_T));
  phases.tls = std::chrono::microseconds(time_info(CURLINFO_APPCONNECT_TIME_T));
  return phases;
}

long long Transfer::time_info(int info) const {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy_, static_cast<CURLINFO>(info), &microseconds);
  return microseconds;
}

}  // namespace sealpost
