#include "tests/support/ledger.h"

#include <utility>

namespace sealpost {

std::string LedgerEntry::header(std::string_view lower_case_name) const {
  const auto found = headers.find(std::string(lower_case_name));
  return found == headers.end() ? std::string() : found->second;
}

std::string delivery_key(const LedgerEntry& entry) {
  return entry.path + ' ' + entry.header("idempotency-key");
}

std::size_t Ledger::add(LedgerEntry entry) {
  ++requests_by_path_[entry.path];
  entries_.push_back(std::move(entry));
  return entries_.size() - 1;
}

void Ledger::answered(std::size_t position, int status, bool answer_sent, MonotonicTime at) {
  LedgerEntry& entry = entries_.at(position);
  entry.status = status;
  entry.answer_sent = answer_sent;
  entry.answered_at = at;
  if (!entry.accepted()) return;
  ++accepted_;
  ++accepted_by_delivery_[delivery_key(entry)];
}

std::size_t Ledger::requests_to(std::string_view path) const {
  const auto found = requests_by_path_.find(std::string(path));
  return found == requests_by_path_.end() ? 0 : found->second;
}

}  // namespace sealpost
