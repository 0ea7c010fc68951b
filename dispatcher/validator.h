// The thread that asks receivers whether they agree to be sent to (core/validation.h): it takes the
// endpoints in our buckets that are to be asked, hands the requests to the network thread, judges
// the answers and writes down what they mean. All that it knows stands in the store, so after a
// crash the same endpoints are asked again.
//
// Threads: start(), stop(): any; the rest runs on the thread itself.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "core/endpoint_store.h"
#include "core/validation_store.h"
#include "core/webhook_request.h"
#include "dispatcher/delivery_loop.h"
#include "dispatcher/loop_thread.h"
#include "dispatcher/membership.h"
#include "dispatcher/side_requests.h"
#include "dispatcher/store_health.h"
#include "dispatcher/validation_options.h"

namespace sealpost {

class Validator {
 public:
  struct Parts {
    std::unique_ptr<ValidationStore> store;
    std::unique_ptr<EndpointSource> source;
    SideRequests& requests;
    DeliveryLoop& network;
    const Membership& membership;
    StoreHealth& health;
    const Clock& clock;
    Random& random;
  };
  Validator(Parts parts, ValidationOptions options)
      : parts_(std::move(parts)), options_(std::move(options)), builder_(parts_.random) {}

  void start() {
    thread_.start([this] { run(); });
  }
  void stop() { thread_.stop(); }
  const LoopThread& thread() const { return thread_; }

 private:
  // A question that is not answered yet.
  struct Open {
    DueValidation due;
    ValidationKind kind = ValidationKind::none;
    std::optional<int> per_minute{};  // cloudevents: asked for
    bool callback_offered = false;
    std::string plain_token{};       // challenge
    std::vector<SecretText> keys{};  // that may have made its MAC
    MonotonicTime asked_at;
  };

  void run();
  void take_answers();
  void forget_unanswered();
  void ask_due();
  void ask(const DueValidation& due, const Endpoint& endpoint);
  void ask_for_consent(Open open, const Endpoint& endpoint);
  void challenge(Open open, const Endpoint& endpoint);
  void send(Open open, HttpRequest request);
  ValidationVerdict judge(const Open& open, const AttemptOutcome& outcome) const;
  void conclude(const DueValidation& due, const ValidationVerdict& verdict);
  std::string random_text();

  Parts parts_;
  const ValidationOptions options_;
  RequestBuilder builder_;
  Backoff backoff_;
  std::optional<MonotonicTime> looked_at_;
  std::map<std::uint64_t, Open> open_;  // by tag
  LoopThread thread_;                   // last: it uses everything above
};

}  // namespace sealpost
