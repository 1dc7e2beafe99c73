// Lists of repositories: of all that there is to see, and of one's own with what they use.
#include "hub/repository_list.h"

#include <algorithm>

#include "api/hf/entry_json.h"
#include "api/hf/paging.h"
#include "api/route.h"
#include "hub/namespaces.h"
#include "hub/object_id.h"
#include "hub/usage.h"

namespace bothy::api {
namespace {

constexpr int64_t kUsualPage = 100;

Result<RepositoryQuery> ReadQuery(const Call& call) {
  RepositoryQuery query = {.limit = TRY(PositiveParameter(call, "limit", kUsualPage))};
  query.limit = std::min(query.limit, RepositoryQuery::kMaxLimit);
  if (const auto cursor = call.Query("cursor"); !cursor.empty()) query.after = TRY(RepositoryListCursor::Parse(cursor));
  return query;
}

void AddNext(const Call& call, const RepositoryQuery& query, const std::vector<Repository>& page, Response& response) {
  if (!std::cmp_equal(page.size(), query.limit)) return;
  AddNextPage(call, query.limit, RepositoryListCursor{page.back().updated_at, page.back().id}.ToString(), response);
}

// What would narrow the list or order it otherwise, and is not known here: an answer without it would be a wrong one.
Result<void> CheckParameters(const Call& call) {
  for (const std::string_view name : {"filter", "pipeline_tag", "num_parameters", "inference", "inference_provider",
                                      "apps", "gated", "linked", "datasets", "models", "trained_dataset"}) {
    if (!call.query.Has(name)) continue;
    return Fail(ErrorCode::kUnimplemented,
                "lists cannot be narrowed by \"{}\" here; there are \"author\" and \"search\"", name);
  }
  const std::string_view sort = call.Query("sort");
  // Nobody counts downloads and likes: all are equal by them.
  for (const std::string_view known :
       {"", "lastModified", "last_modified", "downloads", "likes", "likes7d", "trendingScore", "trending_score"}) {
    if (sort == known) return {};
  }
  return Fail(ErrorCode::kUnimplemented, "lists are not sorted by \"{}\" here; there is \"lastModified\"",
              sort.substr(0, 100));
}

json::object Describe(const Repository& repository) {
  json::object entry = {{"_id", ObjectId(repository.id)},
                        {"id", repository.FullName()},
                        {"author", repository.owner},
                        {"private", repository.is_private},
                        {"gated", GatedJson(repository.gating)},
                        {"disabled", repository.disabled},
                        {"createdAt", FormatTime(repository.created_at)},
                        {"lastModified", FormatTime(repository.updated_at)},
                        {"downloads", 0},
                        {"likes", 0},
                        {"tags", json::array()}};
  if (repository.kind == RepositoryKind::kModel) entry["modelId"] = repository.FullName();
  return entry;
}

template <RepositoryKind kind>
Result<Response> List(Call& call) {
  TRY(CheckParameters(call));
  RepositoryQuery query = TRY(ReadQuery(call));
  query.kind = kind;
  query.owner = call.Query("author");
  query.search = call.Query("search");
  const auto page = TRY(ListRepositories(call.hub().database(), call.actor, query));
  json::array list;
  for (const Repository& repository : page) list.push_back(Describe(repository));
  Response response = Json(list);
  AddNext(call, query, page, response);
  return response;
}

// huggingface_hub 2.4.0, list_user_repos.
Result<Response> ListWithStorage(Call& call, const std::string& owner) {
  RepositoryQuery query = TRY(ReadQuery(call));
  query.owner = owner;
  const auto page = TRY(ListRepositories(call.hub().database(), call.actor, query));
  json::array list;
  for (const Repository& repository : page) {
    list.push_back(json::object{{"id", repository.FullName()},
                                {"type", KindName(repository.kind)},
                                {"updatedAt", FormatTime(repository.updated_at)},
                                {"visibility", repository.is_private ? "private" : "public"},
                                {"storage", TRY(UsageOf(call.hub().database(), repository)).bytes()},
                                {"storagePercent", nullptr}});
  }
  Response response = Json(list);
  AddNext(call, query, page, response);
  return response;
}

Result<Response> ListOwn(Call& call) {
  if (auto refusal = call.Refusal(Right::kListRepositories, NamespaceFacts{.id = call.actor.user_id})) {
    return *std::move(refusal);
  }
  return ListWithStorage(call, call.actor.name);
}

Result<Response> ListOfOrganization(Call& call) {
  const std::string& name = call.Parameter("name");
  const auto facts = TRY(call.hub().database().Read([&](Transaction& t) -> Result<std::optional<NamespaceFacts>> {
    const auto found = TRY(FindNamespace(t, name));
    if (!found) return std::nullopt;
    return TRY(FactsOn(t, call.actor, found->id));
  }));
  if (!facts) {
    return Refuse(Status::kNotFound, "", fmt::format("There is no user or organization \"{}\"", name.substr(0, 100)));
  }
  if (auto refusal = call.Refusal(Right::kListRepositories, *facts)) return *std::move(refusal);
  return ListWithStorage(call, name);
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(repository_lists)(Routes& routes) {
  routes.Add(Method::kGet, "/api/models", Right::kBrowse, List<RepositoryKind::kModel>);
  routes.Add(Method::kGet, "/api/datasets", Right::kBrowse, List<RepositoryKind::kDataset>);
  routes.Add(Method::kGet, "/api/spaces", Right::kBrowse, List<RepositoryKind::kSpace>);
  routes.Add(Method::kGet, "/api/settings/repositories", Right::kListRepositories, ListOwn);
  routes.Add(Method::kGet, "/api/organizations/{name}/settings/repositories", Right::kListRepositories,
             ListOfOrganization);
}
