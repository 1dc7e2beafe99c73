// The files of a revision, by folder and by name.
#include <charconv>

#include "api/hf/entry_json.h"
#include "api/route.h"
#include "net/form.h"
#include "net/header_values.h"

namespace bothy::api {
namespace {

constexpr uint64_t kMaxPathsBytes = 4 << 20;  // RepositoryFiles::kMaxPaths of 4 kB each

// The address of the next page: that of this one with another cursor.
std::string NextPage(const Call& call, std::string_view cursor) {
  std::string address = call.request.base_url + call.request.path;
  char separator = '?';
  const auto add = [&](std::string_view name, std::string_view value) {
    address += separator;
    address += net::PercentEncode(name) + "=" + net::PercentEncode(value);
    separator = '&';
  };
  for (const auto& [name, value] : call.query) {
    if (name != "cursor") add(name, value);
  }
  add("cursor", cursor);
  return address;
}

Result<Response> ListTree(Call& call) {
  const RepositoryFiles files = TRY(call.Files());
  const git::Oid commit = OR_REFUSE(kRevisionNotFound, files.Resolve(call.Parameter("revision")));
  TreeOptions options = {.folder = call.Parameter("path"),
                         .recursive = call.QueryFlag("recursive"),
                         .expand = call.QueryFlag("expand"),
                         .cursor = std::string(call.Query("cursor")),
                         .limit = TreeOptions::kMaxLimit};
  if (const std::string_view limit = call.Query("limit"); !limit.empty()) {
    const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), options.limit);
    if (error != std::errc() || end != limit.data() + limit.size() || options.limit == 0) {
      return Fail(ErrorCode::kInvalidArgument, "parameter \"limit\": expected a number above 0, found \"{}\"", limit);
    }
  }
  while (options.folder.ends_with('/')) options.folder.pop_back();
  const TreePage page = OR_REFUSE(kEntryNotFound, files.ListTree(commit, options));
  json::array entries;
  for (const RepositoryEntry& entry : page.entries) entries.push_back(EntryJson(entry));
  Response response = Json(entries);
  response.headers.Set("X-Repo-Commit", commit.ToHex());
  if (!page.cursor.empty()) response.headers.Set("Link", net::Link(NextPage(call, page.cursor), "next"));
  return response;
}

struct WantedPaths {
  std::vector<std::string> paths;
  bool expand = false;
};

// JavaScript's client sends JSON, Python's a form.
Result<WantedPaths> ReadPaths(const Call& call) {
  const std::string_view type = call.request.headers.Find("Content-Type").value_or("");
  if (type.starts_with("application/x-www-form-urlencoded")) {
    // Names, and "expand".
    const auto form = TRY(net::QueryParameters::Parse(call.body, RepositoryFiles::kMaxPaths + 1));
    WantedPaths wanted;
    for (const std::string_view path : form.FindAll("paths")) wanted.paths.emplace_back(path);
    const std::string_view expand = form.Find("expand").value_or("");
    wanted.expand = expand == "true" || expand == "True" || expand == "1";
    return wanted;
  }
  const json::object body = TRY(ParseObject(call.body));
  return WantedPaths{TRY(FindStrings(body, "paths")), TRY(FindBool(body, "expand")).value_or(false)};
}

Result<Response> FindPaths(Call& call) {
  const WantedPaths wanted = TRY(ReadPaths(call));
  const RepositoryFiles files = TRY(call.Files());
  const git::Oid commit = OR_REFUSE(kRevisionNotFound, files.Resolve(call.Parameter("revision")));
  json::array entries;
  for (const RepositoryEntry& entry : TRY(files.FindPaths(commit, wanted.paths, wanted.expand))) {
    entries.push_back(EntryJson(entry));
  }
  return Json(entries);
}

Result<Response> TreeSize(Call& call) {
  const RepositoryFiles files = TRY(call.Files());
  const git::Oid commit = OR_REFUSE(kRevisionNotFound, files.Resolve(call.Parameter("revision")));
  const std::string& folder = call.Parameter("path");
  const uint64_t size = OR_REFUSE(kEntryNotFound, files.TreeSize(commit, folder));
  return Json(json::object{{"path", "/" + folder}, {"size", size}});
}

}  // namespace
}  // namespace bothy::api

BOTHY_ROUTES(tree)(Routes& routes) {
  routes.Repository(Method::kGet, "/tree/{revision}", Right::kSee, ListTree);
  routes.Repository(Method::kGet, "/tree/{revision}/{path...}", Right::kSee, ListTree);
  routes.Repository(Method::kGet, "/treesize/{revision}", Right::kSee, TreeSize);
  routes.Repository(Method::kGet, "/treesize/{revision}/{path...}", Right::kSee, TreeSize);
  routes.Repository(Method::kPost, "/paths-info/{revision}", Right::kSee, FindPaths, kMaxPathsBytes);
}
