#include "hub/preupload.h"

#include <utf8proc.h>

#include <set>

#include "hub/git_attributes.h"
#include "hub/git_ignore.h"
#include "store/git/repo_path.h"
#include "store/git/tree.h"

namespace bothy {
namespace {

constexpr std::string_view kAttributesFile = ".gitattributes";
constexpr std::string_view kIgnoreFile = ".gitignore";
constexpr size_t kMaxUtf8Bytes = 4;

std::string Join(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

// The root and every folder that one of the files is in, a folder before those inside of it.
std::set<std::string> FoldersOf(const std::vector<PreuploadFile>& files) {
  std::set<std::string> folders = {""};
  for (const PreuploadFile& file : files) {
    std::string_view path = file.path;
    for (size_t slash = path.rfind('/'); slash != std::string_view::npos; slash = path.rfind('/')) {
      path = path.substr(0, slash);
      if (!folders.emplace(path).second) break;
    }
  }
  return folders;
}

struct RuleFile {
  std::string path;
  std::string text;
};

// Those of `paths` that the commit has, in their order.
Result<std::vector<RuleFile>> ReadRuleFiles(const git::GitRepository& repository, const std::optional<git::Oid>& commit,
                                            const std::vector<std::string>& paths) {
  std::vector<RuleFile> files;
  if (!commit) return files;
  uint64_t bytes = 0;
  for (git::Entry& entry : TRY(git::FindEntries(repository, *commit, paths))) {
    if (entry.kind != git::EntryKind::kFile || entry.size > PreuploadRequest::kMaxRuleFileBytes) continue;
    bytes += entry.size;
    if (bytes > PreuploadRequest::kMaxRuleBytes) {
      return Fail(ErrorCode::kResourceExhausted, "more than {} bytes of {} apply to these files: ask for fewer",
                  PreuploadRequest::kMaxRuleBytes, kAttributesFile);
    }
    std::string text = TRY(git::ReadBlob(repository, entry.oid, PreuploadRequest::kMaxRuleFileBytes));
    files.push_back({std::move(entry.path), std::move(text)});
  }
  return files;
}

Result<GitAttributes> ReadAttributes(const git::GitRepository& repository, const std::optional<git::Oid>& commit,
                                     const PreuploadRequest& request) {
  std::vector<std::string> paths;
  for (const std::string& folder : FoldersOf(request.files)) {
    if (folder.empty() && request.git_attributes) continue;
    paths.push_back(Join(folder, kAttributesFile));
  }
  GitAttributes attributes;
  if (request.git_attributes) attributes.Add("", *request.git_attributes);
  for (const auto& [path, text] : TRY(ReadRuleFiles(repository, commit, paths))) {
    const size_t slash = path.rfind('/');
    attributes.Add(slash == std::string::npos ? "" : std::string_view(path).substr(0, slash), text);
  }
  return attributes;
}

Result<GitIgnore> ReadIgnore(const git::GitRepository& repository, const std::optional<git::Oid>& commit,
                             const PreuploadRequest& request) {
  if (request.git_ignore) return GitIgnore(*request.git_ignore);
  const auto texts = TRY(ReadRuleFiles(repository, commit, {std::string(kIgnoreFile)}));
  return GitIgnore(texts.empty() ? "" : texts.front().text);
}

Result<void> CheckRequest(const PreuploadRequest& request) {
  if (request.files.size() > PreuploadRequest::kMaxFiles) {
    return Fail(ErrorCode::kResourceExhausted, "{} files in one request, at most {} are allowed", request.files.size(),
                PreuploadRequest::kMaxFiles);
  }
  for (const PreuploadFile& file : request.files) TRY(git::RepoPath::Parse(file.path));
  for (const auto* text : {&request.git_attributes, &request.git_ignore}) {
    if (*text && (*text)->size() > PreuploadRequest::kMaxRuleFileBytes) {
      return Fail(ErrorCode::kResourceExhausted, "a {} or {} may have {} bytes", kAttributesFile, kIgnoreFile,
                  PreuploadRequest::kMaxRuleFileBytes);
    }
  }
  return {};
}

}  // namespace

bool LooksBinary(std::string_view sample, bool whole) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(sample.data());
  for (size_t i = 0; i < sample.size();) {
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(sample.size() - i), &code);
    if (length < 0) return whole || sample.size() - i >= kMaxUtf8Bytes || bytes[i] < 0xc2 || bytes[i] > 0xf4;
    if (code == 0) return true;
    i += static_cast<size_t>(length);
  }
  return false;
}

Result<std::vector<PreuploadAnswer>> Preupload(const git::GitRepository& repository,
                                               const std::optional<git::Oid>& commit, const PreuploadRequest& request) {
  TRY(CheckRequest(request));
  const GitAttributes attributes = TRY(ReadAttributes(repository, commit, request));
  const GitIgnore ignore = TRY(ReadIgnore(repository, commit, request));
  std::vector<std::string> paths;
  uint64_t path_bytes = 0;
  for (const PreuploadFile& file : request.files) {
    paths.push_back(file.path);
    path_bytes += file.path.size();
  }
  if ((attributes.bytes() + ignore.bytes()) * path_bytes > PreuploadRequest::kMaxMatchingWork) {
    return Fail(ErrorCode::kResourceExhausted, "{} bytes of {} and {} are too many for {} files at once: ask for fewer",
                attributes.bytes() + ignore.bytes(), kAttributesFile, kIgnoreFile, paths.size());
  }
  std::vector<PreuploadAnswer> answers;
  for (const PreuploadFile& file : request.files) {
    const bool large = file.size > kMaxRegularFileBytes || attributes.IsLarge(file.path) ||
                       LooksBinary(file.sample, file.sample.size() >= file.size);
    // Content without bytes has nothing to point to, and clients send it in the commit whatever they are told.
    answers.push_back({.path = file.path, .large = large && file.size > 0, .ignored = ignore.Ignores(file.path)});
    if (answers.back().large && !answers.back().ignored) answers.back().more_bytes = file.size;
  }
  if (!commit) return answers;
  // Found entries are in the order of the paths that have one; paths may be asked for twice.
  size_t next = 0;
  for (const git::Entry& entry : TRY(git::FindEntries(repository, *commit, paths))) {
    while (next < answers.size() && answers[next].path != entry.path) next++;
    if (next == answers.size()) break;
    if (entry.kind == git::EntryKind::kFile) {
      answers[next].oid = entry.pointer ? entry.pointer->sha256 : entry.oid.ToHex();
      if (entry.content_size() == answers[next].more_bytes) answers[next].more_bytes = 0;
    }
    next++;
  }
  return answers;
}

}  // namespace bothy
