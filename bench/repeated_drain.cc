#include "bench/repeated_drain.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "bench/payload.h"
#include "bench/wait_for.h"

namespace sealpost {
namespace {

using Monotonic = std::chrono::steady_clock;

constexpr int kTail = 20'000;  // beyond the window, so that it ends before the work does

}  // namespace

RepeatedDrain::RepeatedDrain(DurablePostgres& postgres, FastReceiver& receiver,
                             const std::filesystem::path& directory, DrainedWork work)
    : postgres_(postgres),
      receiver_(receiver),
      work_(std::move(work)),
      sealpost_(postgres, directory, work_.endpoints) {}

Measurement RepeatedDrain::measure(const std::function<void(SealpostInstallation&)>& start) {
  const NumberedEvents added{.first = events_ + 1,
                             .count = (work_.window.both() + kTail) / work_.deliveries_per_event,
                             .endpoint_sql = work_.endpoint_sql,
                             .payload_sql = kPayloadSql};
  insert_events(sealpost_.database(), added);
  events_ += added.count;
  sealpost_.database().run(
      "VACUUM (ANALYZE) sealpost.outbox, sealpost.intake, sealpost.delivery_rows");
  postgres_.checkpoint();
  const auto before = receiver_.requests();
  auto& installation = sealpost_.installation();
  const Measurement measurement = measure_window(
      work_.window, postgres_, receiver_,
      {.start = [&] { start(installation); }, .cpu = [&] { return installation.cpu(); }});
  wait_for([&] { return sealpost_.has_taken_all() && sealpost_.is_settled(); },
           std::chrono::milliseconds(50), Monotonic::now() + std::chrono::seconds(120));
  sealpost_.verify(events_ * work_.deliveries_per_event);
  if (receiver_.requests() - before != added.count * work_.deliveries_per_event) {
    throw std::runtime_error("a delivery was made twice");
  }
  return measurement;
}

}  // namespace sealpost
