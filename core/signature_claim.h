// What a received request claims about itself, read by a profile's templates the other way round:
// {ts}, {id}, {nonce} and the signatures are taken out of its headers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/compiled_profile.h"
#include "core/verify.h"

namespace sealpost {

std::string lower_case(std::string_view text);
// Empty if the request has no such header.
std::string_view header_value(const ReceivedRequest& request, std::string_view name);

struct ClaimedSignature {
  SignatureAlgorithm algorithm;
  VariableValues values;  // {sig}, and everything that stands beside it or is known
};

// Holds views: profile and request must outlive it.
class SignatureClaim {
 public:
  SignatureClaim(const CompiledProfile& profile, const ReceivedRequest& request);
  SignatureClaim(const SignatureClaim&) = delete;
  SignatureClaim& operator=(const SignatureClaim&) = delete;

  const CompiledProfile& profile() const { return profile_; }
  const VariableValues& values() const { return values_; }
  const std::vector<ClaimedSignature>& signatures() const { return signatures_; }

  // True if the signature header is written in this profile's way.
  bool fits() const;
  // One sentence if the URL is signed and not known, or does not carry the body's digest that it
  // should. Empty if there is no such problem.
  std::string url_problem() const;

 private:
  void read_headers(const ReceivedRequest& request);
  void read_signatures(const ReceivedRequest& request);
  void read_list(std::string_view text, VariableValues& values, const ReceivedRequest& request);
  std::vector<VariableValues> read_inputs(const ReceivedRequest& request);
  void read_signature(std::string_view part, const VariableValues& known);

  const CompiledProfile& profile_;
  std::optional<std::string> form_;
  std::string digest_hex_;
  std::string digest_base64_;
  std::string host_room_;
  VariableValues values_;
  std::vector<ClaimedSignature> signatures_;
};

}  // namespace sealpost
