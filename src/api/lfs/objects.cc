// The bytes of large files, sent and fetched at addresses that git-lfs got before (batch.cc).
#include <fmt/format.h>

#include <charconv>

#include "api/arriving_file.h"
#include "api/lfs/lfs_answer.h"
#include "api/stored_file.h"
#include "hub/lfs_parts.h"
#include "hub/lfs_tickets.h"
#include "net/blocking_body.h"
#include "net/conditional.h"

namespace bothy::api {
namespace {

constexpr uint64_t kMaxCompletionBytes = 2 << 20;  // 10,000 parts of some 110 bytes
constexpr size_t kMaxCompletionValues = 4 * kMaxLfsParts;
constexpr size_t kCopied = 1 << 20;

Result<LfsTicket> TicketOf(const Call& call, LfsTicket::Purpose purpose) {
  auto ticket = OpenLfsTicket(call.service.hub.signatures(), purpose, call.Parameter("oid"), call.Query("ticket"));
  if (ticket) return *std::move(ticket);
  return Fail(ErrorCode::kPermissionDenied, "this address is not valid, or not any more: ask for another one");
}

Result<void> CheckLength(const net::Request& request, uint64_t expected) {
  const auto length = request.body->length();
  if (!length || *length == expected) return {};
  return Fail(ErrorCode::kInvalidArgument, "expected {} bytes, found {}", expected, *length);
}

Result<std::unique_ptr<content::FileWriter>> WriterFor(Hub& hub, const LfsTicket& ticket) {
  return hub.content().CreateFile(
      {.sha256 = TRY(ParseSha256(ticket.sha256)), .size = ticket.size, .uploader = ticket.user_id});
}

net::Task<Result<void>> ReceiveObject(Call& call) {
  auto ticket = TicketOf(call, LfsTicket::Purpose::kUpload);
  const LfsTicket allowed = CO_TRY(ticket);
  CO_TRY(CheckLength(call.request, allowed.size));
  auto writer = WriterFor(call.hub(), allowed);
  const auto file = CO_TRY(writer);
  auto taken = co_await net::TakeBlocking(*call.request.body, call.service.workers,
                                          [&](std::span<const std::byte> bytes) { return file->Write(bytes); });
  CO_TRY(taken);
  auto finished = co_await net::RunBlocking(call.service.workers, [&] { return file->Finish(); });
  CO_TRY(finished);
  co_return Result<void>();
}

net::Task<Response> PutObject(Call& call) {
  auto received = co_await ReceiveObject(call);
  if (!received) co_return AsLfsError(call, Refuse(received.error(), ""));
  co_return Response(Status::kOk);
}

// What a ticket is for: content that is here, or a repository that may have it from elsewhere.
struct Wanted {
  std::optional<content::File> file;
  Repository repository;
  git::Pointer pointer;
};

Result<Wanted> FindWanted(Call& call) {
  const LfsTicket ticket = TRY(TicketOf(call, LfsTicket::Purpose::kDownload));
  Wanted wanted = {.file = TRY(call.hub().content().FindBySha256(TRY(ParseSha256(ticket.sha256)))),
                   .repository = {},
                   .pointer = {ticket.sha256, ticket.size}};
  if (wanted.file) return wanted;
  const auto found = TRY(call.hub().repositories().FindById({}, ticket.repository_id));
  if (found) wanted.repository = found->repository;
  return wanted;
}

net::Task<Response> GetObject(Call& call) {
  constexpr std::string_view kMediaType = "application/octet-stream";
  auto wanted = co_await net::RunBlocking(call.service.workers, [&] { return FindWanted(call); });
  if (!wanted) co_return AsLfsError(call, Refuse(wanted.error(), kEntryNotFound));
  if (!wanted->file) {
    auto arriving = co_await ServeArriving(call.service, call.request, wanted->repository, wanted->pointer, kMediaType);
    if (!arriving) co_return AsLfsError(call, Refuse(arriving.error(), kEntryNotFound));
    if (*arriving == nullptr) co_return co_await GetObject(call);
    co_return std::move(**arriving);
  }
  co_return net::ServeContent(
      call.request,
      {.media_type = kMediaType,
       .validators = {.etag = net::StrongEtag(call.Parameter("oid")), .last_modified = {}},
       .size = wanted->file->size,
       .part = [&service = call.service, hash = wanted->file->hash](net::ByteRange range) -> Response::WriteFunction {
         return [&service, hash, range](net::BodyWriter& body) { return WriteStored(service, hash, range, body); };
       }});
}

Result<uint64_t> PartNumber(const Call& call) {
  const std::string& text = call.Parameter("number");
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return Fail(ErrorCode::kInvalidArgument, "expected the number of a part, found \"{}\"",
              std::string_view(text).substr(0, 100));
}

net::Task<Result<std::string>> ReceivePart(Call& call) {
  auto ticket = TicketOf(call, LfsTicket::Purpose::kUpload);
  const LfsTicket allowed = CO_TRY(ticket);
  auto parsed = PartNumber(call);
  const uint64_t number = CO_TRY(parsed);
  net::WorkerPool& workers = call.service.workers;
  auto opened = co_await net::RunBlocking(workers, [&] { return LfsParts::Open(call.hub().data()); });
  LfsParts parts = CO_TRY(opened);
  auto created = co_await net::RunBlocking(workers, [&] { return parts.Create(allowed, number); });
  LfsParts::Writer writer = CO_TRY(created);
  CO_TRY(CheckLength(call.request, LfsPartBytes(allowed.size, number)));
  auto taken = co_await net::TakeBlocking(*call.request.body, workers,
                                          [&](std::span<const std::byte> bytes) { return writer.Write(bytes); });
  CO_TRY(taken);
  co_return co_await net::RunBlocking(workers, [&] { return writer.Finish(); });
}

net::Task<Response> PutPart(Call& call) {
  auto tag = co_await ReceivePart(call);
  if (!tag) co_return AsLfsError(call, Refuse(tag.error(), ""));
  co_return Response(Status::kOk).With("ETag", net::StrongEtag(*tag));
}

// The tags of all parts, in their order, as the client has got them.
Result<std::vector<std::string>> ReadCompletion(std::string_view text, const LfsTicket& ticket) {
  auto value = json::Parse(text, "the request's body", kMaxCompletionValues);
  if (!value || !value->is_object()) {
    return Fail(ErrorCode::kInvalidArgument, "{}",
                value ? "the request's body: expected a JSON object" : value.error().message);
  }
  const json::array* parts = json::FindArray(value->get_object(), "parts");
  const uint64_t count = LfsPartCount(ticket.size);
  if (parts == nullptr || parts->size() != count) {
    return Fail(ErrorCode::kInvalidArgument, "key \"parts\": expected a list of {}", count);
  }
  std::vector<std::string> tags(count);
  for (const json::value& part : *parts) {
    if (!part.is_object()) return Fail(ErrorCode::kInvalidArgument, "key \"parts\": expected objects");
    const uint64_t number = TRY(NeedSize(part.get_object(), "partNumber"));
    std::string tag = TRY(NeedString(part.get_object(), "etag"));
    std::erase(tag, '"');
    if (number < 1 || number > count || !tags[number - 1].empty() || tag.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "key \"parts\": expected the numbers 1 to {}, each once", count);
    }
    tags[number - 1] = std::move(tag);
  }
  return tags;
}

Result<void> CopyPart(const LfsParts& parts, const LfsTicket& ticket, uint64_t number, std::string_view tag,
                      content::FileWriter& file) {
  const auto part = TRY(parts.OpenPart(ticket, number, tag));
  std::vector<std::byte> piece(kCopied);
  for (uint64_t at = 0; at < part->size(); at += piece.size()) {
    const auto some = std::span(piece).first(std::min<uint64_t>(piece.size(), part->size() - at));
    TRY(part->Read(at, some));
    TRY(file.Write(some));
  }
  return {};
}

// Puts the parts together. A client that had no patience may ask again while this goes on, or after: then it is there.
net::Task<Result<void>> CompleteObject(Call& call) {
  auto ticket = TicketOf(call, LfsTicket::Purpose::kUpload);
  const LfsTicket allowed = CO_TRY(ticket);
  auto body = co_await net::ReadAll(*call.request.body, kMaxCompletionBytes);
  const std::string text = CO_TRY(body);
  auto read = ReadCompletion(text, allowed);
  const std::vector<std::string> tags = CO_TRY(read);

  net::WorkerPool& workers = call.service.workers;
  Hub& hub = call.hub();
  auto known =
      co_await net::RunBlocking(workers, [&] { return hub.large_content().SentBy(allowed.user_id, allowed.sha256); });
  if (CO_TRY(known)) co_return Result<void>();
  auto opened = co_await net::RunBlocking(workers, [&] { return LfsParts::Open(hub.data()); });
  LfsParts parts = CO_TRY(opened);
  auto writer = WriterFor(hub, allowed);
  const auto file = CO_TRY(writer);
  for (uint64_t number = 1; number <= tags.size(); number++) {
    auto copied =
        co_await net::RunBlocking(workers, [&] { return CopyPart(parts, allowed, number, tags[number - 1], *file); });
    CO_TRY(copied);
  }
  auto finished = co_await net::RunBlocking(workers, [&]() -> Result<void> {
    TRY(file->Finish());
    for (uint64_t number = 1; number <= tags.size(); number++) TRY(parts.Remove(allowed, number, tags[number - 1]));
    return {};
  });
  co_return finished;
}

net::Task<Response> PostCompletion(Call& call) {
  auto completed = co_await CompleteObject(call);
  if (!completed) co_return AsLfsError(call, Refuse(completed.error(), ""));
  co_return LfsJson(json::object{{"oid", call.Parameter("oid")}});
}

// Whether what was sent has come.
Result<Response> Verify(Call& call) {
  const LfsTicket ticket = TRY(TicketOf(call, LfsTicket::Purpose::kUpload));
  const json::object body = TRY(ParseObject(call.body));
  const std::string oid = TRY(NeedString(body, "oid"));
  const uint64_t size = TRY(NeedSize(body, "size"));
  if (oid != ticket.sha256 || size != ticket.size) {
    return Refuse(Status::kUnprocessableContent, "", "this is not the object that was to be sent");
  }
  if (!TRY(call.hub().large_content().SentBy(ticket.user_id, oid))) {
    return Refuse(Status::kNotFound, kEntryNotFound, "this object has not been sent");
  }
  return LfsJson(json::object{{"oid", oid}, {"size", size}});
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(lfs_objects)(Routes& routes) {
  routes.AddGranted(Method::kPut, "/lfs/objects/{oid}", PutObject, UINT64_MAX);
  routes.AddGranted(Method::kGet, "/lfs/objects/{oid}", GetObject);
  routes.AddGranted(Method::kPut, "/lfs/objects/{oid}/parts/{number}", PutPart, kLfsPartBytes);
  routes.AddGranted(Method::kPost, "/lfs/objects/{oid}/complete", PostCompletion, kMaxCompletionBytes);
  routes.AddGranted(Method::kPost, "/lfs/objects/{oid}/verify", LfsHandler<Verify>);
}
