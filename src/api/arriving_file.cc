#include "api/arriving_file.h"

#include <algorithm>

#include "api/upstream_refusal.h"
#include "net/blocking_body.h"
#include "net/conditional.h"

namespace bothy::api {
namespace {

// The part of it that one request is for.
struct Part {
  std::shared_ptr<Arriving> file;
  net::ByteRange range;
  std::string begun;  // its first bytes, which were waited for before the answer began
};

net::Task<Result<void>> WritePart(Service& service, std::shared_ptr<const Part> part, net::BodyWriter& body) {
  auto written = co_await body.Write(part->begun);
  CO_TRY(written);
  uint64_t at = part->range.first + part->begun.size();
  const uint64_t end = part->range.first + part->range.length;
  co_return co_await net::GiveBlocking(service.waiting, [&](std::span<std::byte> out) -> Result<size_t> {
    if (at == end) return 0;
    return part->file->Read(at, out.first(std::min<uint64_t>(out.size(), end - at))).map([&](size_t size) {
      at += size;
      return size;
    });
  })(body);
}

Result<bool> Begin(Upstream& upstream, const Repository& mirror, const git::Pointer& pointer, Part& part) {
  part.file = TRY(upstream.Fetch(mirror, pointer));
  if (part.file == nullptr) return false;
  part.begun.resize(std::min<uint64_t>(net::kBlockingPiece, part.range.length));
  if (part.begun.empty()) return true;
  part.begun.resize(
      TRY(part.file->Read(part.range.first, std::as_writable_bytes(std::span(part.begun.data(), part.begun.size())))));
  return true;
}

}  // namespace

net::Task<Result<std::unique_ptr<Response>>> ServeArriving(Service& service, const net::Request& request,
                                                           Repository mirror, git::Pointer pointer,
                                                           std::string_view media_type) {
  if (service.upstream == nullptr || mirror.mirror_of.empty()) {
    co_return Fail(ErrorCode::kNotFound, "the content (SHA-256 {}) is not here", pointer.sha256);
  }
  const auto part = std::make_shared<Part>();
  bool wanted = false;
  auto response = std::make_unique<Response>(net::ServeContent(
      request, {.media_type = media_type,
                .validators = {.etag = net::StrongEtag(pointer.sha256), .last_modified = {}},
                .size = pointer.size,
                .part = [&](net::ByteRange range) -> Response::WriteFunction {
                  wanted = true;
                  part->range = range;
                  return [&service, part](net::BodyWriter& body) { return WritePart(service, part, body); };
                }}));
  if (!wanted || request.method != Method::kGet) co_return response;
  auto begun =
      co_await net::RunBlocking(service.waiting, [&] { return Begin(*service.upstream, mirror, pointer, *part); });
  if (!begun) co_return std::make_unique<Response>(RefuseForUpstream(begun.error()));
  if (!*begun) co_return nullptr;
  co_return response;
}

}  // namespace bothy::api
