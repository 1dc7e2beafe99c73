#include "hub/repository_list.h"

#include <algorithm>
#include <charconv>

#include "hub/names.h"
#include "hub/repository_rows.h"
#include "hub/rights.h"

namespace bothy {
namespace {

// What LIKE finds where `text` stands anywhere.
std::string Anywhere(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "%";
}

bool ParseWhole(std::string_view text, int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<RepositoryListCursor> RepositoryListCursor::Parse(std::string_view text) {
  const size_t dot = text.find('.');
  int64_t time = 0, id = 0;
  if (dot == std::string_view::npos || !ParseWhole(text.substr(0, dot), time) ||
      !ParseWhole(text.substr(dot + 1), id)) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\" is no cursor that was given out here", text.substr(0, 100));
  }
  return RepositoryListCursor{Timestamp(Timestamp::duration(time)), id};
}

std::string RepositoryListCursor::ToString() const {
  return fmt::format("{}.{}", updated_at.time_since_epoch().count(), id);
}

Result<std::vector<Repository>> ListRepositories(Database& database, const Actor& actor, const RepositoryQuery& query) {
  Statement statement = SelectRepositories(actor);
  AddSeen(actor, statement);
  if (query.kind) statement.Add(" AND repositories.kind = $1", KindName(*query.kind));
  if (!query.owner.empty()) statement.Add(" AND namespaces.key = $1", NameKey(query.owner));
  if (!query.search.empty()) {
    statement.Add(" AND namespaces.key || '/' || repositories.key LIKE $1 ESCAPE '!'", Anywhere(NameKey(query.search)));
  }
  if (query.after) {
    statement.Add(" AND (repositories.updated_at < $1 OR (repositories.updated_at = $1 AND repositories.id < $2))",
                  query.after->updated_at, query.after->id);
  }
  statement.Add(" ORDER BY repositories.updated_at DESC, repositories.id DESC LIMIT $1",
                std::clamp<int64_t>(query.limit, 1, RepositoryQuery::kMaxLimit));
  auto found = TRY(database.Read([&](Transaction& t) { return QueryRepositories(t, statement); }));
  std::vector<Repository> repositories;
  repositories.reserve(found.size());
  for (FoundRepository& one : found) repositories.push_back(std::move(one.repository));
  return repositories;
}

}  // namespace bothy
