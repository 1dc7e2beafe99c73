#include "client/hub_api.h"

#include <fmt/format.h>

#include <charconv>

#include "client/file_choice.h"
#include "codec/json.h"
#include "net/executor.h"
#include "net/header_values.h"
#include "net/target.h"

namespace bothy::client {
namespace {

constexpr size_t kMaxInfo = 64 << 20;  // it names all files
constexpr size_t kMaxTreePage = 64 << 20;
constexpr size_t kMaxSmallAnswer = 1 << 20;
constexpr size_t kMaxFiles = 1'000'000;
constexpr int kMaxTreePages = 10'000;
constexpr size_t kMaxShownText = 300;
constexpr std::string_view kLfsMediaType = "application/vnd.git-lfs+json";

// Where a repository's pages are, and git finds it: models need no word before them.
std::string PagePath(const HubName& name) { return name.type == "models" ? name.id : name.type + "/" + name.id; }

// A server's words in a message of ours: on one line, and not too many.
std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, kMaxShownText));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return shown;
}

// {"error": "..."} is what hubs say; anything else is a proxy's page.
std::string ErrorOfBody(std::string_view body) {
  const auto value = json::Parse(body, "error");
  if (!value || !value->is_object()) return "";
  return json::GetString(value->get_object(), "error").value_or(std::nullopt).value_or("");
}

struct Said {
  int status = 0;
  std::string code, message;

  std::string Text() const { return message.empty() ? fmt::format("status {}", status) : message; }
};

Said Listen(net::ClientResponse& response) {
  Said said = {.status = net::Number(response.status), .code = {}, .message = {}};
  said.code = response.headers.Find("X-Error-Code").value_or("");
  said.message = Shown(response.headers.Find("X-Error-Message").value_or(""));
  if (said.message.empty()) {
    if (const auto body = net::RunToCompletion(net::ReadAll(response, kMaxSmallAnswer))) {
      said.message = Shown(ErrorOfBody(*body));
    }
  }
  return said;
}

ErrorCode CodeOf(int status) {
  switch (status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504: return ErrorCode::kUnavailable;
    default: return status < 400 ? ErrorCode::kCorrupt : net::ErrorCodeOf(static_cast<net::Status>(status));
  }
}

bool IsSuccess(const net::ClientResponse& response) { return net::Number(response.status) / 100 == 2; }

Result<std::vector<std::string>> ParseRefs(std::string_view text) {
  const json::value refs = TRY(json::Parse(text, "refs"));
  std::vector<std::string> names;
  for (const std::string_view kind : {"branches", "tags"}) {
    const json::array* list = refs.is_object() ? json::FindArray(refs.get_object(), kind) : nullptr;
    if (list == nullptr) continue;
    for (const json::value& ref : *list) {
      if (!ref.is_object()) continue;
      if (const auto name = TRY(json::GetString(ref.get_object(), "name"))) names.push_back(Shown(*name));
    }
  }
  return names;
}

}  // namespace

std::string HubApi::ApiAddress(const HubName& name) const {
  return fmt::format("{}/api/{}/{}", endpoint_.address, name.type, name.id);
}

net::Headers HubApi::Authorized() const {
  net::Headers headers;
  if (!endpoint_.token.empty()) headers.Add("Authorization", "Bearer " + endpoint_.token);
  return headers;
}

Result<net::ClientResponse> HubApi::Send(std::string address, net::Headers headers, Retries& retries,
                                         std::string body) {
  auto response =
      TRY(net::RunToCompletion(client_.Send({.method = body.empty() ? net::Method::kGet : net::Method::kPost,
                                             .url = std::move(address),
                                             .headers = std::move(headers),
                                             .body = std::move(body),
                                             .cancelled = &cancelled_})));
  if (const auto wait = response.headers.Find("Retry-After")) {
    int seconds = 0;
    const auto [end, error] = std::from_chars(wait->data(), wait->data() + wait->size(), seconds);
    if (error == std::errc() && seconds > 0) retries.Ask(std::chrono::seconds(seconds));
  }
  return response;
}

Error HubApi::Refusal(net::ClientResponse& response, std::string_view what) {
  const Said said = Listen(response);
  return {CodeOf(said.status), fmt::format("{}: {} ({})", what, said.Text(), said.status)};
}

Error HubApi::Explain(net::ClientResponse& response, const HubName& name, std::string_view file) const {
  const Said said = Listen(response);
  const std::string repository = name.FullName();
  const std::string& hub = endpoint_.address;
  const bool anonymous = endpoint_.token.empty();
  const auto error = [&](ErrorCode code, std::string text) {
    return Error{code, fmt::format("{}: {} (the hub said {}: {})", repository, text, said.status, said.Text())};
  };
  if (said.code == "GatedRepo") {
    return error(ErrorCode::kPermissionDenied,
                 fmt::format("its owners let in who asks: ask at {}/{}{}", hub, repository,
                             anonymous ? ", then set HF_TOKEN or log in with `hf auth login`" : ""));
  }
  if (said.code == "RevisionNotFound") {
    return error(ErrorCode::kNotFound, fmt::format("there is no revision {} of it on {}",
                                                   name.revision.empty() ? "main" : name.revision, hub));
  }
  if (said.code == "EntryNotFound") return error(ErrorCode::kNotFound, fmt::format("there is no file {}", file));
  if (said.status == 401 && !anonymous && said.code != "RepoNotFound") {
    return error(
        ErrorCode::kUnauthenticated,
        fmt::format("{} does not take your token: set another one as HF_TOKEN, or log in with `hf auth login`", hub));
  }
  if (said.code == "RepoNotFound" || said.status == 401 || said.status == 404) {
    return error(ErrorCode::kNotFound,
                 fmt::format("there is no such repository on {}, or it is private and {}", hub,
                             anonymous ? "no token was sent: set HF_TOKEN or log in with `hf auth login`"
                                       : "your token may not see it"));
  }
  return error(CodeOf(said.status), file.empty() ? fmt::format("{} refused", hub) : fmt::format("no {}", file));
}

Result<HubApi::Answer> HubApi::Ask(const HubName& name, const std::string& address, const net::Headers& headers,
                                   const std::string& body, size_t limit) {
  const auto try_once = [&](Retries& retries) -> Result<Answer> {
    auto response = TRY(Send(address, headers, retries, body));
    if (!IsSuccess(response)) return tl::unexpected(Explain(response, name, ""));
    std::string answer = TRY_CONTEXT(address, net::RunToCompletion(net::ReadAll(response, limit)));
    return Answer{std::move(answer), std::move(response.headers)};
  };
  Retries retries = NewRetries();
  for (;;) {
    auto answer = try_once(retries);
    if (answer || !retries.Again(answer.error())) return answer;
  }
}

Result<std::string> HubApi::FindCommit(const HubName& name) {
  const std::string revision = name.revision.empty() ? "main" : name.revision;
  const std::string address = fmt::format("{}/revision/{}", ApiAddress(name), net::PercentEncode(revision));
  const auto info = Get(name, address, kMaxInfo);
  if (info) return TRY_CONTEXT(address, ParseCommit(info->body));
  if (info.error().code == ErrorCode::kNotFound) {
    // Where it is only the revision that is missing, others can be named.
    const auto refs = Get(name, ApiAddress(name) + "/refs", kMaxSmallAnswer);
    const auto names = refs ? ParseRefs(refs->body) : Result<std::vector<std::string>>{};
    if (names && !names->empty()) {
      return Fail(ErrorCode::kNotFound, "{}; there are: {}", info.error().message, Listed(*names));
    }
  }
  return tl::unexpected(info.error());
}

Result<RemoteRepository> HubApi::FindRepository(const HubName& name) {
  // Only what is needed: the whole information of a repository may name 100,000 files. Spaces have no gate.
  const std::string_view gated = name.type == "models" || name.type == "datasets" ? "&expand=gated" : "";
  const std::string revision = name.revision.empty() ? "" : "/revision/" + net::PercentEncode(name.revision);
  const std::string address = fmt::format("{}{}?expand=sha&expand=private{}", ApiAddress(name), revision, gated);
  return TRY_CONTEXT(address, ParseRepository(TRY(Get(name, address, kMaxInfo)).body));
}

Result<LargeObject> HubApi::FindLargeObject(const HubName& name, const std::string& sha256, uint64_t size) {
  const std::string address = fmt::format("{}/{}.git/info/lfs/objects/batch", endpoint_.address, PagePath(name));
  const json::object asked = {{"operation", "download"},
                              {"transfers", json::array{"basic"}},
                              {"hash_algo", "sha256"},
                              {"objects", json::array{json::object{{"oid", sha256}, {"size", size}}}}};
  net::Headers headers = Authorized();
  headers.Add("Accept", kLfsMediaType);
  headers.Add("Content-Type", kLfsMediaType);
  return TRY_CONTEXT(
      address,
      ParseLargeObject(TRY(Ask(name, address, headers, json::Serialize(asked), kMaxSmallAnswer)).body, sha256));
}

Result<net::ClientResponse> HubApi::OpenObject(const LargeObject& object, std::string_view what, uint64_t size,
                                               uint64_t begin, uint64_t end, Retries& retries) {
  net::Headers headers;
  for (const auto& [field, value] : object.headers) headers.Add(field, value);
  if (begin > 0 || end < size) headers.Set("Range", fmt::format("bytes={}-{}", begin, end - 1));
  auto response = TRY(Send(object.address, std::move(headers), retries));
  if (!IsSuccess(response)) return tl::unexpected(Refusal(response, what));
  return response;
}

Result<std::vector<RemoteFile>> HubApi::ListFiles(const HubName& name, const std::string& commit) {
  std::vector<RemoteFile> files;
  std::string address = fmt::format("{}/tree/{}?recursive=true&expand=false", ApiAddress(name), commit);
  for (int page = 0; page < kMaxTreePages; page++) {
    const Answer answer = TRY(Get(name, address, kMaxTreePage));
    TRY_CONTEXT(address, ParseTreePage(answer.body, files));
    if (files.size() > kMaxFiles) break;
    const auto next = net::FindLink(answer.headers.Find("Link").value_or(""), "next");
    if (!next) {
      TRY_CONTEXT(name.FullName(), SortFiles(files));
      return files;
    }
    // Only this hub is asked, with the token that is for it, even where a mirror passes on another hub's links.
    const size_t path = next->find("/api/");
    if (path == std::string::npos) {
      return Fail(ErrorCode::kCorrupt, "{}: expected the next page's address, found \"{}\"", address, Shown(*next));
    }
    address = endpoint_.address + next->substr(path);
  }
  return Fail(ErrorCode::kResourceExhausted, "{}: more than {} files, or {} pages of them", name.FullName(), kMaxFiles,
              kMaxTreePages);
}

Result<XetGrant> HubApi::GrantXet(const HubName& name, const std::string& commit) {
  const std::string address = fmt::format("{}/xet-read-token/{}", ApiAddress(name), commit);
  return TRY_CONTEXT(address, ParseXetGrant(TRY(Get(name, address, kMaxSmallAnswer)).body));
}

Result<net::ClientResponse> HubApi::OpenContent(const HubName& name, const std::string& commit, const RemoteFile& file,
                                                uint64_t begin, uint64_t end, Retries& retries) {
  net::Headers headers = Authorized();
  if (begin > 0 || end < file.size) headers.Add("Range", fmt::format("bytes={}-{}", begin, end - 1));
  auto response = TRY(Send(
      fmt::format("{}/{}/resolve/{}/{}", endpoint_.address, PagePath(name), commit, net::PercentEncode(file.path, "/")),
      std::move(headers), retries));
  if (!IsSuccess(response)) return tl::unexpected(Explain(response, name, file.path));
  return response;
}

}  // namespace bothy::client
