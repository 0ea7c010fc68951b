// What an encrypted body costs before it is signed: the box of a JSON body of 1 or 4 KiB for one
// recipient, in base64, and the JSON around it; with an ephemeral key pair for each body, and with
// one that is used again.
//
//   build/release/bench/encryption_bench
#include <benchmark/benchmark.h>

#include <string>

#include "core/encryption.h"

namespace sealpost {
namespace {

const WallTime kNow{std::chrono::seconds(1'790'000'000)};

EncryptionKey recipient() {
  return encryption_key(EncryptionKeyId("whk_01J7Z3A4B5C6D7E8F9G0H1J2KM"),
                        box_public_key(SecretText(std::string(kBoxKeyBytes, 'k'))));
}

std::string text(const benchmark::State& state) {
  return '"' + std::string(static_cast<std::size_t>(state.range(0)) - 2, 'x') + '"';
}

void box(benchmark::State& state) {
  SystemRandom random;
  const EncryptionKey key = recipient();
  const std::string plain = text(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(EphemeralBox(key.public_key, random).seal(plain, random));
  }
}

void box_with_reused_key(benchmark::State& state) {
  SystemRandom random;
  const EphemeralBox kept(recipient().public_key, random);
  const std::string plain = text(state);
  for (auto _ : state) benchmark::DoNotOptimize(kept.seal(plain, random));
}

void body(benchmark::State& state) {
  SystemRandom random;
  BodyEncryptor encryptor(random);
  const EncryptionKey keys[] = {recipient()};
  const EncryptionSettings settings{.enabled = true, .reuse_ephemeral_keys = state.range(1) == 1};
  const std::string plain = text(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(encryptor.encrypt(plain, BodyKind::json, settings, keys, kNow));
  }
}

BENCHMARK(box)->Arg(1024)->Arg(4096);
BENCHMARK(box_with_reused_key)->Arg(1024)->Arg(4096);
BENCHMARK(body)->ArgNames({"bytes", "reuse"})->Args({1024, 0})->Args({1024, 1})->Args({4096, 1});

}  // namespace
}  // namespace sealpost
