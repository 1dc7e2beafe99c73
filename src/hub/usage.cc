#include "hub/usage.h"

#include <fmt/format.h>

#include "base/human.h"
#include "hub/namespaces.h"

namespace bothy {
namespace {

constexpr int64_t kPage = 1000;                              // namespaces at once
constexpr std::string_view kDefaultQuota = "default_quota";  // in the table meta

Result<std::optional<int64_t>> ReadDefaultQuota(Transaction& t) {
  const auto value = TRY(t.QueryOne<std::string>("SELECT value FROM meta WHERE name = $1", kDefaultQuota));
  if (!value) return std::nullopt;
  return TRY(ParseBytes(*value));
}

Result<std::optional<int64_t>> ReadQuota(Transaction& t, int64_t namespace_id) {
  const auto own =
      TRY(t.QueryOne<std::optional<int64_t>>("SELECT bytes FROM quotas WHERE namespace_id = $1", namespace_id));
  return own ? *own : TRY(ReadDefaultQuota(t));
}

Result<NamespaceUsage> ReadUsage(Transaction& t, int64_t id, std::string name) {
  const auto row = TRY((t.QueryOne<int64_t, int64_t, int64_t, int64_t>(
      "SELECT COUNT(*), CAST(COALESCE(SUM(large_files), 0) AS BIGINT), CAST(COALESCE(SUM(large_bytes), 0) AS BIGINT),"
      " CAST(COALESCE(SUM(git_bytes), 0) AS BIGINT)"
      " FROM repositories LEFT JOIN repository_usage ON repository_usage.repository_id = repositories.id"
      " WHERE repositories.namespace_id = $1",
      id)));
  const auto& [repositories, large_files, large_bytes, git_bytes] = *row;
  return NamespaceUsage{.name = std::move(name),
                        .repositories = repositories,
                        .usage = {.large_files = large_files, .large_bytes = large_bytes, .git_bytes = git_bytes},
                        .quota = TRY(ReadQuota(t, id))};
}

Result<void> CheckQuotaIn(Transaction& t, int64_t namespace_id, int64_t more) {
  if (more <= 0) return {};
  const auto quota = TRY(ReadQuota(t, namespace_id));
  if (!quota) return {};
  const int64_t used = TRY(ReadUsage(t, namespace_id, {})).usage.bytes();
  if (used <= *quota && more <= *quota - used) return {};
  const auto human = [](int64_t bytes) { return HumanBytes(static_cast<uint64_t>(bytes)); };
  const auto owner = TRY(t.QueryOne<std::string>("SELECT name FROM namespaces WHERE id = $1", namespace_id));
  return Fail(ErrorCode::kPermissionDenied,
              "Storage limit reached: the repositories of {} take {} of {}{}. Delete repositories or large files that "
              "are not needed, or ask an administrator of this hub for more",
              owner.value_or(""), human(used), human(*quota),
              used < *quota ? fmt::format(", and this would add {}", human(more)) : "");
}

Result<Namespace> NeedNamespace(Transaction& t, std::string_view name) {
  auto found = TRY(FindNamespace(t, name));
  if (!found) return Fail(ErrorCode::kNotFound, "there is no user or organization \"{}\"", name);
  return *std::move(found);
}

}  // namespace

Result<Usage> UsageOf(Database& database, const Repository& repository) {
  return database.Read([&](Transaction& t) -> Result<Usage> {
    const auto row = TRY((t.QueryOne<int64_t, int64_t, int64_t>(
        "SELECT large_files, large_bytes, git_bytes FROM repository_usage WHERE repository_id = $1", repository.id)));
    if (!row) return Usage();
    return Usage{.large_files = std::get<0>(*row), .large_bytes = std::get<1>(*row), .git_bytes = std::get<2>(*row)};
  });
}

Result<NamespaceUsage> UsageOfNamespace(Database& database, std::string_view name) {
  return database.Read([&](Transaction& t) -> Result<NamespaceUsage> {
    Namespace found = TRY(NeedNamespace(t, name));
    return ReadUsage(t, found.id, std::move(found.name));
  });
}

Result<void> ForEachNamespaceUsage(Database& database, const std::function<Result<void>(const NamespaceUsage&)>& use) {
  for (int64_t last = 0;;) {
    std::vector<NamespaceUsage> page;
    TRY(database.Read([&](Transaction& t) -> Result<void> {
      page.clear();
      auto rows = TRY((t.Query<int64_t, std::string>(
          "SELECT id, name FROM namespaces WHERE id > $1 ORDER BY id LIMIT $2", last, kPage)));
      for (auto& [id, name] : rows) {
        page.push_back(TRY(ReadUsage(t, id, std::move(name))));
        last = id;
      }
      return {};
    }));
    if (page.empty()) return {};
    for (const NamespaceUsage& one : page) TRY(use(one));
  }
}

Result<void> SetQuota(Database& database, std::string_view namespace_name, const Quota& quota) {
  return database.Write([&](Transaction& t) -> Result<void> {
    const int64_t id = TRY(NeedNamespace(t, namespace_name)).id;
    TRY(t.Execute("DELETE FROM quotas WHERE namespace_id = $1", id));
    if (quota.kind == Quota::Kind::kDefault) return {};
    const auto bytes = quota.kind == Quota::Kind::kBytes ? std::optional(quota.bytes) : std::nullopt;
    TRY(t.Execute("INSERT INTO quotas (namespace_id, bytes) VALUES ($1, $2)", id, bytes));
    return {};
  });
}

Result<void> SetDefaultQuota(Database& database, std::optional<int64_t> bytes) {
  return database.Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("DELETE FROM meta WHERE name = $1", kDefaultQuota));
    if (!bytes) return {};
    TRY(t.Execute("INSERT INTO meta (name, value) VALUES ($1, $2)", kDefaultQuota, std::to_string(*bytes)));
    return {};
  });
}

Result<std::optional<int64_t>> DefaultQuota(Database& database) { return database.Read(ReadDefaultQuota); }

Result<void> CheckQuota(Database& database, int64_t namespace_id, int64_t more) {
  return database.Read([&](Transaction& t) { return CheckQuotaIn(t, namespace_id, more); });
}

Result<void> AddUsage(Transaction& t, const Repository& repository, const Usage& more) {
  TRY(CheckQuotaIn(t, repository.owner_id, more.bytes()));
  TRY(
      t.Execute("INSERT INTO repository_usage (repository_id, large_files, large_bytes, git_bytes, measured_bytes)"
                " VALUES ($1, $2, $3, $4, -1) ON CONFLICT (repository_id) DO UPDATE SET"
                " large_files = repository_usage.large_files + excluded.large_files,"
                " large_bytes = repository_usage.large_bytes + excluded.large_bytes,"
                " git_bytes = repository_usage.git_bytes + excluded.git_bytes",
                repository.id, more.large_files, more.large_bytes, more.git_bytes));
  return {};
}

Result<void> CountLargeFiles(Transaction& t, const Repository& repository) {
  TRY(
      t.Execute("INSERT INTO repository_usage (repository_id, large_files, large_bytes, git_bytes, measured_bytes)"
                " SELECT $1, COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT), 0, -1 FROM repository_content"
                " WHERE repository_id = $1 ON CONFLICT (repository_id) DO UPDATE SET"
                " large_files = excluded.large_files, large_bytes = excluded.large_bytes",
                repository.id));
  return {};
}

}  // namespace bothy
