// What clients of Xet fetch: how a file is put together, and the parts of xorbs that it is made of.
#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "api/xet/grant.h"
#include "base/hex.h"
#include "net/conditional.h"

namespace bothy::api {
namespace {

constexpr std::string_view kXorbPurpose = "xorb bytes";
// A slow client fetches for long after it was told where; on 403 it asks again.
constexpr std::chrono::hours kXorbAddressLifetime{1};

// A signed address of some bytes of a xorb, good without a login.
std::string XorbAddress(Call& call, const std::string& hash, const xet::FetchRange& range) {
  const std::string ticket =
      call.hub().signatures().Sign(kXorbPurpose, fmt::format("{}-{}-{}", hash, range.byte_begin, range.byte_end),
                                   call.hub().now() + kXorbAddressLifetime);
  return fmt::format("{}{}/xorbs/{}?ticket={}", call.request.base_url, kXetPrefix, hash, ticket);
}

json::object Range(uint32_t begin, uint32_t end) { return {{"start", begin}, {"end", end}}; }

json::array Terms(const xet::Reconstruction& file) {
  json::array terms;
  for (const xet::Segment& segment : file.segments) {
    terms.push_back(json::object{{"hash", xet::ToText(segment.xorb)},
                                 {"unpacked_length", segment.raw_bytes},
                                 {"range", Range(segment.chunk_begin, segment.chunk_end)}});
  }
  return terms;
}

// Ends of bytes are inclusive, ends of chunks are not.
json::object FetchesOfVersion1(Call& call, const xet::Reconstruction& file) {
  json::object fetches;
  for (const auto& [xorb, ranges] : file.fetches) {
    const std::string hash = xet::ToText(xorb);
    json::array list;
    for (const xet::FetchRange& range : ranges) {
      list.push_back(json::object{{"range", Range(range.chunk_begin, range.chunk_end)},
                                  {"url", XorbAddress(call, hash, range)},
                                  {"url_range", Range(range.byte_begin, range.byte_end - 1)}});
    }
    fetches[hash] = std::move(list);
  }
  return fetches;
}

// One range an entry, so that nobody asks for several at once.
json::object FetchesOfVersion2(Call& call, const xet::Reconstruction& file) {
  json::object fetches;
  for (const auto& [xorb, ranges] : file.fetches) {
    const std::string hash = xet::ToText(xorb);
    json::array list;
    for (const xet::FetchRange& range : ranges) {
      list.push_back(
          json::object{{"url", XorbAddress(call, hash, range)},
                       {"ranges", json::array{json::object{{"chunks", Range(range.chunk_begin, range.chunk_end)},
                                                           {"bytes", Range(range.byte_begin, range.byte_end - 1)}}}}});
    }
    fetches[hash] = std::move(list);
  }
  return fetches;
}

// The content of a file that the grant's repository has; nothing where it has none such.
Result<std::optional<content::File>> FindGranted(Call& call, const XetGrant& grant) {
  const auto file = TRY(call.hub().content().FindByHash(TRY(HashOf(call))));
  if (!file) return std::nullopt;
  if (TRY(HasContent(call.hub().database(), grant.repository_id, EncodeHex(file->sha256)))) return file;
  return std::nullopt;
}

Result<Response> Reconstruct(Call& call, int version) {
  const auto grant = NeedXetGrant(call, false);
  if (!grant) return grant.error();
  const auto file = TRY(FindGranted(call, *grant));
  if (!file) return Refuse(Status::kNotFound, "", "this repository has no such file");
  // By 416 clients find the end of the file.
  const auto selected = net::SelectRange(call.request.headers, {}, file->size);
  if (selected.kind == net::RangeSelection::kUnsatisfiable) {
    return Refuse(Status::kRangeNotSatisfiable, "", "the range begins after the end of the file")
        .With("Content-Range", net::UnsatisfiableContentRange(file->size));
  }
  const bool part = selected.kind == net::RangeSelection::kPart;
  const uint64_t begin = part ? selected.part.first : 0;
  const uint64_t end = part ? begin + selected.part.length : file->size;
  const xet::Reconstruction how = TRY(call.hub().content().Reconstruct(file->hash, begin, end));
  json::object answer = {{"offset_into_first_range", how.offset_into_first}, {"terms", Terms(how)}};
  if (version == 1) {
    answer["fetch_info"] = FetchesOfVersion1(call, how);
  } else {
    answer["xorbs"] = FetchesOfVersion2(call, how);
  }
  return Json(answer);
}

Result<Response> ReconstructVersion1(Call& call) { return Reconstruct(call, 1); }
Result<Response> ReconstructVersion2(Call& call) { return Reconstruct(call, 2); }

// The bytes of the xorb that a ticket is for.
std::optional<net::ByteRange> OpenTicket(Call& call) {
  const auto text = call.hub().signatures().Open(kXorbPurpose, call.Query("ticket"));
  const std::string& hash = call.Parameter("hash");
  if (!text || !text->starts_with(hash + "-")) return std::nullopt;
  uint64_t begin = 0, end = 0;
  const char* last = text->data() + text->size();
  const auto [dash, error] = std::from_chars(text->data() + hash.size() + 1, last, begin);
  if (error != std::errc() || dash == last) return std::nullopt;
  std::from_chars(dash + 1, last, end);
  return net::ByteRange{begin, end - begin};
}

struct OpenPart {
  content::XorbPart part;
  std::shared_ptr<const net::FileHandle> file;
  uint32_t view_bytes = 0;
};

Result<OpenPart> Open(Hub& hub, const xet::Hash& hash, const net::ByteRange& range) {
  const auto info = TRY(hub.content().FindXorb(hash));
  if (!info) return Fail(ErrorCode::kNotFound, "there is no such xorb");
  OpenPart open = {.part = TRY(hub.content().XorbBytes(hash, range.first, range.first + range.length)),
                   .file = nullptr,
                   .view_bytes = info->view_bytes};
  const auto slice = TRY(hub.blobs().OpenSlice(open.part.blob, 0, info->raw_bytes));
  if (!slice) return Fail(ErrorCode::kUnimplemented, "blobs that are no files cannot be sent yet");
  const int descriptor = dup(slice->fd());
  if (descriptor < 0) return Fail(ErrorCode::kUnavailable, "no file can be opened: {}", strerror(errno));
  open.file = std::make_shared<net::FileHandle>(descriptor);
  return open;
}

net::Task<Result<void>> WritePart(std::shared_ptr<const OpenPart> open, net::BodyWriter& body) {
  for (const xet::ViewPiece& piece : open->part.pieces) {
    if (!piece.header_bytes().empty()) {
      auto written = co_await body.Write(piece.header_bytes());
      CO_TRY(written);
    }
    if (piece.raw_end > piece.raw_begin) {
      auto written = co_await body.WriteFile({open->file, piece.raw_begin, piece.raw_end - piece.raw_begin});
      CO_TRY(written);
    }
  }
  co_return Result<void>();
}

net::Task<Response> SendXorb(Call& call) {
  const auto allowed = OpenTicket(call);
  if (!allowed) co_return Refuse(Status::kForbidden, "", "This address is wrong or has expired: ask for another one");
  const auto hash = HashOf(call);
  if (!hash) co_return Refuse(hash.error(), "");
  const auto selected = net::SelectRange(call.request.headers, {}, allowed->first + allowed->length);
  if (selected.kind != net::RangeSelection::kPart || selected.part.first < allowed->first) {
    co_return Refuse(Status::kForbidden, "", "This address is for fewer bytes: ask for the range that you were given");
  }
  const net::ByteRange range = selected.part;
  auto opened = co_await net::RunBlocking(call.service.workers, [&] { return Open(call.hub(), *hash, range); });
  if (!opened) co_return Refuse(opened.error(), "");
  const auto open = std::make_shared<const OpenPart>(*std::move(opened));
  co_return Response::Stream(
      Status::kPartialContent, "application/octet-stream",
      [open](net::BodyWriter& body) { return WritePart(open, body); }, range.length)
      .With("Content-Range", net::ContentRange(range, open->view_bytes));
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(xet_download)(Routes& routes) {
  const std::string prefix(kXetPrefix);
  routes.AddGranted(Method::kGet, prefix + "/v1/reconstructions/{hash}", ReconstructVersion1);
  routes.AddGranted(Method::kGet, prefix + "/reconstructions/{hash}", ReconstructVersion1);  // of hf-xet 1.2
  routes.AddGranted(Method::kGet, prefix + "/v2/reconstructions/{hash}", ReconstructVersion2);
  routes.AddGranted(Method::kGet, prefix + "/xorbs/{hash}", SendXorb);
}
