// Branches, tags, the history behind them, and what differs between two revisions.
#include <charconv>

#include "api/route.h"
#include "hub/repository_refs.h"
#include "net/header_values.h"

namespace bothy::api {
namespace {

json::array RefsJson(const std::vector<git::Ref>& refs) {
  json::array list;
  for (const git::Ref& ref : refs) {
    list.push_back(json::object{{"name", ref.short_name()}, {"ref", ref.name}, {"targetCommit", ref.commit.ToHex()}});
  }
  return list;
}

Result<Response> ListRefs(Call& call) {
  const RepositoryRefs refs = TRY(RepositoryRefs::Open(call.hub().repositories(), call.repository()));
  const git::RefList list = TRY(refs.List());
  json::object answer = {
      {"branches", RefsJson(list.branches)}, {"converts", RefsJson(list.converts)}, {"tags", RefsJson(list.tags)}};
  if (call.QueryFlag("include_prs")) answer["pullRequests"] = RefsJson(list.pull_requests);
  return Json(answer);
}

Result<size_t> Number(const Call& call, std::string_view name, size_t fallback) {
  const std::string_view text = call.Query(name);
  if (text.empty()) return fallback;
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return Fail(ErrorCode::kInvalidArgument, "parameter \"{}\": expected a number, found \"{}\"", name, text);
}

json::object CommitJson(const git::Commit& commit) {
  return {{"id", commit.oid.ToHex()},
          {"title", commit.title},
          {"message", commit.description},
          {"date", FormatTime(commit.committer.time)},
          {"authors", json::array{json::object{{"user", commit.author.name}, {"avatar", ""}}}}};
}

Result<Response> ListCommits(Call& call) {
  constexpr size_t kUsualPage = 50, kMaxPage = 1'000'000;
  const RepositoryRefs refs = TRY(RepositoryRefs::Open(call.hub().repositories(), call.repository()));
  const git::Oid from = OR_REFUSE(kRevisionNotFound, refs.Resolve(call.Parameter("revision")));
  const size_t page = TRY(Number(call, "p", 0));
  const size_t limit = std::clamp<size_t>(TRY(Number(call, "limit", kUsualPage)), 1, git::kMaxHistoryLimit);
  if (page > kMaxPage)
    return Fail(ErrorCode::kInvalidArgument, "parameter \"p\": at most {}, found {}", kMaxPage, page);
  const git::HistoryPage history = TRY(refs.History(from, {.path = std::string(call.Query("path")),
                                                           .cursor = std::string(call.Query("cursor")),
                                                           .skip = page * limit,
                                                           .limit = limit}));
  json::array list;
  for (const git::Commit& commit : history.commits) {
    json::object json = CommitJson(commit);
    if (call.query.Has("expand") || call.query.Has("expand[]")) {
      json["formatted"] = json::object{{"title", commit.title}, {"message", commit.description}};
    }
    list.push_back(std::move(json));
  }
  Response response = Json(list);
  if (call.Query("path").empty()) {
    response.headers.Set("X-Total-Count", std::to_string(TRY(refs.CountHistory(from))));
  }
  if (!history.cursor.empty()) {
    std::string next = call.request.base_url + call.request.path + "?limit=" + std::to_string(limit);
    if (!call.Query("path").empty()) next += "&path=" + net::PercentEncode(call.Query("path"));
    if (call.query.Has("expand") || call.query.Has("expand[]")) next += "&expand[]=formatted";
    next += "&cursor=" + net::PercentEncode(history.cursor);
    response.headers.Set("Link", net::Link(next, "next"));
  }
  return response;
}

Result<Response> CreateBranch(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  RepositoryRefs refs = TRY(RepositoryRefs::Open(call.hub().repositories(), call.repository()));
  const NewBranch branch = {.name = call.Parameter("branch"),
                            .start = TRY(FindString(body, "startingPoint")),
                            .empty = TRY(FindBool(body, "emptyBranch")).value_or(false),
                            .overwrite = TRY(FindBool(body, "overwrite")).value_or(false)};
  OR_REFUSE(kRevisionNotFound, refs.CreateBranch(call.actor, branch));
  return Json(json::object());
}

Result<Response> DeleteBranch(Call& call) {
  RepositoryRefs refs = TRY(RepositoryRefs::Open(call.hub().repositories(), call.repository()));
  OR_REFUSE(kRevisionNotFound, refs.DeleteBranch(call.actor, call.Parameter("branch")));
  return Json(json::object());
}

Result<Response> CreateTag(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const std::string tag = TRY(NeedString(body, "tag"));
  const std::string message = TRY(FindString(body, "message")).value_or("");
  RepositoryRefs refs = TRY(RepositoryRefs::Open(call.hub().repositories(), call.repository()));
  OR_REFUSE(kRevisionNotFound, refs.CreateTag(call.actor, tag, call.Parameter("revision"), message));
  return Json(json::object());
}

Result<Response> DeleteTag(Call& call) {
  RepositoryRefs refs = TRY(RepositoryRefs::Open(call.hub().repositories(), call.repository()));
  OR_REFUSE(kRevisionNotFound, refs.DeleteTag(call.actor, call.Parameter("tag")));
  return Json(json::object());
}

Result<Response> SuperSquash(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const std::string& branch = call.Parameter("branch");
  const std::string message = TRY(FindString(body, "message")).value_or("Super-squash branch '" + branch + "'");
  RepositoryRefs refs = TRY(RepositoryRefs::Open(call.hub().repositories(), call.repository()));
  const git::Oid commit = OR_REFUSE(kRevisionNotFound, refs.SuperSquash(call.actor, branch, message));
  return Json(json::object{{"commitOid", commit.ToHex()}});
}

Result<Response> Compare(Call& call) {
  const RepositoryRefs refs = TRY(RepositoryRefs::Open(call.hub().repositories(), call.repository()));
  const Comparison comparison = OR_REFUSE(kRevisionNotFound, refs.Compare(call.Parameter("range")));
  Response response = Response::Text(Status::kOk, comparison.diff.text);
  if (!comparison.diff.complete)
    response.headers.Set("X-HF-Warning", "compare; the difference is too long: this is its beginning");
  return response;
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(refs)(Routes& routes) {
  routes.Repository(Method::kGet, "/refs", Right::kSee, ListRefs);
  routes.Repository(Method::kGet, "/commits/{revision}", Right::kSee, ListCommits);
  routes.Repository(Method::kGet, "/compare/{range}", Right::kReadContent, Compare);
  routes.Repository(Method::kPost, "/branch/{branch}", Right::kWriteContent, CreateBranch);
  routes.Repository(Method::kDelete, "/branch/{branch}", Right::kWriteContent, DeleteBranch);
  routes.Repository(Method::kPost, "/tag/{revision}", Right::kWriteContent, CreateTag);
  routes.Repository(Method::kDelete, "/tag/{tag}", Right::kWriteContent, DeleteTag);
  routes.Repository(Method::kPost, "/super-squash/{branch}", Right::kWriteContent, SuperSquash);
}
