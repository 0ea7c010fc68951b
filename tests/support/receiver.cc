#include "tests/support/receiver.h"

#include <algorithm>

#include "tests/support/receiver_loop.h"

namespace sealpost {

Behavior in_turn(std::vector<Answer> answers) {
  return [answers = std::move(answers), next = std::size_t{0}](const LedgerEntry&) mutable {
    if (answers.empty()) return Answer{};
    return answers.at(std::min(next++, answers.size() - 1));
  };
}

struct Receiver::State {
  explicit State(Recording recording) : loop(book, recording) {}
  ReceiverBook book;
  ReceiverLoop loop;
};

Receiver::Receiver(Recording recording) : state_(std::make_unique<State>(recording)) {}

Receiver::~Receiver() = default;

int Receiver::port() const { return state_->loop.port(); }

std::string Receiver::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port()) + path;
}

void Receiver::on(const std::string& path, Behavior behavior) {
  const std::lock_guard lock(state_->book.mutex);
  state_->book.behaviors.insert_or_assign(path, std::move(behavior));
}

void Receiver::release_held() {
  {
    const std::lock_guard lock(state_->book.mutex);
    state_->book.released = true;
  }
  state_->loop.wake();
}

std::size_t Receiver::held() const {
  const std::lock_guard lock(state_->book.mutex);
  return state_->book.held;
}

Ledger Receiver::ledger() const {
  const std::lock_guard lock(state_->book.mutex);
  return state_->book.ledger;
}

std::size_t Receiver::requests() const {
  const std::lock_guard lock(state_->book.mutex);
  return state_->book.requests;
}

bool Receiver::wait_until(const std::function<bool(const Ledger&)>& predicate,
                          std::chrono::milliseconds timeout) const {
  const ReceiverBook& book = state_->book;
  std::unique_lock lock(book.mutex);
  return book.news.wait_for(lock, timeout, [&] { return predicate(book.ledger); });
}

bool Receiver::wait_for_requests(std::size_t count, std::chrono::milliseconds timeout) const {
  return wait_until([&](const Ledger&) { return state_->book.requests >= count; }, timeout);
}

bool Receiver::wait_for_held(std::size_t count, std::chrono::milliseconds timeout) const {
  return wait_until([&](const Ledger&) { return state_->book.held >= count; }, timeout);
}

}  // namespace sealpost
