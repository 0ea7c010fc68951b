// What one request costs before it reaches the network: envelope, headers and signature, per
// signing profile, for a payload of 1 KiB. RequestBuilder is the whole; Signer is the part that
// grows with secrets; OpenSSL is what the primitives alone cost, for a ratio.
//
//   build/release/bench/signing_bench --benchmark_repetitions=9
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
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
  const std::string url = "https://merchant.example.com/webhooks";
  const Signer signer(profile, {secret(profile)}, url);
  SystemRandom random;
  SigningTools tools(random);
  const std::string body = payload();
  const SigningInput input{.message_id = "evt_01J7Z3A4B5C6D7E8F9G0H1J2KM",
                           .event_type = "invoice.paid",
                           .idempotency_key = "wh_evt_01J7Z3A4B5C6D7E8F9G0H1J2KM-retry-1",
                           .url = url,
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

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// The quickest way that OpenSSL 3.0 has: one context, given another key each time.
void bare_hmac(benchmark::State& state) {
  const std::unique_ptr<EVP_MAC, void (*)(EVP_MAC*)> method(EVP_MAC_fetch(nullptr, "HMAC", nullptr),
                                                            EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, void (*)(EVP_MAC_CTX*)> context(EVP_MAC_CTX_new(method.get()),
                                                                     EVP_MAC_CTX_free);
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  const std::string key(46, 'k');
  const std::string body = payload();
  EVP_MAC_init(context.get(), bytes_of(key), key.size(), parameters.data());
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  for (auto _ : state) {
    std::size_t length = 0;
    EVP_MAC_init(context.get(), bytes_of(key), key.size(), nullptr);
    EVP_MAC_update(context.get(), bytes_of(body), body.size());
    if (EVP_MAC_final(context.get(), mac.data(), &length, mac.size()) != 1) {
      state.SkipWithError("OpenSSL refuses");
    }
    benchmark::DoNotOptimize(mac);
  }
}

void bare_sha256(benchmark::State& state) {
  const std::unique_ptr<EVP_MD, void (*)(EVP_MD*)> method(EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                                          EVP_MD_free);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  const std::string body = payload();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  for (auto _ : state) {
    EVP_DigestInit_ex2(context.get(), method.get(), nullptr);
    EVP_DigestUpdate(context.get(), body.data(), body.size());
    if (EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
      state.SkipWithError("OpenSSL refuses");
    }
    benchmark::DoNotOptimize(digest);
  }
}

const bool kRegistered = [] {
  benchmark::RegisterBenchmark("OpenSSL/hmac-sha256", bare_hmac);
  benchmark::RegisterBenchmark("OpenSSL/sha256", bare_sha256);
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
