// The network thread: starts what the schedule allows, waits for the network, decides, and hands
// the results on. The only place that knows the whole order of a delivery's life in this process.
//
// A request is started only while our lease is certain to cover it and while its result will find
// room, and while changed endpoints are being learnt of; and it is built and signed at that moment,
// because some receivers tolerate only seconds between signature and arrival.
//
// Threads: start(), drain(), leave(), wake(), the counts: any thread; everything else runs on the
// network thread. The sender belongs to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "core/delivery_store.h"
#include "core/webhook_request.h"
#include "dispatcher/dispatcher_metrics.h"
#include "dispatcher/endpoint_cache.h"
#include "dispatcher/finisher.h"
#include "dispatcher/http_sender.h"
#include "dispatcher/inbox.h"
#include "dispatcher/loop_thread.h"
#include "dispatcher/membership.h"
#include "dispatcher/recent_requests.h"
#include "dispatcher/running_limit.h"
#include "dispatcher/schedule.h"
#include "dispatcher/side_requests.h"

namespace sealpost {

class DeliveryLoop {
 public:
  struct Parts {
    std::unique_ptr<HttpSender> sender;
    Inbox& inbox;
    const EndpointCache& endpoints;
    const Membership& membership;
    Finisher& finisher;
    SideRequests& side_requests;
    DispatcherMetrics& metrics;
    const Clock& clock;
    Random& random;
  };
  DeliveryLoop(Parts parts, int max_in_flight);

  void start() {
    thread_.start([this] { run(); });
  }

  // Something was put into the inbox.
  void wake() { parts_.sender->wake(); }

  // Starts no more, gives back what is queued, and ends when nothing is in flight.
  void drain();
  // Ends at once; what is in flight is left to its fate.
  void leave();
  void join() { thread_.stop(); }

  bool over() const { return over_; }
  int in_flight() const { return in_flight_count_; }
  // Queued, but their endpoints are paused or at their limit.
  int held_up() const { return held_up_count_; }
  const LoopThread& thread() const { return thread_; }

 private:
  struct InFlight {
    LeasedDelivery delivery;
    ReadyEndpointPtr endpoint;
    ReadyEndpoint::Signing signing;  // points into the endpoint
    RecentRequests::Period began_in = 0;
    std::shared_ptr<const SealedSession> sealed_session{};  // null: its answer is not encrypted
  };
  // A result that waits until it is certain that nobody changed the endpoint's secrets meanwhile.
  struct Unconfirmed {
    InFlight flight;
    FinishedAttempt attempt;
  };

  void run();
  void forget_lost_lease();
  void give_up_lost_buckets();
  bool belongs_to_another(const Endpoint& endpoint) const;
  void take_inbox();
  void give_back(std::vector<LeasedDelivery> unwanted);
  bool start_allowed();
  void look(bool held_back);
  void begin(Schedule::Start start);
  void start_side_requests();
  void record();
  FinishedAttempt result_of(FinishedRequest& finished, InFlight& flight);
  SecretsInChange secrets_in_change(const FinishedAttempt& attempt, const InFlight& flight) const;
  bool is_unconfirmed(const FinishedAttempt& attempt, const InFlight& flight) const;
  void confirm(std::vector<FinishedAttempt>& results);
  void settle(FinishedAttempt attempt, const InFlight& flight,
              std::vector<FinishedAttempt>& results);
  int in_flight_now() const {
    return schedule_.in_flight() + static_cast<int>(unconfirmed_.size());
  }
  void hold_back(const Decision& decision, const FinishedAttempt& attempt,
                 const ReadyEndpoint& endpoint);
  void note_end(const FinishedAttempt& attempt, const ReadyEndpoint& endpoint);
  void end_unsendable(const ReadyEndpoint& endpoint, std::vector<LeasedDelivery> deliveries);
  void add(ReadyEndpointPtr endpoint, LeasedDelivery delivery);
  void release(const ReadyEndpoint& endpoint, std::vector<LeasedDelivery> deliveries);
  void give_back_queued();
  void left_queue(const LeasedDelivery& delivery, const ReadyEndpoint& endpoint);
  bool has_free_slot() const;
  bool may_start(MonotonicTime now) const;
  Milliseconds poll_time() const;

  Parts parts_;
  const int max_in_flight_;
  Schedule schedule_;
  RunningLimit running_limit_;
  RecentRequests recent_;
  RequestBuilder builder_;
  Epoch epoch_ = 0;  // of everything in schedule_
  // As we saw them last.
  Membership::Buckets buckets_ = std::make_shared<const std::vector<std::int16_t>>();
  std::vector<InFlight> in_flight_;  // by tag
  std::vector<std::uint64_t> free_tags_;
  std::vector<FinishedRequest> finished_;
  std::vector<Unconfirmed> unconfirmed_;
  int side_requests_ = 0;  // running
  std::atomic<int> in_flight_count_{0};
  std::atomic<int> held_up_count_{0};
  std::atomic<bool> draining_{false};
  std::atomic<bool> leaving_{false};
  std::atomic<bool> over_{false};
  LoopThread thread_;  // last: it uses everything above
};

}  // namespace sealpost
