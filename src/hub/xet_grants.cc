#include "hub/xet_grants.h"

#include <fmt/format.h>

#include <charconv>

namespace bothy {
namespace {

constexpr std::string_view kPurpose = "xet grant";

}  // namespace

std::string SignXetGrant(const Signatures& signatures, const XetGrant& grant, Timestamp expires) {
  return signatures.Sign(kPurpose, fmt::format("{}-{}-{}", grant.write ? 'w' : 'r', grant.repository_id, grant.user_id),
                         expires);
}

std::optional<XetGrant> OpenXetGrant(const Signatures& signatures, std::string_view token) {
  const auto text = signatures.Open(kPurpose, token);
  if (!text || text->size() < 4) return std::nullopt;
  XetGrant grant = {.write = text->front() == 'w'};
  const char* end = text->data() + text->size();
  const auto [dash, error] = std::from_chars(text->data() + 2, end, grant.repository_id);
  if (error != std::errc() || dash == end) return std::nullopt;
  std::from_chars(dash + 1, end, grant.user_id);
  return grant;
}

Result<bool> HasContent(Database& database, int64_t repository_id, const std::string& sha256) {
  return database.Read([&](Transaction& t) -> Result<bool> {
    return TRY(t.QueryOne<int64_t>(
                   "SELECT repository_id FROM repository_content WHERE repository_id = $1 AND sha256 = $2",
                   repository_id, sha256))
        .has_value();
  });
}

}  // namespace bothy
