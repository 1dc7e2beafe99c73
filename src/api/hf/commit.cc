// Bringing files: what has to come in which way, and the commit that names them.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "api/route.h"
#include "base/base64.h"
#include "hub/commits.h"
#include "hub/preupload.h"
#include "hub/pushes.h"
#include "hub/usage.h"

namespace bothy::api {
namespace {

constexpr size_t kCommitPiece = 256 << 10;
constexpr uint64_t kMaxPreuploadBytes = 4 << 20;

Result<PreuploadFile> ReadFile(const json::value& value) {
  if (!value.is_object()) return Fail(ErrorCode::kInvalidArgument, "key \"files\": expected objects");
  const json::object& from = value.get_object();
  PreuploadFile file = {.path = TRY(NeedString(from, "path")), .size = 0, .sample = {}};
  const auto size = json::GetInt(from, "size");
  if (!size || size->value_or(0) < 0) return Fail(ErrorCode::kInvalidArgument, "key \"size\": expected a number");
  file.size = static_cast<uint64_t>(size->value_or(0));
  if (const auto sample = TRY(FindString(from, "sample"))) {
    auto decoded = DecodeBase64(*sample);
    if (!decoded) return Fail(ErrorCode::kInvalidArgument, "key \"sample\" of \"{}\": no base64", file.path);
    file.sample = *std::move(decoded);
  }
  return file;
}

Result<Response> Preupload(Call& call) {
  if (auto refusal = call.CommitRefusal(call.Parameter("revision"))) return *std::move(refusal);
  const json::object body = TRY(ParseObject(call.body));
  PreuploadRequest request = {.files = {},
                              .git_attributes = TRY(FindString(body, "gitAttributes")),
                              .git_ignore = TRY(FindString(body, "gitIgnore"))};
  const json::array* list = json::FindArray(body, "files");
  if (list == nullptr) return Fail(ErrorCode::kInvalidArgument, "key \"files\": expected a list");
  for (const json::value& value : *list) request.files.push_back(TRY(ReadFile(value)));
  const RepositoryFiles files = TRY(call.Files());
  const git::Oid commit = OR_REFUSE(kRevisionNotFound, files.Resolve(call.Parameter("revision")));
  const auto decided = TRY(bothy::Preupload(files.git(), commit, request));
  // Before anything is sent in vain: clients of Xet tell hashes and sizes only when everything has been sent.
  const auto add = [](int64_t sum, const PreuploadAnswer& answer) {
    return sum + static_cast<int64_t>(std::min<uint64_t>(answer.more_bytes, static_cast<uint64_t>(INT64_MAX - sum)));
  };
  TRY(CheckQuota(call.hub().database(), call.repository().owner_id,
                 std::accumulate(decided.begin(), decided.end(), int64_t{0}, add)));
  json::array answers;
  for (const PreuploadAnswer& answer : decided) {
    answers.push_back(json::object{{"path", answer.path},
                                   {"uploadMode", answer.large ? "lfs" : "regular"},
                                   {"shouldIgnore", answer.ignored},
                                   {"oid", answer.oid ? json::value(*answer.oid) : json::value(nullptr)}});
  }
  return Json(json::object{{"files", std::move(answers)}, {"commitOid", commit.ToHex()}});
}

// What a client is told when its commit was not taken.
Response NotCommitted(const Error& error) {
  switch (error.code) {
    case ErrorCode::kFailedPrecondition: return Refuse(Status::kPreconditionFailed, "", error.message);
    case ErrorCode::kInvalidArgument: return Refuse(Status::kUnprocessableContent, "", error.message);
    case ErrorCode::kCorrupt: return Refuse(Status::kBadRequest, "", error.message);
    default: return Refuse(error, kEntryNotFound);
  }
}

net::Task<Response> Commit(Call& call) {
  if (auto refusal = call.CommitRefusal(call.Parameter("revision"))) co_return *std::move(refusal);
  net::WorkerPool& workers = call.service.workers;
  Hub& hub = call.hub();
  const CommitTarget target = {.revision = call.Parameter("revision"),
                               .create_pull_request = call.QueryFlag("create_pr")};
  auto begun = co_await net::RunBlocking(workers, [&]() -> Result<std::unique_ptr<CommitUpload>> {
    if (!target.create_pull_request) {
      TRY(CheckPullRequest(hub.database(), call.actor, *call.found, target.revision));
    }
    return CommitUpload::Begin(hub.repositories(), hub.large_content(), call.actor, call.repository(), target);
  });
  if (!begun) co_return Refuse(begun.error(), kRevisionNotFound);
  std::unique_ptr<CommitUpload> upload = *std::move(begun);
  std::string piece(kCommitPiece, '\0');
  for (;;) {
    auto read = co_await call.request.body->Read(std::as_writable_bytes(std::span(piece)));
    if (!read) co_return Refuse(read.error(), "");
    if (*read == 0) break;
    auto added =
        co_await net::RunBlocking(workers, [&] { return upload->Add(std::string_view(piece).substr(0, *read)); });
    if (!added) co_return NotCommitted(added.error());
  }
  auto outcome = co_await net::RunBlocking(workers, [&] { return upload->Finish(); });
  if (!outcome) co_return NotCommitted(outcome.error());
  const std::string url = RepositoryUrl(call.request, call.repository());
  const std::string oid = outcome->commit.ToHex();
  json::object answer = {
      {"success", true}, {"commitOid", oid}, {"commitUrl", fmt::format("{}/commit/{}", url, oid)}, {"hookOutput", ""}};
  if (outcome->pull_request) {
    answer["pullRequestUrl"] = fmt::format("{}/discussions/{}", url, *outcome->pull_request);
  }
  co_return Json(answer);
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(commit)(Routes& routes) {
  routes.Repository(Method::kPost, "/preupload/{revision}", Right::kSee, Preupload, kMaxPreuploadBytes);
  // The right depends on the revision. Of any length: its lines are bounded one by one.
  routes.Repository(Method::kPost, "/commit/{revision}", Right::kSee, Commit, UINT64_MAX);
}
