// Every column that is stored encrypted (AES-256-GCM), and the context that binds a ciphertext to
// its row: one that was copied to another row does not open.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace sealpost {

struct SealedColumn {
  std::string_view table;  // in the schema sealpost; its primary key is `id`
  std::string_view column;
  std::string_view key_id_column;  // which master key; NULL where the column is NULL

  std::string context(std::string_view row_id) const {
    return std::string(table).append(".").append(column).append(".").append(row_id);
  }
};

inline constexpr SealedColumn kSealedSecret{"endpoint_secrets", "ciphertext", "key_id"};
inline constexpr SealedColumn kSealedHeaders{"endpoints", "headers", "headers_key_id"};
inline constexpr SealedColumn kSealedResponse{"response_payloads", "ciphertext", "key_id"};

// What changing the master key goes through.
inline constexpr std::array kSealedColumns{kSealedSecret, kSealedHeaders, kSealedResponse};

}  // namespace sealpost
