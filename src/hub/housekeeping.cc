#include "hub/housekeeping.h"

namespace bothy {
namespace {

constexpr int64_t kPage = 4096;  // rows at once

}  // namespace

Result<content::Collected> CollectContent(Hub& hub, std::chrono::seconds age) {
  std::string last;
  const auto next = [&]() -> Result<std::vector<Digest256>> {
    const auto rows = TRY(hub.database().Read([&](Transaction& t) {
      return t.Query<std::string>(
          "SELECT DISTINCT sha256 FROM repository_content WHERE sha256 > $1 ORDER BY sha256 LIMIT $2", last, kPage);
    }));
    std::vector<Digest256> referred;
    referred.reserve(rows.size());
    for (const std::string& sha256 : rows) referred.push_back(TRY(ParseSha256(sha256)));
    if (!rows.empty()) last = rows.back();
    return referred;
  };
  return hub.content().Collect(next, age);
}

}  // namespace bothy
