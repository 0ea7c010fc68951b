#include "tests/e2e/rotating_party.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/asymmetric.h"
#include "base/box.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "core/encryption_key.h"
#include "core/limits.h"
#include "core/open_body.h"

namespace sealpost {
namespace {

struct Signed {
  std::string content;
  std::vector<std::string> signatures;  // as they are written
  bool by_key_pair = false;             // base64 of Ed25519, else hex of HMAC-SHA256
  std::int64_t at = 0;                  // Unix seconds
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (std::size_t end = 0; (end = text.find(separator, from)) != std::string::npos;
       from = end + 1) {
    parts.push_back(text.substr(from, end - from));
  }
  parts.push_back(text.substr(from));
  return parts;
}

// "t=…,v1=…,v1=…,enc=…" over "t.body".
Signed read_stripe(const std::string& header, const std::string& body) {
  Signed result;
  for (const std::string& part : split(header, ',')) {
    if (part.starts_with("t=")) result.at = std::atoll(part.c_str() + 2);
    if (part.starts_with("v1=")) result.signatures.push_back(part.substr(3));
  }
  result.content = std::to_string(result.at) + '.' + body;
  return result;
}

// "v1a,… v1a,…" over "id.timestamp.body".
Signed read_standard(const LedgerEntry& request) {
  Signed result{.content = request.header("webhook-id") + '.' +
                           request.header("webhook-timestamp") + '.' + request.body,
                .signatures = {},
                .by_key_pair = true,
                .at = std::atoll(request.header("webhook-timestamp").c_str())};
  for (const std::string& item : split(request.header("webhook-signature"), ' ')) {
    if (item.starts_with("v1a,")) result.signatures.push_back(item.substr(4));
  }
  return result;
}

Signed read_signed(const std::string& profile, const LedgerEntry& request) {
  if (profile == "stripe") return read_stripe(request.header("stripe-signature"), request.body);
  if (profile == "itpay") return read_stripe(request.header("webhook-signature"), request.body);
  if (profile == "standard-asymmetric") return read_standard(request);
  Signed result{.content = request.body,
                .signatures = {},
                .at = std::atoll(request.header("x-core-timestamp").c_str())};
  const std::string only = request.header("x-core-signature");
  if (!only.empty()) result.signatures.push_back(only);
  return result;
}

bool is_by(const std::string& secret, const Signed& request, const std::string& signature) {
  if (request.by_key_pair) {
    const auto key = base64_decode(std::string_view(secret).substr(sizeof("whpk_") - 1));
    const auto bytes = base64_decode(signature);
    return key && bytes && ed25519_verify(*key, request.content, *bytes);
  }
  std::string mac;
  const std::array<std::string_view, 1> pieces{request.content};
  HmacKey(HmacAlgorithm::sha256, secret).sign(pieces, mac);
  return signature == hex_encode(mac);
}

bool is_signed_by(const std::string& secret, const Signed& request) {
  return std::any_of(
      request.signatures.begin(), request.signatures.end(),
      [&](const std::string& signature) { return is_by(secret, request, signature); });
}

std::optional<std::string> opened_by(const SecretText& key, const std::string& body) {
  const auto result = open_body(body, "", key);
  const auto* opened = std::get_if<OpenedBody>(&result);
  if (opened == nullptr) return std::nullopt;
  std::string text(opened->text.reveal());
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

bool is_primary(const SecretText& key, const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  return json.is_object() &&
         json.value("key_fingerprint", "") == key_fingerprint(box_public_key(key));
}

}  // namespace

Answer RotatingParty::answer(const LedgerEntry& request) const {
  const std::lock_guard lock(mutex_);
  const Signed got = read_signed(kind_.profile, request);
  const auto& all = got.signatures;
  if (all.empty()) return {.status = 403};
  const bool previous = kind_.holds == Holds::previous && !changed_over_ && secrets_.size() > 1;
  const std::string& secret = secrets_[secrets_.size() - (previous ? 2 : 1)].text;
  const bool good = kind_.reads == Reads::first  ? is_by(secret, got, all.front())
                    : kind_.reads == Reads::last ? is_by(secret, got, all.back())
                                                 : is_signed_by(secret, got);
  if (!good) return {.status = 403};
  return {.status = opens(request) ? 200 : 400};
}

bool RotatingParty::opens(const LedgerEntry& request) const {
  if (private_keys_.empty()) return true;
  const SecretText& key = private_keys_.back();
  if (kind_.holds == Holds::previous && !is_primary(key, request.body)) return false;
  return opened_by(key, request.body).has_value();
}

void RotatingParty::got_secret(const std::string& text, WallTime made_at) {
  const std::lock_guard lock(mutex_);
  if (secrets_.size() >= 2) {
    WallTime& end = secrets_[secrets_.size() - 2].retires_at;
    end = std::min(end, made_at + kMinSecretGrace);
  }
  secrets_.push_back({text, WallTime::max()});
}

void RotatingParty::previous_retires(WallTime at) {
  const std::lock_guard lock(mutex_);
  secrets_[secrets_.size() - 2].retires_at = at;
}

void RotatingParty::changes_over() {
  const std::lock_guard lock(mutex_);
  changed_over_ = true;
}

void RotatingParty::opens_with(const SecretText& private_key) {
  const std::lock_guard lock(mutex_);
  private_keys_.push_back(private_key);
}

bool RotatingParty::signed_with_a_valid_secret(const LedgerEntry& request) const {
  const std::lock_guard lock(mutex_);
  const Signed got = read_signed(kind_.profile, request);
  const WallTime at{std::chrono::seconds(got.at)};
  return std::any_of(secrets_.begin(), secrets_.end(), [&](const Known& secret) {
    return at <= secret.retires_at && is_signed_by(secret.text, got);
  });
}

bool RotatingParty::signed_by_the_newest_alone(const LedgerEntry& request) const {
  const std::lock_guard lock(mutex_);
  const Signed got = read_signed(kind_.profile, request);
  return got.signatures.size() == 1 && is_signed_by(secrets_.back().text, got);
}

std::optional<std::string> RotatingParty::plain_body(const LedgerEntry& request) const {
  const std::lock_guard lock(mutex_);
  if (private_keys_.empty()) return request.body;
  for (const SecretText& key : private_keys_) {
    if (auto text = opened_by(key, request.body)) return text;
  }
  return std::nullopt;
}

}  // namespace sealpost
