// Which large files git-lfs (and clients that speak its language) may send or fetch, and where.
#include <fmt/format.h>

#include <algorithm>

#include "api/git/git_route.h"
#include "api/lfs/lfs_answer.h"
#include "api/xet/grant.h"
#include "hub/lfs_parts.h"
#include "hub/lfs_tickets.h"
#include "hub/repository_content.h"

namespace bothy::api {
namespace {

constexpr size_t kMaxObjects = 1000;  // git-lfs asks for 100 at once, huggingface_hub for 256
constexpr uint64_t kMaxBatchBytes = 1 << 20;

// In one piece below: a part is written to the disk twice. In parts above: what was cut has not to be sent again.
constexpr uint64_t kMultipartFrom = uint64_t{1} << 30;
constexpr std::chrono::hours kPartsAreKept{7 * 24};

struct Object {
  std::string oid;
  uint64_t size = 0;
};

enum class Transfer { kBasic, kMultipart, kXet };

struct Batch {
  bool upload = false;
  Transfer transfer = Transfer::kBasic;  // of all of its objects: an answer can name only one
  std::string revision;                  // that Xet's tokens are asked for
  std::vector<Object> objects;
};

std::string_view TransferName(Transfer transfer) {
  switch (transfer) {
    case Transfer::kBasic: return "basic";
    case Transfer::kMultipart: return "multipart";
    case Transfer::kXet: return "xet";
  }
  return "basic";
}

Result<std::vector<Object>> ReadObjects(const json::object& body) {
  const json::array* list = json::FindArray(body, "objects");
  if (list == nullptr) return Fail(ErrorCode::kInvalidArgument, "key \"objects\": expected a list");
  if (list->size() > kMaxObjects) {
    return Fail(ErrorCode::kResourceExhausted, "more than {} objects in one request: ask in parts", kMaxObjects);
  }
  std::vector<Object> objects;
  for (const json::value& value : *list) {
    if (!value.is_object()) return Fail(ErrorCode::kInvalidArgument, "key \"objects\": expected objects");
    objects.push_back(
        {.oid = TRY(NeedString(value.get_object(), "oid")), .size = TRY(NeedSize(value.get_object(), "size"))});
  }
  return objects;
}

Transfer ChooseTransfer(std::span<const std::string> offered, std::span<const Object> objects) {
  const auto has = [&](std::string_view name) { return std::ranges::count(offered, name) > 0; };
  if (has("xet")) return Transfer::kXet;
  const bool large = std::ranges::any_of(objects, [](const Object& object) { return object.size >= kMultipartFrom; });
  return large && has("multipart") ? Transfer::kMultipart : Transfer::kBasic;
}

Result<Batch> ReadBatch(const json::object& body) {
  const std::string operation = TRY(NeedString(body, "operation"));
  if (operation != "upload" && operation != "download") {
    return Fail(ErrorCode::kInvalidArgument, "key \"operation\": expected upload or download, found \"{}\"",
                std::string_view(operation).substr(0, 100));
  }
  Batch batch = {.upload = operation == "upload", .revision = "main", .objects = TRY(ReadObjects(body))};
  if (batch.upload) batch.transfer = ChooseTransfer(TRY(FindStrings(body, "transfers")), batch.objects);
  if (const json::object* ref = json::FindObject(body, "ref")) {
    std::string name = TRY(FindString(*ref, "name")).value_or("");
    constexpr std::string_view kBranches = "refs/heads/";
    if (name.starts_with(kBranches)) name.erase(0, kBranches.size());
    if (!name.empty()) batch.revision = std::move(name);
  }
  return batch;
}

json::object ObjectError(json::object object, int code, std::string message) {
  object["error"] = json::object{{"code", code}, {"message", std::move(message)}};
  return object;
}

class Answerer {
 public:
  Answerer(Call& call, const Batch& batch)
      : call_(call), batch_(batch), expires_(call.hub().now() + kLfsTicketLifetime) {}

  Result<json::object> Answer(const Object& asked) const {
    json::object object = {{"oid", asked.oid}, {"size", asked.size}, {"authenticated", true}};
    if (!IsLfsOid(asked.oid)) return ObjectError(std::move(object), 422, "the name of an object is its SHA-256");
    return batch_.upload ? Upload(std::move(object), asked.oid, asked.size)
                         : Download(std::move(object), asked.oid, asked.size);
  }

 private:
  Result<json::object> Download(json::object object, const std::string& oid, uint64_t size) const {
    Hub& hub = call_.hub();
    const bool referred = TRY(RefersTo(hub.database(), call_.repository(), oid));
    const auto found = referred ? TRY(hub.content().FindBySha256(TRY(ParseSha256(oid)))) : std::nullopt;
    if (!found) return ObjectError(std::move(object), 404, "there is no such object in this repository");
    if (found->size != size) {
      return ObjectError(std::move(object), 422, fmt::format("the object has {} bytes", found->size));
    }
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
    if (batch_.transfer == Transfer::kXet) {
      object["actions"] = json::object{{"upload", XetAction()}};
      return object;
    }
    const bool parts = batch_.transfer == Transfer::kMultipart;
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
  const Batch& batch_;
  const Timestamp expires_;
};

Result<Response> AnswerBatch(Call& call) {
  const json::object body = TRY(ParseObject(call.body));
  const Batch batch = TRY(ReadBatch(body));
  // Whoever may only read may still send what a pull request of theirs is to point to.
  auto refusal = batch.upload ? TRY(AdmitToGit(call, {Right::kWriteContent, Right::kCreatePullRequest}))
                              : TRY(AdmitToGit(call, {Right::kReadContent}));
  if (refusal) return *std::move(refusal);
  const std::string hash = TRY(FindString(body, "hash_algo")).value_or("sha256");
  if (hash != "sha256" && hash != "sha_256") return Refuse(Status::kConflict, "", "objects are named by their SHA-256");

  const Answerer answerer(call, batch);
  json::array objects;
  for (const Object& object : batch.objects) objects.push_back(TRY(answerer.Answer(object)));
  if (batch.transfer == Transfer::kMultipart) {
    auto parts = TRY(LfsParts::Open(call.hub().data()));
    TRY(parts.RemoveOlderThan(std::chrono::floor<std::chrono::seconds>(call.hub().now() - kPartsAreKept)));
  }
  return LfsJson(json::object{{"transfer", TransferName(batch.transfer)}, {"objects", std::move(objects)}});
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(lfs_batch)(Routes& routes) {
  AddGitRoute(routes, Method::kPost, "/info/lfs/objects/batch", Right::kReadContent, LfsHandler<AnswerBatch>,
              kMaxBatchBytes);
}
