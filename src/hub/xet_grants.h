// What a client may do with Xet's storage: it asks the hub for a token of a repository, and shows it there.
#pragma once

#include <string>

#include "hub/repository.h"
#include "hub/signatures.h"

namespace bothy {

struct XetGrant {
  bool write = false;  // send xorbs and shards, ask about chunks; else read files of the repository
  int64_t repository_id = 0;
  int64_t user_id = 0;  // 0: nobody

  bool operator==(const XetGrant&) const = default;
};

// Clients ask for another one half a minute before.
inline constexpr std::chrono::minutes kXetGrantLifetime{15};

std::string SignXetGrant(const Signatures& signatures, const XetGrant& grant, Timestamp expires);
std::optional<XetGrant> OpenXetGrant(const Signatures& signatures, std::string_view token);

// Whether the repository refers to content, so that who may read the one may read the other.
Result<bool> HasContent(Database& database, int64_t repository_id, const std::string& sha256);

}  // namespace bothy
