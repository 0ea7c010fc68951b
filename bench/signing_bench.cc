// What one request costs before it reaches the network: envelope, headers and signature, per
// signing profile, for a payload of 1 KiB. RequestBuilder is the whole; Signer is the part that
// grows with secrets.
//
//   build/release/bench/signing_bench
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "core/signing_secret.h"
#include "core/webhook_request.h"

namespace sealpost {
namespace {

constexpr std::size_t kPayloadBytes = 1024;
const WallTime kNow{std::chrono::seconds(1'790'000'000)};

std::string payload() {
  const std::string start = R"({"pad":")", end = R"("})";
  return start + std::string(kPayloadBytes - start.size() - end.size(), 'x') + end;
}

SecretText secret(const SigningProfile& profile) {
  SystemRandom random;
  return new_signing_secret(profile, random);
}

LeasedDelivery delivery() {
  LeasedDelivery made;
  made.id = DeliveryId("dlv_01J7Z3A4B5C6D7E8F9G0H1J2KM");
  made.endpoint_id = EndpointId("we_01J7Z3A4B5C6D7E8F9G0H1J2KM");
  made.event = std::make_shared<const Event>(Event{.id = EventId("evt_01J7Z3A4B5C6D7E8F9G0H1J2KM"),
                                                   .tenant = "default",
                                                   .type = "invoice.paid",
                                                   .payload = payload(),
                                                   .payload_is_json = true,
                                                   .content_type = "application/json",
                                                   .ordering_key = "",
                                                   .created_at = kNow});
  return made;
}

std::shared_ptr<const PreparedEndpoint> endpoint(const SigningProfile& profile) {
  Endpoint made;
  made.id = EndpointId("we_01J7Z3A4B5C6D7E8F9G0H1J2KM");
  made.settings.url = "https://merchant.example.com/webhooks";
  made.settings.signing_profile = profile.name;
  made.settings.envelope = envelope_from_text(profile.default_envelope).value();
  made.secrets.push_back(secret(profile));
  return prepare(std::move(made));
}

void build_request(benchmark::State& state, const std::string& name) {
  const auto to = endpoint(signing_preset(name).value());
  const auto of = delivery();
  SystemRandom random;
  RequestBuilder builder(random);
  for (auto _ : state) {
    auto request = builder.build(of, *to, kNow);
    if (!std::holds_alternative<HttpRequest>(request))
      state.SkipWithError("the request is refused");
    benchmark::DoNotOptimize(request);
  }
}

void sign(benchmark::State& state, const std::string& name) {
  const auto profile = signing_preset(name).value();
  const Signer signer(profile, {secret(profile)});
  SystemRandom random;
  SigningTools tools(random);
  const std::string body = payload();
  const SigningInput input{.message_id = "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM",
                           .event_type = "invoice.paid",
                           .idempotency_key = "wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-1",
                           .url = "https://merchant.example.com/webhooks",
                           .content_type = "application/json",
                           .body = body,
                           .time = kNow,
                           .attempt_number = 1};
  std::vector<Header> headers;
  for (auto _ : state) {
    headers.clear();
    signer.sign(input, tools, headers);
    benchmark::DoNotOptimize(headers);
  }
}

const bool kRegistered = [] {
  for (const auto name : signing_preset_names()) {
    const std::string text(name);
    if (signing_preset(name)->algorithm != SignatureAlgorithm::none) {
      benchmark::RegisterBenchmark(("Signer/" + text).c_str(), sign, text);
    }
    benchmark::RegisterBenchmark(("RequestBuilder/" + text).c_str(), build_request, text);
  }
  return true;
}();

}  // namespace
}  // namespace sealpost
