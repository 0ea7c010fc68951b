#include "bench/feature_free_sender.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

namespace sealpost {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";

// One context for all; initializing it again without a key keeps the key schedule.
class Signature {
 public:
  Signature()
      : mac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free),
        context_(EVP_MAC_CTX_new(mac_.get()), EVP_MAC_CTX_free) {
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    EVP_MAC_init(context_.get(), reinterpret_cast<const unsigned char*>(kKey.data()), kKey.size(),
                 parameters);
  }

  std::string base64(std::string_view prefix, std::string_view body) {
    std::array<unsigned char, 32> raw;
    std::array<char, 45> text;
    std::size_t size = 0;
    EVP_MAC_init(context_.get(), nullptr, 0, nullptr);
    for (const auto piece : {prefix, body}) {
      EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(piece.data()),
                     piece.size());
    }
    EVP_MAC_final(context_.get(), raw.data(), &size, raw.size());
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), raw.data(),
                                       static_cast<int>(raw.size()));
    return {text.data(), static_cast<std::size_t>(length)};
  }

 private:
  std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac_;
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context_;
};

std::size_t ignore_body(char*, std::size_t size, std::size_t count, void*) { return size * count; }

}  // namespace

struct FeatureFreeSender::Parts {
  struct Slot {
    CURL* easy = nullptr;
    curl_slist* headers = nullptr;
    PlainDelivery delivery;
    microseconds started_at{0};
  };

  Parts(std::vector<std::string> endpoint_urls, int max_in_flight, const std::string& ca_file)
      : urls(std::move(endpoint_urls)), slots(static_cast<std::size_t>(max_in_flight)) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wakeup;
    epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event);
    for (auto& slot : slots) {
      slot.easy = curl_easy_init();
      curl_easy_setopt(slot.easy, CURLOPT_PRIVATE, &slot);
      curl_easy_setopt(slot.easy, CURLOPT_POST, 1L);
      curl_easy_setopt(slot.easy, CURLOPT_NOSIGNAL, 1L);
      curl_easy_setopt(slot.easy, CURLOPT_WRITEFUNCTION, ignore_body);
      curl_easy_setopt(slot.easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
      curl_easy_setopt(slot.easy, CURLOPT_CLOSESOCKETDATA, this);
      curl_easy_setopt(slot.easy, CURLOPT_PROXY, "");          // no look at the environment
      curl_easy_setopt(slot.easy, CURLOPT_BUFFERSIZE, 4096L);  // an answer has 200 bytes
      if (!ca_file.empty()) {
        curl_easy_setopt(slot.easy, CURLOPT_CAINFO, ca_file.c_str());
        curl_easy_setopt(slot.easy, CURLOPT_CAPATH, nullptr);  // else it is parsed per connection
      }
      free_slots.push_back(&slot);
    }
  }

  ~Parts() {
    for (auto& slot : slots) {
      curl_multi_remove_handle(multi, slot.easy);
      curl_slist_free_all(slot.headers);
      curl_easy_cleanup(slot.easy);
    }
    curl_multi_cleanup(multi);
    close(epoll);
    close(wakeup);
  }

  static int watch_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    const auto events =
        (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    static_cast<Parts*>(self)->watch(fd, what == CURL_POLL_REMOVE ? 0u : events);
    return 0;
  }

  static int close_socket(void* self, curl_socket_t fd) {
    auto& sockets = static_cast<Parts*>(self)->sockets;
    if (const auto at = static_cast<std::size_t>(fd); at < sockets.size()) sockets[at] = {};
    return close(fd);
  }

  // libcurl stops watching a connection when a request ends and watches it again when the next one
  // begins. The kernel is not told: two epoll_ctl calls less per request.
  void watch(int fd, std::uint32_t events) {
    const auto at = static_cast<std::size_t>(fd);
    if (at >= sockets.size()) sockets.resize(at + 1);
    Socket& socket = sockets[at];
    socket.wanted = events;
    if (events == 0 || events == socket.registered) return;
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(epoll, socket.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    socket.registered = events;
  }

  static int set_timer(CURLM*, long timeout_ms, void* self) {
    auto& timer = static_cast<Parts*>(self)->timer;
    timer.reset();
    if (timeout_ms >= 0) {
      timer = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    }
    return 0;
  }

  void add_header(Slot& slot, std::string_view name, std::string_view value) {
    slot.headers = curl_slist_append(slot.headers, fmt::format("{}: {}", name, value).c_str());
  }

  void start(PlainDelivery delivery) {
    Slot& slot = *free_slots.back();
    free_slots.pop_back();
    slot.delivery = std::move(delivery);
    slot.started_at =
        duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch());
    const auto seconds = duration_cast<std::chrono::seconds>(slot.started_at).count();
    const auto& [id, endpoint, payload] = slot.delivery;
    const auto mac = signature.base64(fmt::format("{}.{}.", id, seconds), payload);
    add_header(slot, "content-type", "application/json");
    add_header(slot, "webhook-id", id);
    add_header(slot, "webhook-timestamp", fmt::to_string(seconds));
    add_header(slot, "webhook-signature", "v1," + mac);
    slot.headers =
        curl_slist_append(slot.headers, "accept:");  // libcurl's own "Accept: */*" is of no use
    curl_easy_setopt(slot.easy, CURLOPT_URL, urls[static_cast<std::size_t>(endpoint)].c_str());
    curl_easy_setopt(slot.easy, CURLOPT_HTTPHEADER, slot.headers);
    curl_easy_setopt(slot.easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(payload.size()));
    curl_easy_setopt(slot.easy, CURLOPT_POSTFIELDS, payload.data());
    curl_multi_add_handle(multi, slot.easy);
  }

  void drive(curl_socket_t fd, int what) {
    int running = 0;
    curl_multi_socket_action(multi, fd, what, &running);
  }

  void collect(std::vector<PlainResult>& finished) {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      CURL* easy = message->easy_handle;
      Slot* slot = nullptr;
      long status = 0;
      curl_off_t total = 0, first_byte = 0;
      char* address = nullptr;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total);
      curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
      curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
      finished.push_back({.id = std::move(slot->delivery.id),
                          .status_code = static_cast<int>(status),
                          .started_at = slot->started_at,
                          .duration = microseconds(total),
                          .first_byte = microseconds(first_byte),
                          .remote_address = address ? address : ""});
      curl_multi_remove_handle(multi, easy);
      curl_slist_free_all(slot->headers);
      slot->headers = nullptr;
      free_slots.push_back(slot);
    }
  }

  void poll(std::chrono::milliseconds timeout, std::vector<PlainResult>& finished) {
    if (timer) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(*timer - std::chrono::steady_clock::now());
      timeout = std::clamp(left, std::chrono::milliseconds(0), timeout);
    }
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(timeout.count()));
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == wakeup) {
        std::uint64_t value = 0;
        [[maybe_unused]] const auto size = read(wakeup, &value, sizeof value);
        continue;
      }
      Socket& socket = sockets[static_cast<std::size_t>(event.data.fd)];
      if (socket.wanted == 0) {  // an idle connection that the receiver closes
        epoll_ctl(epoll, EPOLL_CTL_DEL, event.data.fd, nullptr);
        socket.registered = 0;
        continue;
      }
      drive(event.data.fd, (event.events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                               (event.events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                               (event.events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
    }
    if (timer && *timer <= std::chrono::steady_clock::now()) {
      timer.reset();
      drive(CURL_SOCKET_TIMEOUT, 0);
    }
    collect(finished);
  }

  struct Socket {
    std::uint32_t registered = 0;  // with epoll
    std::uint32_t wanted = 0;      // by libcurl
  };

  std::vector<std::string> urls;
  std::vector<Socket> sockets;  // by file descriptor
  Signature signature;
  CURLM* multi = curl_multi_init();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::optional<std::chrono::steady_clock::time_point> timer;
  std::vector<Slot> slots;
  std::vector<Slot*> free_slots;
};

FeatureFreeSender::FeatureFreeSender(std::vector<std::string> endpoint_urls, int max_in_flight,
                                     const std::string& ca_file)
    : parts_(std::make_unique<Parts>(std::move(endpoint_urls), max_in_flight, ca_file)) {}
FeatureFreeSender::~FeatureFreeSender() = default;

int FeatureFreeSender::room() const { return static_cast<int>(parts_->free_slots.size()); }

void FeatureFreeSender::start(PlainDelivery delivery) { parts_->start(std::move(delivery)); }

void FeatureFreeSender::poll(std::chrono::milliseconds timeout,
                             std::vector<PlainResult>& finished) {
  parts_->poll(timeout, finished);
}

void FeatureFreeSender::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto size = write(parts_->wakeup, &one, sizeof one);
}

}  // namespace sealpost
