#include "api/lfs/batch_request.h"

#include <algorithm>
#include <span>

#include "api/lfs/lfs_answer.h"

namespace bothy::api {
namespace {

Result<std::vector<LfsObject>> ReadObjects(const json::object& body) {
  const json::array* list = json::FindArray(body, "objects");
  if (list == nullptr) return Fail(ErrorCode::kInvalidArgument, "key \"objects\": expected a list");
  if (list->size() > LfsBatch::kMaxObjects) {
    return Fail(ErrorCode::kResourceExhausted, "more than {} objects in one request: ask in parts",
                LfsBatch::kMaxObjects);
  }
  std::vector<LfsObject> objects;
  for (const json::value& value : *list) {
    if (!value.is_object()) return Fail(ErrorCode::kInvalidArgument, "key \"objects\": expected objects");
    objects.push_back(
        {.oid = TRY(NeedString(value.get_object(), "oid")), .size = TRY(NeedSize(value.get_object(), "size"))});
  }
  return objects;
}

LfsTransfer ChooseTransfer(std::span<const std::string> offered, std::span<const LfsObject> objects) {
  const auto has = [&](std::string_view name) { return std::ranges::count(offered, name) > 0; };
  if (has("xet")) return LfsTransfer::kXet;
  const bool large =
      std::ranges::any_of(objects, [](const LfsObject& object) { return object.size >= kLfsMultipartFrom; });
  return large && has("multipart") ? LfsTransfer::kMultipart : LfsTransfer::kBasic;
}

}  // namespace

std::string_view LfsTransferName(LfsTransfer transfer) {
  switch (transfer) {
    case LfsTransfer::kBasic: return "basic";
    case LfsTransfer::kMultipart: return "multipart";
    case LfsTransfer::kXet: return "xet";
  }
  return "basic";
}

Result<LfsBatch> ReadLfsBatch(std::string_view text) {
  const json::object body = TRY(ParseObject(text));
  const std::string operation = TRY(NeedString(body, "operation"));
  if (operation != "upload" && operation != "download") {
    return Fail(ErrorCode::kInvalidArgument, "key \"operation\": expected upload or download, found \"{}\"",
                std::string_view(operation).substr(0, 100));
  }
  LfsBatch batch;
  batch.upload = operation == "upload";
  batch.objects = TRY(ReadObjects(body));
  batch.hash = TRY(FindString(body, "hash_algo")).value_or(batch.hash);
  if (batch.upload) batch.transfer = ChooseTransfer(TRY(FindStrings(body, "transfers")), batch.objects);
  if (const json::object* ref = json::FindObject(body, "ref")) {
    std::string name = TRY(FindString(*ref, "name")).value_or("");
    constexpr std::string_view kBranches = "refs/heads/";
    if (name.starts_with(kBranches)) name.erase(0, kBranches.size());
    if (!name.empty()) batch.revision = std::move(name);
  }
  return batch;
}

}  // namespace bothy::api
