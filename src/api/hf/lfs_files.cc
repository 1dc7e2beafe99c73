// The large files of a repository's history: listed, removed for good, and made ready to be named in another
// repository.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/hf/paging.h"
#include "api/route.h"
#include "hub/large_content.h"
#include "hub/repository_content.h"
#include "hub/repository_large_files.h"
#include "hub/stored_content.h"

namespace bothy::api {
namespace {

constexpr int64_t kUsualPage = 100;
constexpr int64_t kMaxPage = 1000;
constexpr size_t kMaxDuplicates = 1000;  // in one request; huggingface_hub sends 500

json::object FileJson(const ListedLargeFile& file) {
  return {{"fileOid", file.sha256},
          {"filename", file.path},
          {"oid", file.sha256},
          {"pushedAt", FormatTime(file.added_at)},
          {"ref", file.ref.empty() ? json::value(nullptr) : json::value(file.ref)},
          {"size", file.size}};
}

Result<Response> List(Call& call) {
  const int64_t limit = std::min(TRY(PositiveParameter(call, "limit", kUsualPage)), kMaxPage);
  const auto files =
      TRY(ListLargeFiles(call.hub().database(), call.repository(), std::string(call.Query("cursor")), limit));
  json::array list;
  for (const ListedLargeFile& file : files) list.push_back(FileJson(file));
  Response response = Json(list);
  if (std::cmp_equal(files.size(), limit)) AddNextPage(call, limit, files.back().sha256, response);
  return response;
}

Result<Response> Remove(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const json::object* deletions = json::FindObject(body, "deletions");
  if (deletions == nullptr) return Fail(ErrorCode::kInvalidArgument, "key \"deletions\": expected an object");
  const LargeFileRemoval removal = {.sha256s = TRY(FindStrings(*deletions, "sha")),
                                    .rewrite_history = TRY(FindBool(*deletions, "rewriteHistory")).value_or(true)};
  for (const std::string& sha256 : removal.sha256s) TRY(ParseSha256(sha256));
  TRY(RemoveLargeFiles(call.hub().repositories(), call.actor, call.repository(), removal));
  return Json(json::object());
}

// Where the commit that follows may be made, if only as a pull request.
Result<tl::expected<FoundRepository, Response>> FindTarget(Call& call, const json::object& target) {
  const std::string type = TRY(FindString(target, "type")).value_or("model");
  const auto kind = KindOfName(type);
  if (!kind) {
    return Fail(ErrorCode::kInvalidArgument, "key \"type\": expected model, dataset, space or kernel, found \"{}\"",
                type.substr(0, 100));
  }
  const std::string name = TRY(NeedString(target, "name"));
  const size_t slash = std::min(name.find('/'), name.size());
  auto found = TRY(call.hub().repositories().Find(call.actor, *kind, name.substr(0, slash),
                                                  name.substr(std::min(slash + 1, name.size()))));
  if (!found) return tl::unexpected(Refuse(Verdict::kNotFound, name, ""));
  auto refusal = call.Refusal(Right::kWriteContent, *found);
  if (refusal && call.Refusal(Right::kCreatePullRequest, *found)) return tl::unexpected(*std::move(refusal));
  return *std::move(found);
}

struct Duplicated {
  std::string sha256;
  std::string xet_hash;
};

Result<std::vector<Duplicated>> FilesOf(const json::object& body) {
  const json::array* list = json::FindArray(body, "files");
  if (list == nullptr) return Fail(ErrorCode::kInvalidArgument, "key \"files\": expected a list");
  if (list->size() > kMaxDuplicates) {
    return Fail(ErrorCode::kResourceExhausted, "{} files at once, at most {} are allowed", list->size(),
                kMaxDuplicates);
  }
  std::vector<Duplicated> files;
  for (const json::value& value : *list) {
    if (!value.is_object()) return Fail(ErrorCode::kInvalidArgument, "key \"files\": expected a list of objects");
    const json::object& file = value.get_object();
    files.push_back({TRY(NeedString(file, "sha256")), TRY(FindString(file, "xetHash")).value_or("")});
    TRY(ParseSha256(files.back().sha256));
  }
  return files;
}

// Commits may name what their author can read anywhere (FindNameable), so that nothing has to be copied: this says
// beforehand what they cannot name, and keeps the rest from being collected until they do.
Result<Response> Duplicate(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const json::object* target = json::FindObject(body, "target");
  if (target == nullptr) return Fail(ErrorCode::kInvalidArgument, "key \"target\": expected an object");
  const auto found = TRY(FindTarget(call, *target));
  if (!found) return found.error();

  json::array failed;
  const auto fail = [&](const std::string& sha256, std::string_view why) {
    failed.push_back(json::object{{"sha256", sha256}, {"error", why}});
  };
  std::vector<Duplicated> referred;
  std::vector<std::string> sha256s;
  for (Duplicated& file : TRY(FilesOf(body))) {
    if (TRY(RefersTo(call.hub().database(), call.repository(), file.sha256))) {
      sha256s.push_back(file.sha256);
      referred.push_back(std::move(file));
    } else {
      fail(file.sha256, fmt::format("{} has no such file", call.repository().FullName()));
    }
  }
  const auto contents = TRY(call.hub().large_content().Touch(sha256s));
  for (size_t i = 0; i < referred.size(); i++) {
    if (!contents[i]) {
      fail(referred[i].sha256, "its content is not here");
    } else if (!referred[i].xet_hash.empty() && referred[i].xet_hash != contents[i]->xet_hash) {
      fail(referred[i].sha256, "its xetHash is another");
    }
  }
  return Json(json::object{{"failed", std::move(failed)}});
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(lfs_files)(Routes& routes) {
  // Of all history, also of what no branch leads to any more: for who may change it.
  routes.Repository(Method::kGet, "/lfs-files", Right::kWriteContent, List);
  routes.Repository(Method::kPost, "/lfs-files/batch", Right::kWriteContent, Remove);
  routes.Repository(Method::kPost, "/lfs-files/duplicate", Right::kReadContent, Duplicate);
}
