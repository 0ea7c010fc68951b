#include "admin_api/http_server.h"

#include <httplib.h>

#include <charconv>
#include <cstdlib>
#include <future>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "admin_api/bounded_socket.h"

namespace sealpost {
namespace {

// Longest path and query that is looked at; the library matches it with std::regex, which recurses.
constexpr std::size_t kMaxTargetBytes = 2'048;

struct Address {
  std::string host;
  int port = 0;
};

Address parse_listen(const std::string& listen) {
  const auto colon = listen.rfind(':');
  Address address;
  const char* const end = listen.data() + listen.size();
  if (colon != std::string::npos) {
    address.host = listen.substr(0, colon);
    const auto [rest, error] = std::from_chars(listen.data() + colon + 1, end, address.port);
    if (error == std::errc() && rest == end && address.port >= 0 && address.port <= 65535 &&
        !address.host.empty()) {
      if (address.host.front() == '[' && address.host.back() == ']') {
        address.host = address.host.substr(1, address.host.size() - 2);
      }
      return address;
    }
  }
  throw std::runtime_error("cannot listen on \"" + listen +
                           "\": write it as address:port, for instance 127.0.0.1:8025");
}

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// What stays of the body once it is known to be unusable: nothing.
bool body_is_unreadable(const httplib::Request& request) {
  return request.has_header("Content-Encoding") || request.is_multipart_form_data();
}

bool has_body(const httplib::Request& request) {
  return request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
}

ApiCall to_api_call(const httplib::Request& from) {
  ApiCall to;
  to.method = from.method;
  to.path = from.path;
  to.query.insert(from.params.begin(), from.params.end());
  for (const auto& [name, value] : from.headers) to.headers.emplace(lower_case(name), value);
  return to;
}

void fill(httplib::Response& to, const ApiAnswer& from) {
  to.status = from.status;
  for (const auto& [name, value] : from.headers) to.set_header(name, value);
  if (!from.content_type.empty()) to.set_content(from.body, from.content_type);
}

// The library's view of a BoundedSocket. The last three are asked for by later versions only, and
// are therefore not marked as overriding.
class Connection final : public httplib::Stream {
 public:
  Connection(int descriptor, SocketBounds bounds) : socket_(descriptor, bounds) {}
  BoundedSocket& bounded() { return socket_; }

  virtual bool is_readable() const { return true; }
  virtual bool is_writable() const { return true; }
  virtual ssize_t read(char* to, std::size_t size) { return socket_.read(to, size); }
  virtual ssize_t write(const char* from, std::size_t size) { return socket_.write(from, size); }
  virtual void get_remote_ip_and_port(std::string&, int&) const {}
  virtual void get_local_ip_and_port(std::string&, int&) const {}
  virtual socket_t socket() const { return 0; }  // only compared with FD_SETSIZE
  virtual bool wait_readable() const { return true; }
  virtual bool wait_writable() const { return true; }
  virtual time_t duration() const { return 0; }

 private:
  BoundedSocket socket_;
};

// Gives each accepted socket a Connection instead of the library's own stream, which has no
// limit on all headers together or on the whole time, answers 500 on descriptors from 1024 on (it
// waits with select(), and a dispatcher in the same process has many), and keeps stop() waiting for
// idle ones.
class BoundedServer final : public httplib::Server {
 public:
  explicit BoundedServer(SocketBounds bounds) : bounds_(bounds) {}

  void cut_off() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (BoundedSocket* socket : open_) socket->cut_off_reading();
  }

 private:
  // The protected call that the library's own TLS server uses; later versions added the addresses.
  template <class Setup>
  void serve(Connection& connection, const Setup& setup) {
    bool closed = false;
    if constexpr (requires { process_request(connection, true, closed, setup); }) {
      process_request(connection, true, closed, setup);
    } else {
      process_request(connection, std::string(), 0, std::string(), 0, true, closed, setup);
    }
  }

  bool process_and_close_socket(socket_t socket) override {
    Connection connection(socket, bounds_);
    BoundedSocket& bounded = connection.bounded();
    if (!enter(bounded)) return false;
    if (bounded.wait_for_first_byte()) {
      serve(connection, std::function<void(httplib::Request&)>([&](httplib::Request& request) {
              bounded.headers_end(body_bytes(request));
              request.ranges.clear();  // else the library would cut our JSON into pieces
              request.headers.erase("Accept-Encoding");
            }));
      bounded.finish();
    }
    leave(bounded);
    return true;
  }

  static std::size_t body_bytes(const httplib::Request& request) {
    if (request.has_header("Transfer-Encoding")) return std::numeric_limits<std::size_t>::max();
    // As the library reads it. Its own call that does so has another name in later versions.
    return std::strtoull(request.get_header_value("Content-Length").c_str(), nullptr, 10);
  }

  bool enter(BoundedSocket& socket) {
    const std::lock_guard lock(mutex_);
    if (!stopping_) open_.insert(&socket);
    return !stopping_;
  }

  void leave(BoundedSocket& socket) {
    const std::lock_guard lock(mutex_);
    open_.erase(&socket);
  }

  const SocketBounds bounds_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::set<BoundedSocket*> open_;
};

}  // namespace

std::string_view ApiCall::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

struct HttpServer::State {
  HttpServerOptions options;
  Handler handler;
  Refusal refusal;
  std::unique_ptr<BoundedServer> server;
  std::thread thread;
  int port = 0;

  void install_handlers();
  void read_and_answer(const httplib::Request& from, httplib::Response& to,
                       const httplib::ContentReader& reader) const;
};

// Every path and method comes here; routing is ours (admin_api/routes.h).
void HttpServer::State::install_handlers() {
  const auto without_body = [this](const httplib::Request& from, httplib::Response& to) {
    fill(to, handler(to_api_call(from)));
  };
  const auto with_body = [this](const httplib::Request& from, httplib::Response& to,
                                const httplib::ContentReader& reader) {
    read_and_answer(from, to, reader);
  };
  const char* const any = R"([\s\S]*)";
  server->Get(any, without_body).Options(any, without_body).Delete(any, without_body);
  server->Post(any, with_body).Put(any, with_body).Patch(any, with_body).Delete(any, with_body);

  server->set_pre_routing_handler([this](const httplib::Request& from, httplib::Response& to) {
    using Result = httplib::Server::HandlerResponse;
    if (from.target.size() <= kMaxTargetBytes) return Result::Unhandled;
    fill(to, refusal(414));
    return Result::Handled;
  });
  // The library calls it for every status from 400 on, ours as well; ours have a body.
  const httplib::Server::HandlerWithResponse on_error = [this](const auto&, httplib::Response& to) {
    using Result = httplib::Server::HandlerResponse;
    if (!to.body.empty()) return Result::Unhandled;
    fill(to, refusal(to.status));
    return Result::Handled;
  };
  server->set_error_handler(on_error);
  server->set_post_routing_handler([](const httplib::Request&, httplib::Response& to) {
    if (to.status == 204) to.headers.erase("Content-Length");  // RFC 9110, 8.6
  });
}

void HttpServer::State::read_and_answer(const httplib::Request& from, httplib::Response& to,
                                        const httplib::ContentReader& reader) const {
  ApiCall request = to_api_call(from);
  if (body_is_unreadable(from)) {
    request.body_state = BodyState::unreadable;
  } else if (has_body(
                 from)) {  // without either header the library would read until the peer closes
    std::size_t size = 0;
    const bool whole = reader([&](const char* bytes, std::size_t count) {
      size += count;
      if (size <= options.max_body_bytes) request.body.append(bytes, count);
      return size <= options.max_body_bytes;
    });
    if (size > options.max_body_bytes) {
      request.body_state = BodyState::too_large;
      request.body.clear();
    } else if (!whole) {
      return fill(to, refusal(400));
    }
  }
  fill(to, handler(request));
}

HttpServer::HttpServer(HttpServerOptions options, Handler handler, Refusal refusal)
    : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->handler = std::move(handler);
  state_->refusal = std::move(refusal);
}

HttpServer::~HttpServer() { stop(); }

void HttpServer::start() {
  State& state = *state_;
  const Address address = parse_listen(state.options.listen);
  state.server = std::make_unique<BoundedServer>(SocketBounds{
      .first_byte_time = state.options.first_byte_time,
      .request_time = state.options.request_time,
      .write_time = state.options.write_time,
      .max_header_bytes = state.options.max_header_bytes,
  });
  state.install_handlers();
  // The library's default is SO_REUSEPORT, with which two processes share one port and neither
  // notices.
  state.server->set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  auto running = std::make_shared<std::promise<void>>();
  // Called once the library counts as running; a stop() before that would be lost.
  state.server->new_task_queue = [running, threads = state.options.threads] {
    auto queue = std::make_unique<httplib::ThreadPool>(static_cast<std::size_t>(threads));
    running->set_value();
    return queue.release();
  };
  state.port = address.port;
  if (address.port == 0) {
    state.port = state.server->bind_to_any_port(address.host);
  } else if (!state.server->bind_to_port(address.host, address.port)) {
    state.port = -1;
  }
  if (state.port <= 0) {
    state.server.reset();
    state.port = 0;
    throw std::runtime_error("cannot listen on " + state.options.listen +
                             ": the address is in use or not of this machine");
  }
  state.thread = std::thread([server = state.server.get()] { server->listen_after_bind(); });
  running->get_future().wait();
}

void HttpServer::stop() {
  State& state = *state_;
  if (!state.thread.joinable()) return;
  state.server->cut_off();
  state.server->stop();
  state.thread.join();
  state.server.reset();
}

int HttpServer::port() const { return state_->port; }

}  // namespace sealpost
