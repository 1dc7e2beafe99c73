// What clients of Xet send: xorbs, shards, and the question who has a chunk.
#include "api/xet/grant.h"
#include "base/byte_source.h"
#include "net/blocking_body.h"

namespace bothy::api {
namespace {

// A little over 64 MiB: chunks that do not shrink have a header each, and a footer may follow.
constexpr uint64_t kMaxXorbBody = xet::kMaxXorbStoredBytes + xet::kMaxXorbFooter;

// What is wrong with what was sent is the sender's mistake.
Response NotTaken(const Error& error) {
  if (error.code == ErrorCode::kCorrupt) return Refuse(Status::kBadRequest, "", error.message);
  if (error.code == ErrorCode::kFailedPrecondition) return Refuse(Status::kBadRequest, "", error.message);
  return Refuse(error, "");
}

net::Task<Response> ReceiveXorb(Call& call) {
  const auto grant = NeedXetGrant(call, true);
  if (!grant) co_return grant.error();
  const auto hash = HashOf(call);
  if (!hash) co_return Refuse(hash.error(), "");
  net::WorkerPool& workers = call.service.workers;
  auto begun =
      co_await net::RunBlocking(workers, [&] { return call.hub().content().ReceiveXorb(*hash, grant->user_id); });
  if (!begun) co_return Refuse(begun.error(), "");
  content::XorbReceiver& receiver = **begun;
  auto taken = co_await net::TakeBlocking(*call.request.body, workers,
                                          [&](std::span<const std::byte> bytes) { return receiver.Write(bytes); });
  if (!taken) co_return NotTaken(taken.error());
  auto is_new = co_await net::RunBlocking(workers, [&] { return receiver.Finish(); });
  if (!is_new) co_return NotTaken(is_new.error());
  co_return Json(json::object{{"was_inserted", *is_new}});
}

// Whole in memory, so only from who may.
net::Task<Response> RegisterShard(Call& call) {
  const auto grant = NeedXetGrant(call, true);
  if (!grant) co_return grant.error();
  auto body = co_await net::ReadAll(*call.request.body, xet::kMaxShardBytes);
  if (!body) co_return Refuse(body.error(), "");
  const auto shard = MemorySource("the shard", *body);
  auto outcome = co_await net::RunBlocking(call.service.workers, [&] {
    return call.hub().content().RegisterShard(*shard, grant->user_id,
                                              [&](uint64_t, uint64_t) { return !call.request.gone.stop_requested(); });
  });
  if (!outcome) co_return NotTaken(outcome.error());
  co_return Json(json::object{{"result", outcome->new_files > 0 ? 1 : 0}});
}

Result<Response> FindChunk(Call& call) {
  const auto grant = NeedXetGrant(call, true);
  if (!grant) return grant.error();
  const auto shard = TRY(call.hub().content().FindChunk(TRY(HashOf(call))));
  if (!shard) return Refuse(Status::kNotFound, "", "nobody has registered this chunk");
  return Response::Bytes(Status::kOk, "application/octet-stream",
                         std::string(reinterpret_cast<const char*>(shard->data()), shard->size()));
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(xet_upload)(Routes& routes) {
  // hf-xet 1.2 (which huggingface_hub 0.36 brings) knows no versions yet.
  for (const std::string_view version : {"/v1", ""}) {
    const std::string prefix = fmt::format("{}{}", kXetPrefix, version);
    routes.AddGranted(Method::kPost, prefix + "/xorbs/default/{hash}", ReceiveXorb, kMaxXorbBody);
    routes.AddGranted(Method::kPost, prefix + "/shards", RegisterShard, xet::kMaxShardBytes);
    for (const std::string_view space : {"default", "default-merkledb"}) {
      routes.AddGranted(Method::kGet, fmt::format("{}/chunks/{}/{{hash}}", prefix, space), FindChunk);
    }
  }
}
