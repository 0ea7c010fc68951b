// Every limit of the program, with its reason, in one place. Relations between limits are checked
// below, so that nobody can change one and forget the other.
#pragma once

#include <chrono>
#include <cstddef>

namespace sealpost {

// --- what producers and operators may hand in -------------------------------------------------
inline constexpr std::size_t kMaxPayloadBytes = 1 << 20;  // checked by the outbox table as well
inline constexpr std::size_t kMaxEventTypeLength = 128;
inline constexpr std::size_t kMaxTenantLength = 128;
inline constexpr std::size_t kMaxUrlLength = 2048;
inline constexpr std::size_t kMaxEnabledEvents = 100;  // patterns per endpoint
inline constexpr std::size_t kMaxStaticHeaders = 32;
inline constexpr std::size_t kMaxHeaderValueLength = 4096;  // nginx and Apache accept 8 KiB a line
// What enc= carries at most: "auto" keeps well below what Node.js takes for all headers (16 KiB),
// "full" goes to what Apache takes for one line (8,190 bytes with name and signatures).
inline constexpr std::size_t kMaxAutomaticEnc = 4096;
inline constexpr std::size_t kMaxFullEnc = 7'800;
inline constexpr std::size_t kMaxOwnHeaderValueLength = 8'150;
inline constexpr std::size_t kMaxEncryptionKeys = 4;  // active at once; each is a copy of the body
inline constexpr std::size_t kMaxKeyLabelLength = 100;
inline constexpr std::size_t kMaxDescriptionLength = 1000;
inline constexpr std::size_t kMaxStatusReasonLength = 500;
inline constexpr std::size_t kMaxMetadataEntries = 50;  // for people and their tools, not for data
inline constexpr std::size_t kMaxMetadataKeyLength = 64;
inline constexpr std::size_t kMaxMetadataValueLength = 500;
inline constexpr std::size_t kMinGivenSecretLength =
    16;  // below that, a MAC can be guessed offline
inline constexpr std::size_t kMaxGivenSecretLength = 256;
inline constexpr std::chrono::seconds kMaxSecretGrace{7 * 86'400};
inline constexpr std::chrono::seconds kDefaultSecretGrace{86'400};
// How long a secret stays valid after it was told to retire at once (core/secret_store.h).
inline constexpr std::chrono::seconds kMinSecretGrace{5};
// Public keys: how long verifiers may keep the published set, how old it may be when they fetch it,
// and so how long a new key is published before it signs.
inline constexpr std::chrono::seconds kKeySetLifetime{300};
inline constexpr std::chrono::seconds kMaxKeySetAge{5};
inline constexpr std::chrono::seconds kKeyPublishedBeforeUse = kKeySetLifetime + kMaxKeySetAge;
inline constexpr int kKeptSecrets = 10;  // per endpoint, retired ones included
inline constexpr std::size_t kMaxRetryDelays = 50;
inline constexpr std::chrono::hours kMaxRetryDelay{24 * 7};
inline constexpr std::size_t kMaxApiBodyBytes = 2 << 20;  // one payload and room for JSON around it

// --- one request ------------------------------------------------------------------------------
inline constexpr std::chrono::milliseconds kMinRequestTimeout{1'000};
inline constexpr std::chrono::milliseconds kMaxRequestTimeout{60'000};
inline constexpr std::chrono::milliseconds kDefaultRequestTimeout{15'000};
inline constexpr std::chrono::milliseconds kConnectTimeout{5'000};
inline constexpr std::chrono::milliseconds kResponseBodyTime{2'000};  // after the headers
inline constexpr std::size_t kReadResponseBytes = 64 << 10;  // then the connection is closed
inline constexpr std::size_t kReadHeaderBytes = 64 << 10;    // interim (1xx) responses included
inline constexpr std::size_t kStoredResponseBytes = 4 << 10;
// An encrypted answer, as it is sent, must be shorter: all that is read of any answer, so nobody's
// connection is kept for longer. Nearly 48 KiB of text; a reply, not a download. In memory until
// its result is written: 64 MiB with 1,024 requests in flight.
inline constexpr std::size_t kMaxSealedResponse = kReadResponseBytes;
inline constexpr std::chrono::seconds kConnectionLifetime{300};  // certificates and DNS do change
inline constexpr std::chrono::seconds kConnectionIdle{60};  // many servers end them then or later
// Sets that receivers' origins are spread over, each with its kept connections and eight TLS
// sessions (25 from libcurl 8.12 on). A session is some 5 KiB with a short chain of certificates,
// so 10 MiB with 2,000 receivers.
inline constexpr std::size_t kReceiverShares = 256;
inline constexpr int kRequestsPerShare = 128;  // in flight; then the next set is used as well
// After every request libcurl looks through all the names that it remembers, so they should be few.
// Only new connections ask for a name, and a burst to one host asks once.
inline constexpr std::chrono::seconds kNameLifetime{2};
inline constexpr std::chrono::hours kAuthoritiesLifetime{1};  // then their file is read again
inline constexpr std::chrono::hours kMaxRetryAfter{24};

// --- one dispatcher ---------------------------------------------------------------------------
// A request is in flight until its result is written: what a crash may repeat, and what memory
// holds when the database stalls, are both bounded by it.
inline constexpr int kDefaultMaxInFlight = 1024;     // requests at once, all endpoints
inline constexpr int kLargestMaxInFlight = 20'000;   // each is a socket, and file descriptors end
inline constexpr int kDefaultEndpointInFlight = 64;  // requests at once, one endpoint
inline constexpr int kMaxEndpointInFlight = 1000;
inline constexpr double kMinRateLimit =
    0.001;  // requests per second, one endpoint: 1 in 17 minutes
inline constexpr double kMaxRateLimit = 100'000;
inline constexpr int kIntakeEvents = 1000;                   // events per intake statement
inline constexpr int kFinishBatch = 1000;                    // results per finish statement
inline constexpr std::chrono::milliseconds kFinishDelay{3};  // how long a result waits for company
// The same while many come: until there are kFinishBatch, or no slot is free. Several dispatchers
// on one database each have fewer, and a statement costs 1 ms beside 15 us per result: four of them
// wrote 240 at a time with 40 ms.
inline constexpr std::chrono::milliseconds kBusyFinishDelay{100};
// The same while tenants with few events wait beside a backlog: everybody's statements and commits
// wait behind those for hundreds of results (decision 12).
inline constexpr int kFinishBatchBesideOthers = 60;
inline constexpr std::chrono::milliseconds kFinishDelayBesideOthers{6};
// A crash makes its successor look at every member of the batches that are left: 1 us each.
inline constexpr std::chrono::seconds kBatchAge{10};
// Leased and not started, all endpoints: an event for ten thousand of them, while another one is
// being sent. Payloads have a bound of their own below.
inline constexpr int kMaxQueued = 32'768;
inline constexpr int kMaxQueuedPerEndpoint = 1'024;  // leased and not started, one endpoint
// Fanned out for another dispatcher that has not picked them up yet; they are in the store only. It
// may have more endpoints than others, and what goes beyond gets rows of its own, at twice the
// price: with 32,768, four dispatchers on two cores let up to 15 % of a backlog come to that.
inline constexpr int kMaxHandedOver = 4 * kMaxQueued;
// Handovers of so many deliveries do not wait until there is less than enough to do: they may have
// been taken out of turn. The statement that picks them up has this number, too.
inline constexpr int kSmallHandover = 64;
inline constexpr std::size_t kMaxQueuedBytes = 128 << 20;  // payloads held in memory
// Endpoints made ready for sending; those in use are kept beyond it. One of the usual kind takes 4
// KiB, so 16,000 are remembered; another one costs its share of a statement that loads it.
inline constexpr std::size_t kMaxCachedEndpointBytes = 64 << 20;
inline constexpr std::size_t kMaxLanes =
    20'000;  // beyond, those without work are forgotten at once
// Endpoints with waiting deliveries, and our own retries: hints about what a look into the store
// finds as well. 100 bytes each.
inline constexpr std::size_t kMaxWaitingEndpoints = 10'000;
inline constexpr std::size_t kMaxRememberedRetries = 10'000;
// Endpoints without work here that take none (paused, circuit open): named to every intake
// statement.
inline constexpr std::size_t kMaxClosedEndpoints = 2'000;

// A dispatcher looks for changed endpoints every second; it sends nothing when it could not for
// this long.
inline constexpr std::chrono::milliseconds kEndpointsTrusted{4'000};

static_assert(kEndpointsTrusted + std::chrono::milliseconds{500} < kMinSecretGrace,
              "a secret must not retire before every dispatcher has learned of the next one");
static_assert(kMaxQueuedPerEndpoint < kMaxQueued,
              "one endpoint must not be able to fill the queue");
static_assert(kStoredResponseBytes <= kReadResponseBytes, "cannot store what was not read");

}  // namespace sealpost
