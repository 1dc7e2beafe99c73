// Which large files git-lfs (and clients that speak its language) may send or fetch, and where.
#include <fmt/format.h>

#include <algorithm>

#include "api/git/git_route.h"
#include "api/lfs/batch_request.h"
#include "api/lfs/lfs_answer.h"
#include "api/xet/grant.h"
#include "hub/lfs_parts.h"
#include "hub/lfs_tickets.h"
#include "hub/repository_content.h"
#include "hub/usage.h"

namespace bothy::api {
namespace {

constexpr uint64_t kMaxBatchBytes = 1 << 20;

json::object ObjectError(json::object object, int code, std::string message) {
  object["error"] = json::object{{"code", code}, {"message", std::move(message)}};
  return object;
}

class Answerer {
 public:
  Answerer(Call& call, const LfsBatch& batch)
      : call_(call), batch_(batch), expires_(call.hub().now() + kLfsTicketLifetime) {}

  Result<json::object> Answer(const LfsObject& asked) const {
    json::object object = {{"oid", asked.oid}, {"size", asked.size}, {"authenticated", true}};
    if (!IsLfsOid(asked.oid)) return ObjectError(std::move(object), 422, "the name of an object is its SHA-256");
    return batch_.upload ? Upload(std::move(object), asked.oid, asked.size)
                         : Download(std::move(object), asked.oid, asked.size);
  }

 private:
  Result<json::object> Download(json::object object, const std::string& oid, uint64_t size) const {
    Hub& hub = call_.hub();
    const auto referred = TRY(ReferredSize(hub.database(), call_.repository(), oid));
    const auto found = referred ? TRY(hub.content().FindBySha256(TRY(ParseSha256(oid)))) : std::nullopt;
    const bool comes = referred && call_.service.upstream != nullptr && !call_.repository().mirror_of.empty();
    if (!found && !comes) return ObjectError(std::move(object), 404, "there is no such object in this repository");
    const uint64_t has = found ? found->size : *referred;
    if (has != size) return ObjectError(std::move(object), 422, fmt::format("the object has {} bytes", has));
    object["actions"] =
        json::object{{"download", LfsAction(Address(LfsTicket::Purpose::kDownload, oid, size, ""), expires_)}};
    return object;
  }

  // Without actions there is nothing to send: only for who may name what is here, because a hash is not a right.
  Result<json::object> Upload(json::object object, const std::string& oid, uint64_t size) const {
    Hub& hub = call_.hub();
    const auto found = TRY(FindNameable(hub.database(), hub.large_content(), call_.actor, oid));
    if (found && found->size == size) return object;
    if (found) return ObjectError(std::move(object), 422, fmt::format("the object has {} bytes", found->size));
    if (batch_.transfer == LfsTransfer::kXet) {
      object["actions"] = json::object{{"upload", XetAction()}};
      return object;
    }
    const bool parts = batch_.transfer == LfsTransfer::kMultipart;
    if (parts && LfsPartCount(size) > kMaxLfsParts) {
      return ObjectError(std::move(object), 422, fmt::format("more than {} parts", kMaxLfsParts));
    }
    json::object upload =
        parts ? PartsAction(oid, size) : LfsAction(Address(LfsTicket::Purpose::kUpload, oid, size, ""), expires_);
    json::object verify = LfsAction(Address(LfsTicket::Purpose::kUpload, oid, size, "/verify"), expires_);
    object["actions"] = json::object{{"upload", std::move(upload)}, {"verify", std::move(verify)}};
    return object;
  }

  // huggingface_hub's: where each part goes, by its number, and where their completion is told.
  json::object PartsAction(const std::string& oid, uint64_t size) const {
    json::object action = LfsAction(Address(LfsTicket::Purpose::kUpload, oid, size, "/complete"), expires_);
    json::object& header = action["header"].get_object();
    header["chunk_size"] = std::to_string(kLfsPartBytes);
    for (uint64_t number = 1; number <= LfsPartCount(size); number++) {
      header[std::to_string(number)] =
          Address(LfsTicket::Purpose::kUpload, oid, size, fmt::format("/parts/{}", number));
    }
    return action;
  }

  // The address is where a new token is asked for when this one is old.
  json::object XetAction() const {
    const Timestamp expires = call_.hub().now() + kXetGrantLifetime;
    const Repository& repository = call_.repository();
    const std::string token =
        SignXetGrant(call_.hub().signatures(),
                     {.write = true, .repository_id = repository.id, .user_id = call_.actor.user_id}, expires);
    json::object action =
        LfsAction(fmt::format("{}/api/{}/{}/xet-write-token/{}", call_.request.base_url, KindPlural(repository.kind),
                              repository.FullName(), net::PercentEncode(batch_.revision)),
                  expires);
    const int64_t seconds = std::chrono::floor<std::chrono::seconds>(expires).time_since_epoch().count();
    action["header"] = json::object{{"X-Xet-Cas-Url", call_.request.base_url + std::string(kXetPrefix)},
                                    {"X-Xet-Access-Token", token},
                                    {"X-Xet-Token-Expiration", std::to_string(seconds)},
                                    {"X-Xet-Session-Id", call_.request.id}};
    return action;
  }

  std::string Address(LfsTicket::Purpose purpose, const std::string& oid, uint64_t size, std::string_view rest) const {
    const LfsTicket ticket = {.purpose = purpose,
                              .repository_id = call_.repository().id,
                              .user_id = call_.actor.user_id,
                              .sha256 = oid,
                              .size = size};
    return fmt::format("{}/lfs/objects/{}{}?ticket={}", call_.request.base_url, oid, rest,
                       SignLfsTicket(call_.hub().signatures(), ticket, expires_));
  }

  Call& call_;
  const LfsBatch& batch_;
  const Timestamp expires_;
};

// Before anything is sent in vain.
Result<void> CheckRoom(Call& call, std::span<const LfsObject> objects) {
  std::vector<ReferredFile> files;
  for (const LfsObject& object : objects)
    files.push_back({.sha256 = object.oid, .size = object.size, .path = {}, .ref = {}});
  Database& database = call.hub().database();
  return CheckQuota(database, call.repository().owner_id, TRY(BytesOfNew(database, call.repository(), files)));
}

Result<Response> AnswerBatch(Call& call) {
  const LfsBatch batch = TRY(ReadLfsBatch(call.body));
  // Whoever may only read may still send what a pull request of theirs is to point to.
  auto refusal = batch.upload ? TRY(AdmitToGit(call, {Right::kWriteContent, Right::kCreatePullRequest}))
                              : TRY(AdmitToGit(call, {Right::kReadContent}));
  if (refusal) return *std::move(refusal);
  if (batch.hash != "sha256" && batch.hash != "sha_256") {
    return Refuse(Status::kConflict, "", "objects are named by their SHA-256");
  }

  if (batch.upload) {
    TRY(CheckRoom(call, batch.objects));
  }
  const Answerer answerer(call, batch);
  json::array objects;
  for (const LfsObject& object : batch.objects) objects.push_back(TRY(answerer.Answer(object)));
  return LfsJson(json::object{{"transfer", LfsTransferName(batch.transfer)}, {"objects", std::move(objects)}});
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(lfs_batch)(Routes& routes) {
  AddGitRoute(routes, Method::kPost, "/info/lfs/objects/batch", Right::kReadContent, LfsHandler<AnswerBatch>,
              kMaxBatchBytes);
}
