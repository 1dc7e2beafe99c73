// Locks of git-lfs: made, listed, asked for before a push, removed.
#include <charconv>

#include "api/git/git_route.h"
#include "api/lfs/lfs_answer.h"
#include "hub/lfs_locks.h"

namespace bothy::api {
namespace {

json::object LockJson(const LfsLock& lock) {
  return {{"id", std::to_string(lock.id)},
          {"path", lock.path},
          {"locked_at", FormatTime(lock.locked_at)},
          {"owner", json::object{{"name", lock.owner}}}};
}

// Nothing for no text.
Result<std::optional<int64_t>> ParseNumber(std::string_view text, std::string_view what) {
  if (text.empty()) return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 0) return number;
  return Fail(ErrorCode::kInvalidArgument, "{}: expected a number, found \"{}\"", what, text.substr(0, 100));
}

// A page, and where the next one begins.
struct Page {
  std::vector<LfsLock> locks;
  std::optional<std::string> next;
};

Result<Page> ReadPage(Call& call, LfsLockFilter filter) {
  if (filter.limit <= 0 || filter.limit > LfsLocks::kMaxPage) filter.limit = LfsLocks::kMaxPage;
  Page page = {.locks = TRY(LfsLocks(call.hub().database()).List(call.repository(), filter)), .next = {}};
  if (page.locks.size() == static_cast<size_t>(filter.limit)) page.next = std::to_string(page.locks.back().id);
  return page;
}

Result<Response> Create(Call& call) {
  if (auto refusal = TRY(AdmitToGit(call, {Right::kWriteContent}))) return *std::move(refusal);
  const json::object body = TRY(ParseObject(call.body));
  const std::string path = TRY(NeedString(body, "path"));
  const auto made = TRY(LfsLocks(call.hub().database()).Lock(call.repository(), call.actor, path, call.hub().now()));
  if (made.is_new) return LfsJson(json::object{{"lock", LockJson(made.lock)}}, Status::kCreated);
  return LfsJson(json::object{{"lock", LockJson(made.lock)},
                              {"message", fmt::format("{} is locked by {}", made.lock.path, made.lock.owner)},
                              {"request_id", call.request.id}},
                 Status::kConflict);
}

Result<Response> List(Call& call) {
  if (auto refusal = TRY(AdmitToGit(call, {Right::kReadContent}))) return *std::move(refusal);
  LfsLockFilter filter;
  if (call.query.Has("path")) filter.path = std::string(call.Query("path"));
  filter.id = TRY(ParseNumber(call.Query("id"), "parameter \"id\""));
  filter.after = TRY(ParseNumber(call.Query("cursor"), "parameter \"cursor\"")).value_or(0);
  filter.limit = TRY(ParseNumber(call.Query("limit"), "parameter \"limit\"")).value_or(0);
  const Page page = TRY(ReadPage(call, filter));
  json::array locks;
  for (const LfsLock& lock : page.locks) locks.push_back(LockJson(lock));
  json::object answer = {{"locks", std::move(locks)}};
  if (page.next) answer["next_cursor"] = *page.next;
  return LfsJson(answer);
}

Result<Response> Verify(Call& call) {
  if (auto refusal = TRY(AdmitToGit(call, {Right::kWriteContent}))) return *std::move(refusal);
  const json::object body = TRY(ParseObject(call.body));
  LfsLockFilter filter;
  filter.after = TRY(ParseNumber(TRY(FindString(body, "cursor")).value_or(""), "key \"cursor\"")).value_or(0);
  const auto limit = json::GetInt(body, "limit");
  if (!limit) return Fail(ErrorCode::kInvalidArgument, "{}", limit.error().message);
  filter.limit = limit->value_or(0);
  const Page page = TRY(ReadPage(call, filter));
  json::array ours, theirs;
  for (const LfsLock& lock : page.locks) {
    (lock.user_id == call.actor.user_id ? ours : theirs).push_back(LockJson(lock));
  }
  json::object answer = {{"ours", std::move(ours)}, {"theirs", std::move(theirs)}};
  if (page.next) answer["next_cursor"] = *page.next;
  return LfsJson(answer);
}

Result<Response> Unlock(Call& call) {
  if (auto refusal = TRY(AdmitToGit(call, {Right::kWriteContent}))) return *std::move(refusal);
  const json::object body = TRY(ParseObject(call.body));
  const bool force = TRY(FindBool(body, "force")).value_or(false);
  LfsLocks locks(call.hub().database());
  LfsLockFilter filter;
  filter.id = TRY(ParseNumber(call.Parameter("id"), "the lock's id"));
  const auto found = TRY(locks.List(call.repository(), filter));
  if (found.empty()) return Refuse(Status::kNotFound, kEntryNotFound, "there is no such lock");
  const LfsLock& lock = found.front();
  if (lock.user_id != call.actor.user_id) {
    if (!force) {
      return Refuse(Status::kForbidden, "",
                    fmt::format("{} is locked by {}: only with force can others unlock it", lock.path, lock.owner));
    }
    if (auto refusal = call.Refusal(Right::kUnlockOthers, *call.found)) return *std::move(refusal);
  }
  if (!TRY(locks.Unlock(call.repository(), lock.id))) {
    return Refuse(Status::kNotFound, kEntryNotFound, "there is no such lock any more");
  }
  return LfsJson(json::object{{"lock", LockJson(lock)}});
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(lfs_locks)(Routes& routes) {
  AddGitRoute(routes, Method::kPost, "/info/lfs/locks", Right::kWriteContent, LfsHandler<Create>);
  AddGitRoute(routes, Method::kGet, "/info/lfs/locks", Right::kReadContent, LfsHandler<List>);
  AddGitRoute(routes, Method::kPost, "/info/lfs/locks/verify", Right::kWriteContent, LfsHandler<Verify>);
  AddGitRoute(routes, Method::kPost, "/info/lfs/locks/{id}/unlock", Right::kWriteContent, LfsHandler<Unlock>);
}
