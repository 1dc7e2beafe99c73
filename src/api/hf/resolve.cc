// A file of a revision: its bytes, or some of them.
#include <fmt/format.h>

#include "api/arriving_file.h"
#include "api/route.h"
#include "api/stored_file.h"
#include "net/conditional.h"
#include "net/header_values.h"

namespace bothy::api {
namespace {

// What a commit may hold without a pointer is small, but git itself may bring more.
constexpr uint64_t kMaxInMemory = 64 << 20;

std::string_view MediaType(std::string_view path) {
  for (const std::string_view text : {".md", ".txt", ".py", ".yaml", ".yml", ".jsonl", ".csv", ".gitattributes"}) {
    if (path.ends_with(text)) return "text/plain; charset=utf-8";
  }
  if (path.ends_with(".json")) return "application/json";
  if (path.ends_with(".png")) return "image/png";
  if (path.ends_with(".jpg") || path.ends_with(".jpeg")) return "image/jpeg";
  return "application/octet-stream";
}

// What clients ask Xet's storage with.
void AddXetHeaders(const Call& call, const git::Oid& commit, const std::string& hash, net::Headers& headers) {
  const std::string token =
      fmt::format("{}/api/{}/{}/xet-read-token/{}", call.request.base_url, KindPlural(call.repository().kind),
                  call.repository().FullName(), commit.ToHex());
  headers.Set("X-Xet-Hash", hash);
  headers.Set("X-Xet-Refresh-Route", token);
  headers.Set("Link", net::Link(token, "xet-auth") + ", " +
                          net::Link(fmt::format("{}/xet/v1/reconstructions/{}", call.request.base_url, hash),
                                    "xet-reconstruction-info"));
}

net::Response::WriteFunction WriteText(std::shared_ptr<const std::string> text, net::ByteRange range) {
  return [text = std::move(text), range](net::BodyWriter& body) {
    return body.Write(std::string_view(*text).substr(range.first, range.length));
  };
}

struct Found {
  git::Oid commit;
  RepositoryEntry file;
  std::optional<xet::Hash> hash;               // of a large file; nothing where that is still to come from another hub
  std::shared_ptr<const std::string> content;  // of another
};

Result<std::shared_ptr<const std::string>> ReadContent(const RepositoryFiles& files, const RepositoryEntry& file) {
  const auto source = TRY(files.Open(file, kMaxInMemory));
  auto text = std::make_shared<std::string>(source->size(), '\0');
  TRY(source->Read(0, std::as_writable_bytes(std::span(*text))));
  return text;
}

// A refusal where the file, its revision or its content is not there.
Result<tl::expected<Found, Response>> Find(Call& call) {
  const auto refuse = [](const Error& error, std::string_view code) { return tl::unexpected(Refuse(error, code)); };
  const RepositoryFiles files = TRY(call.Files());
  const auto commit = files.Resolve(call.Parameter("revision"));
  if (!commit) return refuse(commit.error(), kRevisionNotFound);
  // Clients remember that the file is not in this commit.
  const auto not_there = [&](const Error& error) {
    Response response = Refuse(error, kEntryNotFound);
    response.headers.Set("X-Repo-Commit", commit->ToHex());
    return tl::unexpected(std::move(response));
  };
  auto file = files.FindFile(*commit, call.Parameter("path"));
  if (!file) return not_there(file.error());
  Found found = {.commit = *commit, .file = *std::move(file), .hash = {}, .content = {}};
  if (!found.file.pointer) {
    found.content = TRY(ReadContent(files, found.file));
    return found;
  }
  const auto stored = TRY(call.hub().content().FindBySha256(TRY(ParseSha256(found.file.pointer->sha256))));
  if (!stored && call.service.upstream != nullptr && !call.repository().mirror_of.empty()) return found;
  if (!stored) {
    return not_there({ErrorCode::kNotFound, fmt::format("{}: its content (SHA-256 {}) is not here", found.file.path,
                                                        found.file.pointer->sha256)});
  }
  found.hash = stored->hash;
  return found;
}

net::Task<Response> Resolve(Call& call) {
  auto looked = co_await net::RunBlocking(call.service.workers, [&] { return Find(call); });
  if (!looked) co_return Refuse(looked.error(), "");
  if (!*looked) co_return std::move(*looked).error();
  const Found& found = **looked;
  const std::string etag = net::StrongEtag(found.file.ETag());
  const auto add_headers = [&](Response& response) {
    response.headers.Set("X-Repo-Commit", found.commit.ToHex());
    const std::string& path = found.file.path;
    response.headers.Set("Content-Disposition", net::ContentDisposition("inline", path.substr(path.rfind('/') + 1)));
    // A page of a repository must not act as a page of the hub.
    response.headers.Set("Content-Security-Policy", "default-src 'none'; sandbox");
    response.headers.Set("X-Content-Type-Options", "nosniff");
    if (!found.file.pointer) return;
    response.headers.Set("X-Linked-Size", std::to_string(found.file.size));
    response.headers.Set("X-Linked-Etag", etag);
    if (found.hash) AddXetHeaders(call, found.commit, xet::ToText(*found.hash), response.headers);
  };
  if (found.file.pointer && !found.hash) {
    auto arriving = co_await ServeArriving(call.service, call.request, call.repository(), *found.file.pointer,
                                           MediaType(found.file.path));
    if (!arriving) co_return Refuse(arriving.error(), kEntryNotFound);
    if (*arriving == nullptr) co_return co_await Resolve(call);
    if (net::Number((*arriving)->status) < net::Number(Status::kInternalServerError)) add_headers(**arriving);
    co_return std::move(**arriving);
  }
  // JavaScript's client asks so what it needs for a download by Xet.
  if (found.hash && call.request.headers.ListHas("Accept", "application/vnd.xet-fileinfo+json")) {
    Response response = Json(json::object{{"hash", xet::ToText(*found.hash)}, {"size", found.file.size}});
    response.headers.Set("Content-Type", "application/vnd.xet-fileinfo+json");
    response.headers.Set("ETag", etag);
    add_headers(response);
    co_return response;
  }
  const net::WrittenContent content = {.media_type = MediaType(found.file.path),
                                       .validators = {.etag = etag, .last_modified = {}},
                                       .size = found.file.size,
                                       .part = [&](net::ByteRange range) -> Response::WriteFunction {
                                         if (!found.hash) return WriteText(found.content, range);
                                         return [&service = call.service, hash = *found.hash,
                                                 range](net::BodyWriter& body) {
                                           return WriteStored(service, hash, range, body);
                                         };
                                       }};
  Response response = net::ServeContent(call.request, content);
  add_headers(response);
  co_return response;
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(resolve)(Routes& routes) {
  routes.Page(Method::kGet, "/resolve/{revision}/{path...}", Right::kReadContent, Resolve);
  routes.Page(Method::kGet, "/raw/{revision}/{path...}", Right::kReadContent, Resolve);
}
