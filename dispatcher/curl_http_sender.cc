#include "dispatcher/curl_http_sender.h"

#include <curl/curl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/check.h"
#include "dispatcher/address_guard.h"
#include "dispatcher/curl_http_sender_transfer.h"
#include "dispatcher/socket_watch.h"

namespace sealpost {
namespace {

void initialize_libcurl() {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialized != CURLE_OK) throw std::runtime_error("libcurl cannot be initialized");
}

// A transfer that got its headers and is still reading the body.
struct BodyDeadline {
  MonotonicTime time;
  Transfer* transfer;
  std::uint64_t serial;  // if the transfer's differs, that request is over
};

}  // namespace

struct CurlHttpSender::State {
  State(CurlSenderOptions given, const Clock& with_clock);
  ~State();

  static int socket_changed(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept;
  static int timer_changed(CURLM*, long timeout_ms, void* self) noexcept;

  Transfer& idle_transfer();
  Milliseconds wait_time(Milliseconds at_most) const;
  void limit_connections();
  void let_curl_work();
  void collect(std::vector<FinishedRequest>& finished);
  void note_body_deadlines();
  void cut_long_bodies(std::vector<FinishedRequest>& finished);
  void end(Transfer& transfer, int curl_code, std::vector<FinishedRequest>& finished);

  const CurlSenderOptions options;
  const Clock& clock;
  AddressGuard guard;
  SocketWatch sockets;
  CurlShares shares;
  std::vector<Transfer*> got_headers;
  const TransferSurroundings surroundings{options, guard, sockets, shares, got_headers, clock};
  CURLM* multi;

  std::vector<std::unique_ptr<Transfer>> transfers;
  std::vector<Transfer*> idle;
  std::vector<Transfer*> unsendable;                  // to be finished by the next poll
  std::vector<std::pair<Transfer*, CURLcode>> ended;  // of one poll; kept for its memory
  int in_flight = 0;
  bool too_many_connections = false;
  std::optional<MonotonicTime> curl_deadline;
  std::deque<BodyDeadline> body_deadlines;  // all have the same length: the first is due first
  std::vector<SocketWatch::Ready> ready;
};

CurlHttpSender::State::State(CurlSenderOptions given, const Clock& with_clock)
    : options(std::move(given)),
      clock(with_clock),
      guard(options.address_policy, options.proxy),
      multi(nullptr) {
  initialize_libcurl();
  // With CURLOPT_NOSIGNAL libcurl leaves SIGPIPE to the program, and OpenSSL writes to sockets by
  // write().
  std::signal(SIGPIPE, SIG_IGN);
  multi = curl_multi_init();
  if (multi == nullptr) throw std::runtime_error("libcurl gives no multi handle: out of memory");
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::socket_changed);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::timer_changed);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  // HTTP/2 with one request at a time on a connection: docs/decisions/0010.
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_connections));
}

CurlHttpSender::State::~State() {
  for (const auto& transfer : transfers) curl_multi_remove_handle(multi, transfer->easy());
  transfers.clear();
  curl_multi_cleanup(multi);
}

int CurlHttpSender::State::socket_changed(CURL*, curl_socket_t fd, int what, void* self,
                                          void*) noexcept {
  std::uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  static_cast<State*>(self)->sockets.want(fd, events);
  return 0;
}

int CurlHttpSender::State::timer_changed(CURLM*, long timeout_ms, void* self) noexcept {
  auto& state = *static_cast<State*>(self);
  if (timeout_ms < 0) {
    state.curl_deadline.reset();
  } else {
    state.curl_deadline = state.clock.monotonic_now() + Milliseconds(timeout_ms);
  }
  return 0;
}

CurlHttpSender::CurlHttpSender(CurlSenderOptions options, const Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {}

CurlHttpSender::~CurlHttpSender() = default;

void CurlHttpSender::start(std::uint64_t tag, HttpRequest request) {
  Transfer& transfer = state_->idle_transfer();
  ++state_->in_flight;
  if (!transfer.prepare(tag, std::move(request))) {
    state_->unsendable.push_back(&transfer);
    return;
  }
  const CURLMcode added = curl_multi_add_handle(state_->multi, transfer.easy());
  CHECK(added == CURLM_OK, "libcurl did not take a transfer that was not in use");
}

void CurlHttpSender::poll(Milliseconds timeout, std::vector<FinishedRequest>& finished) {
  State& state = *state_;
  state.sockets.wait(state.wait_time(timeout), state.ready);
  state.limit_connections();
  state.let_curl_work();
  state.collect(finished);
  state.note_body_deadlines();
  state.cut_long_bodies(finished);
}

void CurlHttpSender::wake() { state_->sockets.wake(); }

int CurlHttpSender::in_flight() const { return state_->in_flight; }

void CurlHttpSender::replace_address_policy(AddressPolicy policy) {
  state_->guard = AddressGuard(std::move(policy), state_->options.proxy);
}

Transfer& CurlHttpSender::State::idle_transfer() {
  if (idle.empty()) {
    transfers.push_back(std::make_unique<Transfer>(surroundings));
    idle.push_back(transfers.back().get());
  }
  Transfer& transfer = *idle.back();
  idle.pop_back();
  return transfer;
}

Milliseconds CurlHttpSender::State::wait_time(Milliseconds at_most) const {
  if (!unsendable.empty()) return Milliseconds{0};
  const MonotonicTime now = clock.monotonic_now();
  MonotonicTime until = now + at_most;
  if (curl_deadline) until = std::min(until, *curl_deadline);
  if (!body_deadlines.empty()) until = std::min(until, body_deadlines.front().time);
  return std::max(std::chrono::ceil<Milliseconds>(until - now), Milliseconds{0});
}

// libcurl compares its limit with the connections of one share, when a request gives one back, and
// then closes the one of them that was idle for longest. So while there are too many in all, every
// share is to keep one only.
void CurlHttpSender::State::limit_connections() {
  const bool too_many = sockets.announced() > options.max_connections;
  if (too_many == too_many_connections) return;
  too_many_connections = too_many;
  const long per_share = too_many ? 1 : options.max_connections;
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, per_share);
}

void CurlHttpSender::State::let_curl_work() {
  int running = 0;
  for (const SocketWatch::Ready& socket : ready) {
    int what = 0;
    if ((socket.events & (EPOLLIN | EPOLLHUP)) != 0) what |= CURL_CSELECT_IN;
    if ((socket.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    if ((socket.events & EPOLLERR) != 0) what |= CURL_CSELECT_ERR;
    curl_multi_socket_action(multi, socket.fd, what, &running);
  }
  if (curl_deadline && *curl_deadline <= clock.monotonic_now()) {
    curl_deadline.reset();  // libcurl sets the next one from inside
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

void CurlHttpSender::State::collect(std::vector<FinishedRequest>& finished) {
  for (Transfer* transfer : std::exchange(unsendable, {})) end(*transfer, CURLE_OK, finished);
  // All are read before the first is removed: removing a handle looks through the unread messages
  // for one of its own.
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    void* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    ended.push_back({static_cast<Transfer*>(transfer), message->data.result});
  }
  for (const auto& [transfer, result] : ended) {
    curl_multi_remove_handle(multi, transfer->easy());
    end(*transfer, result, finished);
  }
  ended.clear();
}

// Only transfers that are still reading get one: nearly all end in the same turn that brought the
// headers.
void CurlHttpSender::State::note_body_deadlines() {
  for (Transfer* transfer : got_headers) {
    if (!transfer->in_use()) continue;
    body_deadlines.push_back(
        {clock.monotonic_now() + kResponseBodyTime, transfer, transfer->serial()});
  }
  got_headers.clear();
}

void CurlHttpSender::State::cut_long_bodies(std::vector<FinishedRequest>& finished) {
  const MonotonicTime now = clock.monotonic_now();
  while (!body_deadlines.empty() && body_deadlines.front().time <= now) {
    const BodyDeadline due = body_deadlines.front();
    body_deadlines.pop_front();
    if (!due.transfer->in_use() || due.transfer->serial() != due.serial) continue;
    curl_multi_remove_handle(multi, due.transfer->easy());  // closes the connection
    end(*due.transfer, CURLE_OPERATION_TIMEDOUT, finished);
  }
}

void CurlHttpSender::State::end(Transfer& transfer, int curl_code,
                                std::vector<FinishedRequest>& finished) {
  finished.push_back(transfer.finish(curl_code));
  idle.push_back(&transfer);
  --in_flight;
}

}  // namespace sealpost
