// The names of the API's JSON members and query parameters, all of them, each spelled once. They
// are part of the interface: schemas/openapi.yaml describes them.
#pragma once

namespace sealpost {

// Named as they are spelled, so that a reader sees at once which member is meant.
// NOLINTBEGIN(readability-identifier-naming)
struct Field {
  // Endpoints.
  static constexpr char id[] = "id";
  static constexpr char tenant[] = "tenant";
  static constexpr char url[] = "url";
  static constexpr char description[] = "description";
  static constexpr char status[] = "status";
  static constexpr char status_reason[] = "status_reason";
  static constexpr char enabled_events[] = "enabled_events";
  static constexpr char signing[] = "signing";
  static constexpr char envelope[] = "envelope";
  static constexpr char retry[] = "retry";
  static constexpr char timeout_ms[] = "timeout_ms";
  static constexpr char max_in_flight[] = "max_in_flight";
  static constexpr char headers[] = "headers";
  static constexpr char metadata[] = "metadata";
  static constexpr char secret[] = "secret";
  static constexpr char created_at[] = "created_at";
  static constexpr char updated_at[] = "updated_at";

  // Parts of an endpoint.
  static constexpr char profile[] = "profile";
  static constexpr char next_header[] = "next_header";
  static constexpr char custom[] = "custom";  // its members: core/signing_profile_json.h
  static constexpr char public_keys[] = "public_keys";
  static constexpr char preset[] = "preset";
  static constexpr char delays_seconds[] = "delays_seconds";
  static constexpr char jitter[] = "jitter";
  static constexpr char end_on[] = "end_on";
  static constexpr char retry_on[] = "retry_on";
  static constexpr char max_attempts[] = "max_attempts";
  static constexpr char disable_endpoint_on_gone[] = "disable_endpoint_on_gone";

  // Encryption of an endpoint, and receivers' keys.
  static constexpr char encryption[] = "encryption";
  static constexpr char enabled[] = "enabled";
  static constexpr char enc_header[] = "enc_header";
  static constexpr char reuse_ephemeral_keys[] = "reuse_ephemeral_keys";
  static constexpr char public_key_fingerprint[] = "public_key_fingerprint";
  static constexpr char public_key[] = "public_key";
  static constexpr char key_type[] = "key_type";
  static constexpr char fingerprint[] = "fingerprint";
  static constexpr char label[] = "label";
  static constexpr char primary[] = "primary";
  static constexpr char deleted[] = "deleted";

  // Validation of an endpoint.
  static constexpr char validation[] = "validation";
  static constexpr char kind[] = "kind";
  static constexpr char asked_at[] = "asked_at";
  static constexpr char allowed_per_minute[] = "allowed_per_minute";

  // Of an endpoint, not built yet, some of them.
  static constexpr char require_encrypted_response[] = "require_encrypted_response";
  static constexpr char rate_limit_per_second[] = "rate_limit_per_second";
  static constexpr char ordering[] = "ordering";
  static constexpr char on_dead_letter[] = "on_dead_letter";
  static constexpr char tls[] = "tls";
  static constexpr char auto_disable[] = "auto_disable";

  // Changes of an endpoint's status.
  static constexpr char reason[] = "reason";

  // Signing secrets.
  static constexpr char grace_period_seconds[] = "grace_period_seconds";
  static constexpr char force[] = "force";
  static constexpr char old_key_fingerprint[] = "old_key_fingerprint";
  static constexpr char new_key_fingerprint[] = "new_key_fingerprint";
  static constexpr char old_key_expires_at[] = "old_key_expires_at";
  static constexpr char activated_at[] = "activated_at";
  static constexpr char expires_at[] = "expires_at";

  // Events.
  static constexpr char type[] = "type";
  static constexpr char content_type[] = "content_type";
  static constexpr char ordering_key[] = "ordering_key";
  static constexpr char payload[] = "payload";
  static constexpr char payload_encoding[] = "payload_encoding";
  static constexpr char deliveries[] = "deliveries";

  // Deliveries.
  static constexpr char event_id[] = "event_id";
  static constexpr char endpoint_id[] = "endpoint_id";
  static constexpr char state[] = "state";
  static constexpr char attempt_count[] = "attempt_count";
  static constexpr char generation[] = "generation";
  static constexpr char attempts[] = "attempts";
  static constexpr char last_status_code[] = "last_status_code";
  static constexpr char next_attempt_at[] = "next_attempt_at";
  static constexpr char response_payload[] = "response_payload";
  static constexpr char response_payload_encoding[] = "response_payload_encoding";
  static constexpr char finished_at[] = "finished_at";

  // Attempts.
  static constexpr char number[] = "number";
  static constexpr char started_at[] = "started_at";
  static constexpr char duration_ms[] = "duration_ms";
  static constexpr char phases_ms[] = "phases_ms";
  static constexpr char dns[] = "dns";
  static constexpr char connect[] = "connect";
  static constexpr char tls_phase[] = "tls";
  static constexpr char first_byte[] = "first_byte";
  static constexpr char status_code[] = "status_code";
  static constexpr char error[] = "error";
  static constexpr char error_detail[] = "error_detail";
  static constexpr char remote_address[] = "remote_address";
  static constexpr char response_body[] = "response_body";
  static constexpr char response_body_encoding[] = "response_body_encoding";
  static constexpr char response_truncated[] = "response_truncated";
  static constexpr char signing_key_ids[] = "signing_key_ids";
  static constexpr char response_decrypt_failed[] = "response_decrypt_failed";
  static constexpr char receiver_error_code[] = "receiver_error_code";
  static constexpr char orphaned[] = "orphaned";

  // Lists.
  static constexpr char data[] = "data";
  static constexpr char next_cursor[] = "next_cursor";
  static constexpr char limit[] = "limit";
  static constexpr char cursor[] = "cursor";
  static constexpr char created_after[] = "created_after";
  static constexpr char created_before[] = "created_before";
};
// NOLINTEND(readability-identifier-naming)

}  // namespace sealpost
