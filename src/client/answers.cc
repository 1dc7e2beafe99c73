#include "client/answers.h"

#include <algorithm>
#include <map>

#include "client/file_choice.h"
#include "codec/json.h"
#include "codec/xet/xorb_format.h"

namespace bothy::client {
namespace {

// 100,000 files of 10 values each, and more, in one page.
constexpr size_t kMaxValues = 4'000'000;
constexpr int64_t kMaxFileSize = int64_t{1} << 50;
constexpr int64_t kTreeFormat = 1;
// Of an answer: a term is at least a chunk, and only the last one of a file is shorter than 8 KiB, so that these make
// 128 MiB.
constexpr size_t kMaxTerms = 16'384;
constexpr int64_t kMaxStatus = 999;
constexpr size_t kMaxHeaders = 20;

Result<json::object> ParseObject(std::string_view text, std::string_view name) {
  json::value value = TRY(json::Parse(text, name, kMaxValues));
  if (!value.is_object()) return Fail(ErrorCode::kCorrupt, "{}: expected an object", name);
  return std::move(value.get_object());
}

tl::unexpected<Error> Expected(std::string_view key, std::string_view what) {
  return Fail(ErrorCode::kCorrupt, "key \"{}\": expected {}", key, what);
}

Result<std::string> NeedString(const json::object& from, std::string_view key) {
  auto text = TRY(json::GetString(from, key));
  if (!text) return Expected(key, "a string");
  return *std::move(text);
}

Result<std::string> NeedHex(const json::object& from, std::string_view key, size_t digits) {
  std::string text = TRY(NeedString(from, key));
  if (!IsHex(text, digits)) return Expected(key, fmt::format("{} hexadecimal digits", digits));
  return text;
}

Result<int64_t> NeedNumber(const json::object& from, std::string_view key, int64_t max) {
  const auto number = TRY(json::GetInt(from, key));
  if (!number || *number < 0 || *number > max) return Expected(key, fmt::format("a number of 0 to {}", max));
  return *number;
}

Result<std::optional<xet::Hash>> FindHash(const json::object& from, std::string_view key) {
  const auto text = TRY(json::GetString(from, key));
  if (!text) return std::nullopt;
  const auto hash = xet::FromText(*text);
  if (!hash) return Expected(key, "64 hexadecimal digits");
  return hash;
}

Result<RemoteFile> ParseTreeEntry(const json::object& entry, std::string path) {
  RemoteFile file = {.path = std::move(path),
                     .size = static_cast<uint64_t>(TRY(NeedNumber(entry, "size", kMaxFileSize))),
                     .blob = TRY(NeedHex(entry, "oid", kCommitDigits)),
                     .sha256 = {},
                     .xet = TRY(FindHash(entry, "xetHash"))};
  if (const json::object* large = json::FindObject(entry, "lfs")) {
    file.sha256 = TRY(NeedHex(*large, "oid", kSha256Digits));
    file.size = static_cast<uint64_t>(TRY(NeedNumber(*large, "size", kMaxFileSize)));
  }
  return file;
}

Result<RemoteFile> ParseCachedEntry(const json::object& entry, std::string path) {
  RemoteFile file = {.path = std::move(path),
                     .size = static_cast<uint64_t>(TRY(NeedNumber(entry, "size", kMaxFileSize))),
                     .blob = TRY(NeedHex(entry, "blob_id", kCommitDigits)),
                     .sha256 = {},
                     .xet = TRY(FindHash(entry, "xet_hash"))};
  if (TRY(json::GetString(entry, "lfs_sha256"))) {
    file.sha256 = TRY(NeedHex(entry, "lfs_sha256", kSha256Digits));
    file.size = static_cast<uint64_t>(TRY(NeedNumber(entry, "lfs_size", kMaxFileSize)));
  }
  return file;
}

Result<std::string> CheckPath(std::string_view path) {
  if (IsInnerPath(path)) return std::string(path);
  return Fail(ErrorCode::kCorrupt, "the list of files has \"{}\", which no file may be called", path);
}

bool IsAddress(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

// Nothing in it ends a line of a request.
bool IsPlain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

struct Bounds {
  uint32_t begin = 0, end = 0;
};

// A range of chunks, whose end is not part of it, or of bytes, whose end is.
Result<Bounds> ParseBounds(const json::object& from, std::string_view key, uint32_t max, bool inclusive) {
  const json::object* range = json::FindObject(from, key);
  if (range == nullptr) return Expected(key, "an object");
  const auto begin = static_cast<uint32_t>(TRY_CONTEXT(key, NeedNumber(*range, "start", max)));
  const auto end = static_cast<uint32_t>(TRY_CONTEXT(key, NeedNumber(*range, "end", max))) + (inclusive ? 1 : 0);
  if (end <= begin) return Expected(key, "an end after its start");
  return Bounds{begin, end};
}

Result<XetPlan::Fetch> MakeFetch(std::string address, const json::object& from, std::string_view chunks_key,
                                 std::string_view bytes_key) {
  if (!IsAddress(address)) return Expected("url", "an address");
  const Bounds chunks = TRY(ParseBounds(from, chunks_key, xet::kMaxXorbChunks, false));
  const Bounds bytes = TRY(ParseBounds(from, bytes_key, xet::kMaxXorbStoredBytes, true));
  return XetPlan::Fetch{std::move(address), chunks.begin, chunks.end, bytes.begin, bytes.end};
}

// {"range": {...}, "url": ..., "url_range": {...}}
Result<void> AddFetches1(const json::object& entry, std::vector<XetPlan::Fetch>& fetches) {
  fetches.push_back(TRY(MakeFetch(TRY(NeedString(entry, "url")), entry, "range", "url_range")));
  return {};
}

// {"url": ..., "ranges": [{"chunks": {...}, "bytes": {...}}, ...]}
Result<void> AddFetches2(const json::object& entry, std::vector<XetPlan::Fetch>& fetches) {
  const std::string address = TRY(NeedString(entry, "url"));
  const json::array* ranges = json::FindArray(entry, "ranges");
  if (ranges == nullptr) return Expected("ranges", "a list");
  for (const json::value& range : *ranges) {
    if (!range.is_object()) return Expected("ranges", "a list of objects");
    fetches.push_back(TRY(MakeFetch(address, range.get_object(), "chunks", "bytes")));
  }
  return {};
}

using FetchesOfXorbs = std::map<xet::Hash, std::vector<XetPlan::Fetch>>;

Result<FetchesOfXorbs> ParseFetches(const json::object& answer) {
  FetchesOfXorbs all;
  const bool version2 = answer.contains("xorbs");
  const std::string_view key = version2 ? "xorbs" : "fetch_info";
  const json::object* xorbs = json::FindObject(answer, key);
  if (xorbs == nullptr) return Expected(key, "an object");
  for (const auto& [name, list] : *xorbs) {
    const auto hash = xet::FromText(name);
    if (!hash || !list.is_array()) return Expected(key, "lists by hashes");
    for (const json::value& entry : list.get_array()) {
      if (!entry.is_object()) return Expected(key, "lists of objects");
      auto& fetches = all[*hash];
      TRY(version2 ? AddFetches2(entry.get_object(), fetches) : AddFetches1(entry.get_object(), fetches));
    }
  }
  return all;
}

}  // namespace

bool IsHex(std::string_view text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> ParseCommit(std::string_view text) {
  return NeedHex(TRY(ParseObject(text, "info")), "sha", kCommitDigits);
}

Result<RemoteRepository> ParseRepository(std::string_view text) {
  const json::object info = TRY(ParseObject(text, "info"));
  RemoteRepository repository = {.id = TRY(NeedString(info, "id")),
                                 .commit = TRY(NeedHex(info, "sha", kCommitDigits)),
                                 .is_private = TRY(json::GetBool(info, "private")).value_or(false),
                                 .gated = {}};
  const json::value* gated = info.if_contains("gated");
  if (gated == nullptr || gated->is_null() || (gated->is_bool() && !gated->get_bool())) return repository;
  repository.gated = TRY(NeedString(info, "gated"));
  if (repository.gated != "auto" && repository.gated != "manual") return Expected("gated", "false, auto or manual");
  return repository;
}

Result<LargeObject> ParseLargeObject(std::string_view text, std::string_view sha256) {
  const json::object answer = TRY(ParseObject(text, "objects"));
  const json::array* objects = json::FindArray(answer, "objects");
  if (objects == nullptr || objects->size() != 1 || !objects->front().is_object()) {
    return Expected("objects", "a list of the one that was asked for");
  }
  const json::object& object = objects->front().get_object();
  if (TRY(NeedString(object, "oid")) != sha256) return Expected("oid", sha256);
  if (const json::object* error = json::FindObject(object, "error")) {
    const int64_t code = TRY(NeedNumber(*error, "code", kMaxStatus));
    return Fail(code == 404 || code == 410 ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition,
                "large file {}: the hub said {}", sha256, code);
  }
  const json::object* actions = json::FindObject(object, "actions");
  const json::object* download = actions == nullptr ? nullptr : json::FindObject(*actions, "download");
  if (download == nullptr) return Expected("download", "an object");
  LargeObject found = {.address = TRY(NeedString(*download, "href")), .headers = {}};
  if (!IsAddress(found.address) || !IsPlain(found.address)) return Expected("href", "an address");
  if (const json::object* header = json::FindObject(*download, "header")) {
    if (header->size() > kMaxHeaders) return Expected("header", fmt::format("at most {}", kMaxHeaders));
    for (const auto& [name, value] : *header) {
      std::string field = TRY(NeedString(*header, name));
      if (!IsPlain(name) || !IsPlain(field)) return Expected("header", "fields without control characters");
      found.headers.emplace_back(name, std::move(field));
    }
  }
  return found;
}

Result<void> ParseTreePage(std::string_view text, std::vector<RemoteFile>& files) {
  const json::value page = TRY(json::Parse(text, "tree", kMaxValues));
  if (!page.is_array()) return Fail(ErrorCode::kCorrupt, "tree: expected a list");
  for (const json::value& value : page.get_array()) {
    if (!value.is_object()) return Fail(ErrorCode::kCorrupt, "tree: expected a list of objects");
    const json::object& entry = value.get_object();
    if (TRY(NeedString(entry, "type")) != "file") continue;
    std::string path = TRY(CheckPath(TRY(NeedString(entry, "path"))));
    const std::string context = path;
    files.push_back(TRY_CONTEXT(context, ParseTreeEntry(entry, std::move(path))));
  }
  return {};
}

Result<void> SortFiles(std::vector<RemoteFile>& files) {
  std::ranges::sort(files, {}, &RemoteFile::path);
  const auto twice = std::ranges::adjacent_find(files, {}, &RemoteFile::path);
  if (twice == files.end()) return {};
  return Fail(ErrorCode::kCorrupt, "tree: \"{}\" is there twice", twice->path);
}

Result<std::vector<RemoteFile>> ParseTreeFile(std::string_view text) {
  const json::object tree = TRY(ParseObject(text, "tree"));
  if (TRY(NeedNumber(tree, "format_version", INT64_MAX)) != kTreeFormat) {
    return Fail(ErrorCode::kUnimplemented, "tree: expected format {}", kTreeFormat);
  }
  const json::object* entries = json::FindObject(tree, "files");
  if (entries == nullptr) return Expected("files", "an object");
  std::vector<RemoteFile> files;
  for (const auto& [path, entry] : *entries) {
    if (!entry.is_object()) return Expected("files", "objects by paths");
    std::string checked = TRY(CheckPath(path));
    files.push_back(TRY_CONTEXT(path, ParseCachedEntry(entry.get_object(), std::move(checked))));
  }
  TRY(SortFiles(files));
  return files;
}

std::string WriteTreeFile(const std::vector<RemoteFile>& files) {
  json::object entries;
  for (const RemoteFile& file : files) {
    json::object entry = {{"size", file.size}, {"blob_id", file.blob}};
    if (file.sha256) {
      entry["lfs_sha256"] = *file.sha256;
      entry["lfs_size"] = file.size;
    }
    if (file.xet) entry["xet_hash"] = xet::ToText(*file.xet);
    entries[file.path] = std::move(entry);
  }
  return json::Serialize(json::object{{"format_version", kTreeFormat}, {"files", std::move(entries)}});
}

Result<XetGrant> ParseXetGrant(std::string_view text) {
  const json::object answer = TRY(ParseObject(text, "xet token"));
  XetGrant grant = {.address = TRY(NeedString(answer, "casUrl")),
                    .token = TRY(NeedString(answer, "accessToken")),
                    .expires = TRY(NeedNumber(answer, "exp", INT64_MAX))};
  while (grant.address.ends_with('/')) grant.address.pop_back();
  if (!IsAddress(grant.address)) return Expected("casUrl", "an address");
  return grant;
}

Result<XetPlan> ParseXetPlan(std::string_view text) {
  const json::object answer = TRY(ParseObject(text, "reconstruction"));
  XetPlan plan;
  plan.offset_into_first =
      static_cast<uint64_t>(TRY(NeedNumber(answer, "offset_into_first_range", xet::kMaxXorbRawBytes)));
  const FetchesOfXorbs fetches = TRY(ParseFetches(answer));
  const json::array* terms = json::FindArray(answer, "terms");
  if (terms == nullptr || terms->empty()) return Expected("terms", "a list of at least one");
  if (terms->size() > kMaxTerms) return Expected("terms", fmt::format("at most {}", kMaxTerms));
  std::map<const XetPlan::Fetch*, size_t> used;
  for (const json::value& value : *terms) {
    if (!value.is_object()) return Expected("terms", "a list of objects");
    const json::object& from = value.get_object();
    const auto xorb = TRY(FindHash(from, "hash"));
    if (!xorb) return Expected("hash", "64 hexadecimal digits");
    const Bounds chunks = TRY(ParseBounds(from, "range", xet::kMaxXorbChunks, false));
    const auto bytes = static_cast<uint32_t>(TRY(NeedNumber(from, "unpacked_length", xet::kMaxXorbRawBytes)));
    if (bytes == 0) return Expected("unpacked_length", "more than nothing");
    const auto of_xorb = fetches.find(*xorb);
    const auto covers = [&](const XetPlan::Fetch& fetch) {
      return fetch.chunk_begin <= chunks.begin && chunks.end <= fetch.chunk_end;
    };
    const auto fetch =
        of_xorb == fetches.end() ? decltype(of_xorb->second.begin()){} : std::ranges::find_if(of_xorb->second, covers);
    if (of_xorb == fetches.end() || fetch == of_xorb->second.end()) {
      return Fail(ErrorCode::kCorrupt, "reconstruction: nothing has chunks {} to {} of xorb {}", chunks.begin,
                  chunks.end, xet::ToText(*xorb));
    }
    const auto [place, is_new] = used.try_emplace(&*fetch, plan.fetches.size());
    if (is_new) plan.fetches.push_back(*fetch);
    plan.terms.push_back({*xorb, bytes, chunks.begin, chunks.end, place->second});
  }
  if (plan.offset_into_first >= plan.terms.front().raw_bytes) {
    return Expected("offset_into_first_range", "an offset in the first term");
  }
  return plan;
}

}  // namespace bothy::client
