// What a receiver saw: every request in order of arrival, and the answer it was given. The evidence
// that end-to-end tests hold against the database.
//
// Threads: none of its own. tests/support/receiver.h guards the one that grows; copies are free.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace sealpost {

struct LedgerEntry {
  // First byte read and last byte read. Never earlier than the sender's own times for the same
  // moments.
  MonotonicTime began_at;
  MonotonicTime complete_at;
  WallTime arrived_at;  // of complete_at
  std::string method;
  std::string path;                            // with the query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // decoded if it came in chunks

  // The answer. Nothing is set while the request is held, or if the connection was closed instead.
  std::optional<int> status;
  bool answer_sent = false;  // every byte was taken by the kernel
  MonotonicTime
      answered_at;  // right before the answer was written; never later than the sender's end

  bool accepted() const { return answer_sent && status && *status >= 200 && *status <= 299; }
  // The header's value, or nothing at all if it did not come.
  std::string header(std::string_view lower_case_name) const;
};

class Ledger {
 public:
  // Appends a request and returns its position.
  std::size_t add(LedgerEntry entry);
  // Notes the answer of the request at `position`.
  void answered(std::size_t position, int status, bool answer_sent, MonotonicTime at);

  const std::deque<LedgerEntry>& entries() const { return entries_; }
  std::size_t requests() const { return entries_.size(); }
  std::size_t requests_to(std::string_view path) const;

  // Requests that were answered 2xx, and how many different ones: same path and Idempotency-Key
  // count once, because they are the same generation of the same delivery.
  std::size_t accepted() const { return accepted_; }
  std::size_t distinct_accepted() const { return accepted_by_delivery_.size(); }

 private:
  std::deque<LedgerEntry> entries_;
  std::unordered_map<std::string, std::size_t> requests_by_path_;
  std::unordered_map<std::string, std::size_t> accepted_by_delivery_;
  std::size_t accepted_ = 0;
};

// Path and Idempotency-Key: names one generation of one delivery as a receiver can see it.
std::string delivery_key(const LedgerEntry& entry);

}  // namespace sealpost
