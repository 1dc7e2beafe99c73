#include "client/hub_cache.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/byte_source.h"
#include "client/file_choice.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTypes[] = {"models", "datasets", "spaces"};
constexpr std::string_view kSeparator = "--";
constexpr size_t kMaxIdLength = 96;  // validate_repo_id
constexpr size_t kMaxFiles = 100'000;
constexpr size_t kShortestCommit = 4;

bool IsHex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// A part of a repository's id: letters, digits, "-", "_", "."; beginning and ending with a letter or digit.
bool IsIdPart(std::string_view part) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !part.empty() && is_word(part.front()) && is_word(part.back()) &&
         std::ranges::all_of(part, [&](char c) { return is_word(c) || c == '-' || c == '.'; }) &&
         part.find("--") == std::string_view::npos && part.find("..") == std::string_view::npos;
}

std::vector<std::string> FolderNames(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) names.push_back(it->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

// Levenshtein 1966: letters to change, add or drop.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string Expanded(std::string_view text, const Environment& environment) {
  std::string out(text);
  if (out == "~" || out.starts_with("~/")) {
    const char* home = environment("HOME");
    const passwd* user = home == nullptr || *home == '\0' ? getpwuid(getuid()) : nullptr;
    if (user != nullptr) home = user->pw_dir;
    out.replace(0, 1, home != nullptr ? home : "");
  }
  // $NAME and ${NAME}; what is not set stays as it is, as os.path.expandvars has it.
  for (size_t at = out.find('$'); at != std::string::npos; at = out.find('$', at)) {
    const bool braces = at + 1 < out.size() && out[at + 1] == '{';
    const size_t begin = at + (braces ? 2 : 1);
    size_t end = begin;
    while (end < out.size() && (std::isalnum(static_cast<unsigned char>(out[end])) != 0 || out[end] == '_')) end++;
    const bool closed = !braces || (end < out.size() && out[end] == '}');
    const char* value = closed && end > begin ? environment(out.substr(begin, end - begin).c_str()) : nullptr;
    if (value == nullptr) {
      at++;
      continue;
    }
    out.replace(at, end + (braces ? 1 : 0) - at, value);
    at += std::string_view(value).size();
  }
  return out;
}

}  // namespace

std::string HubName::FullName() const { return type == "models" ? id : type + "/" + id; }

std::string HubName::Folder() const {
  std::string folder = type + std::string(kSeparator) + id;
  if (const size_t slash = folder.find('/'); slash != std::string::npos) folder.replace(slash, 1, kSeparator);
  return folder;
}

Result<HubName> ParseHubName(std::string_view text) {
  HubName name;
  for (const std::string_view type : kTypes) {  // none of them is anybody's namespace
    if (text.starts_with(type) && text.substr(type.size()).starts_with('/')) {
      name.type = type;
      text.remove_prefix(type.size() + 1);
      break;
    }
  }
  const size_t end = std::min(text.find_first_of("@:"), text.size());
  name.id = text.substr(0, end);
  std::string_view rest = text.substr(end);
  const auto refuse = [](std::string_view what, std::string_view found) {
    return Fail(ErrorCode::kInvalidArgument, "expected {}, found \"{}\"", what, found);
  };
  if (rest.starts_with('@')) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    name.revision = rest.substr(1, colon - 1);
    if (!IsInnerPath(name.revision)) return refuse("a branch, tag or commit behind \"@\"", name.revision);
    rest.remove_prefix(colon);
  }
  if (rest.starts_with(':')) {
    name.file = rest.substr(1);
    if (!IsInnerPath(name.file)) return refuse("a file or quantization behind \":\"", name.file);
  }
  const size_t slash = name.id.find('/');
  const bool valid = slash == std::string::npos
                         ? IsIdPart(name.id)
                         : IsIdPart(name.id.substr(0, slash)) && IsIdPart(name.id.substr(slash + 1));
  if (!valid || name.id.size() > kMaxIdLength) return refuse("a name like ns/name", name.id);
  return name;
}

std::optional<HubName> HubNameOfFolder(std::string_view folder) {
  HubName name;
  const size_t first = folder.find(kSeparator);
  if (first == std::string_view::npos) return std::nullopt;
  name.type = folder.substr(0, first);
  if (std::ranges::find(kTypes, name.type) == std::end(kTypes)) return std::nullopt;
  name.id = folder.substr(first + kSeparator.size());
  if (const size_t second = name.id.find(kSeparator); second != std::string::npos) {
    name.id.replace(second, kSeparator.size(), "/");
  }
  return name;
}

std::optional<fs::path> PathOfVariable(const Environment& environment, const char* variable) {
  const char* value = environment(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return Expanded(value, environment);
}

fs::path HuggingFaceHome(const Environment& environment) {
  if (auto home = PathOfVariable(environment, "HF_HOME")) return *std::move(home);
  if (auto cache = PathOfVariable(environment, "XDG_CACHE_HOME")) return *cache / "huggingface";
  return Expanded("~/.cache/huggingface", environment);
}

HubCache HubCache::FromEnvironment(const Environment& environment) {
  for (const char* variable : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (auto root = PathOfVariable(environment, variable)) return HubCache(*std::move(root));
  }
  return HubCache(HuggingFaceHome(environment) / "hub");
}

tl::unexpected<Error> HubCache::NotInCache(const HubName& name) const {
  if (!Exists(root_)) {
    return Fail(ErrorCode::kNotFound, "{}: there is no cache at {} (HF_HUB_CACHE or HF_HOME say where it is)", name.id,
                root_.string());
  }
  // The nearest names, the same name in another namespace among them.
  std::vector<std::pair<size_t, std::string>> near;
  const std::string wanted = Lower(name.id), wanted_name = wanted.substr(wanted.find('/') + 1);
  for (const std::string& folder : FolderNames(root_)) {
    const auto other = HubNameOfFolder(folder);
    if (!other || other->type != name.type) continue;
    const std::string id = Lower(other->id);
    const size_t distance = id.substr(id.find('/') + 1) == wanted_name ? 1 : Distance(id, wanted);
    if (distance <= 2 + wanted.size() / 4) near.emplace_back(distance, other->id);
  }
  std::ranges::sort(near);
  near.resize(std::min<size_t>(near.size(), 3));
  std::vector<std::string> names;
  for (auto& [distance, id] : near) names.push_back(std::move(id));
  return Fail(ErrorCode::kNotFound, "{}: not in the cache: looked for {}{}", name.id, RepositoryFolder(name).string(),
              names.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(names, ", or ")));
}

Result<std::string> HubCache::FindCommit(const HubName& name) const {
  const fs::path repository = RepositoryFolder(name), snapshots = repository / "snapshots";
  if (!Exists(repository)) return NotInCache(name);
  const std::vector<std::string> commits = FolderNames(snapshots);
  const auto is_there = [&](const std::string& commit) { return std::ranges::find(commits, commit) != commits.end(); };
  const std::string ref = name.revision.empty() ? "main" : name.revision;
  const fs::path ref_file = repository / "refs" / ref;
  std::error_code ignored;
  if (fs::is_regular_file(ref_file, ignored)) {
    std::string commit = TRY(TRY(OpenFile(ref_file))->ReadAll(1024));
    while (!commit.empty() && (commit.back() == '\n' || commit.back() == '\r')) commit.pop_back();
    if (!IsHex(commit)) {
      return Fail(ErrorCode::kCorrupt, "{}: offset 0: expected a commit, found \"{}\"", ref_file.string(), commit);
    }
    if (is_there(commit)) return commit;
    return Fail(ErrorCode::kNotFound, "{}: {} is commit {}, of which nothing is in the cache: looked for {}", name.id,
                ref, commit, (snapshots / commit).string());
  }
  if (name.revision.empty()) {
    if (commits.size() == 1) return commits.front();
    if (commits.empty()) {
      return Fail(ErrorCode::kNotFound, "{}: nothing of it is in the cache: {} is empty", name.id, snapshots.string());
    }
    return Fail(ErrorCode::kInvalidArgument, "{}: there is no main revision in the cache, name one: {}", name.id,
                Listed(commits));
  }
  const std::string wanted = Lower(name.revision);
  if (IsHex(wanted) && wanted.size() >= kShortestCommit) {
    std::vector<std::string> found;
    std::ranges::copy_if(commits, std::back_inserter(found), [&](const auto& c) { return c.starts_with(wanted); });
    if (found.size() == 1) return found.front();
    if (found.size() > 1) {
      return Fail(ErrorCode::kInvalidArgument, "{}: several commits in the cache begin with {}: {}", name.id, wanted,
                  Listed(found));
    }
  }
  return Fail(ErrorCode::kNotFound, "{}: no revision {} in the cache: looked for {} and for commits; there are: {}",
              name.id, name.revision, ref_file.string(), commits.empty() ? "none" : Listed(commits));
}

Result<fs::path> HubCache::Resolve(const HubName& name) const {
  const fs::path snapshot = RepositoryFolder(name) / "snapshots" / TRY(FindCommit(name));
  if (name.file.empty()) return snapshot;
  return SelectModelFile(snapshot, name.file);
}

Result<std::vector<std::string>> FilesBelow(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end;
  for (; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored) || (it->is_symlink(ignored) && fs::is_directory(it->path(), ignored))) continue;
    if (files.size() == kMaxFiles) {
      return Fail(ErrorCode::kResourceExhausted, "{}: more than {} files", folder.string(), kMaxFiles);
    }
    files.push_back(it->path().lexically_relative(folder).string());
  }
  if (error) return Fail(ErrorCode::kUnavailable, "{}: {}", folder.string(), error.message());
  std::ranges::sort(files);
  return files;
}

Result<fs::path> SelectModelFile(const fs::path& folder, std::string_view wanted) {
  if (!IsInnerPath(wanted)) {
    return Fail(ErrorCode::kInvalidArgument, "expected a file or quantization behind \":\", found \"{}\"", wanted);
  }
  if (fs::path path = folder / wanted; Exists(path)) return path;
  return folder / TRY(ChooseFiles(folder.string(), TRY(FilesBelow(folder)), wanted)).front();
}

Result<fs::path> ResolveModelPath(std::string_view model, const HubCache& cache) {
  if (Exists(fs::path(model))) return fs::path(model);
  for (size_t colon = model.find(':'); colon != std::string_view::npos; colon = model.find(':', colon + 1)) {
    const fs::path folder = model.substr(0, colon);
    std::error_code ignored;
    if (fs::is_directory(folder, ignored)) return SelectModelFile(folder, model.substr(colon + 1));
  }
  const auto name = ParseHubName(model);
  if (!name) {
    return Fail(ErrorCode::kNotFound, "{}: there is no such file or folder, and it is no name in the cache: {}", model,
                name.error().message);
  }
  auto found = cache.Resolve(*name);
  if (!found && !Exists(cache.RepositoryFolder(*name))) {
    return Fail(ErrorCode::kNotFound, "{}: no such file or folder; {}", model, found.error().message);
  }
  return found;
}

}  // namespace bothy
