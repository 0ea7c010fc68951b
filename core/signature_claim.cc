#include "core/signature_claim.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "core/form.h"

namespace sealpost {
namespace {

constexpr Variable kUrlVariables[] = {Variable::url, Variable::scheme, Variable::host,
                                      Variable::path, Variable::query};

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (!separator.empty()) {
    const size_t end = text.find(separator);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + separator.size());
  }
  parts.push_back(text);
  return parts;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::string_view header_value(const ReceivedRequest& request, std::string_view name) {
  const auto found = request.headers.find(lower_case(name));
  return found == request.headers.end() ? std::string_view{} : std::string_view(found->second);
}

SignatureClaim::SignatureClaim(const CompiledProfile& profile, const ReceivedRequest& request)
    : profile_(profile) {
  const std::string digest = sha256(request.body);
  digest_hex_ = hex_encode(digest);
  digest_base64_ = base64_encode(digest);
  values_.set(Variable::body, request.body);
  values_.set(Variable::body_sha256_hex, digest_hex_);
  values_.set(Variable::body_sha256_base64, digest_base64_);
  if (profile.content.uses(Variable::form_sorted)) form_ = sorted_form(request.body);
  if (form_) values_.set(Variable::form_sorted, *form_);
  values_.set(Variable::method, "POST");
  values_.set(Variable::lf, "\n");
  values_.set(Variable::content_type, header_value(request, "content-type"));
  if (!request.url.empty()) values_.set_url(request.url, host_room_);
  read_headers(request);
  read_signatures(request);
}

bool SignatureClaim::fits() const {
  const auto has = [this](SignatureAlgorithm algorithm) {
    return std::any_of(signatures_.begin(), signatures_.end(),
                       [&](const auto& signature) { return signature.algorithm == algorithm; });
  };
  const bool needs_both = !profile_.profile.ed25519_item.empty();
  return has(profile_.profile.algorithm) && (!needs_both || has(SignatureAlgorithm::ed25519));
}

std::string SignatureClaim::url_problem() const {
  const bool is_signed = std::any_of(std::begin(kUrlVariables), std::end(kUrlVariables),
                                     [this](Variable v) { return profile_.content.uses(v); });
  if (!is_signed) return "";
  if (!values_.has(Variable::url)) {
    return fmt::format("the profile {} signs the URL, which is not known here; give it",
                       profile_.profile.name);
  }
  std::string query;
  profile_.url_query.append_to(query, values_);
  if (values_.get(Variable::url).ends_with(query)) return "";
  return fmt::format("the URL does not end with {}: the body was changed on its way", query);
}

void SignatureClaim::read_headers(const ReceivedRequest& request) {
  for (const auto& [name, value] : profile_.headers) {
    std::string_view text = header_value(request, name);
    VariableValues read = values_;
    if (!text.empty() && value.take_from(text, read) && text.empty()) values_ = read;
  }
}

void SignatureClaim::read_signatures(const ReceivedRequest& request) {
  const SigningProfile& profile = profile_.profile;
  VariableValues next = values_;
  read_list(header_value(request, profile.signature_header), values_, request);
  if (profile.many_signatures) return;
  // A sender may put the other secret's signature there, whatever else the profile says.
  const std::string name = profile.signature_header + std::string(kNextHeaderSuffix);
  const std::string_view other = header_value(request, name);
  if (!other.empty()) read_list(other, next, request);
}

void SignatureClaim::read_list(std::string_view text, VariableValues& values,
                               const ReceivedRequest& request) {
  const SigningProfile& profile = profile_.profile;
  if (!profile_.prefix.take_from(text, values)) return;
  std::vector<VariableValues> inputs{values};
  if (!profile.input_header.empty()) inputs = read_inputs(request);
  const std::string_view join = profile.many_signatures ? profile.join : std::string_view{};
  for (const std::string_view part : split(text, join)) {
    for (const VariableValues& input : inputs) read_signature(part, input);
  }
}

std::vector<VariableValues> SignatureClaim::read_inputs(const ReceivedRequest& request) {
  std::vector<VariableValues> inputs;
  const std::string_view list = header_value(request, profile_.profile.input_header);
  for (std::string_view part : split(list, profile_.profile.join)) {
    VariableValues read = values_;
    if (profile_.input_item.take_from(part, read) && part.empty()) inputs.push_back(read);
  }
  return inputs;
}

void SignatureClaim::read_signature(std::string_view part, const VariableValues& known) {
  const auto read_as = [&](const SigningTemplate& item, SignatureAlgorithm algorithm) {
    VariableValues read = known;
    std::string_view rest = part;
    if (item.take_from(rest, read) && rest.empty()) signatures_.push_back({algorithm, read});
  };
  read_as(profile_.item, profile_.profile.algorithm);
  if (profile_.profile.ed25519_item.empty()) return;
  read_as(profile_.ed25519_item, SignatureAlgorithm::ed25519);
}

}  // namespace sealpost
