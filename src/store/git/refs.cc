#include "store/git/refs.h"

#include <git2.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>

#include "store/git/commit_object.h"
#include "store/git/object_writer.h"
#include "store/git/objects.h"
#include "store/git/repo_path.h"

namespace bothy::git {
namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
constexpr std::string_view kPullRequests = "refs/pr/";
constexpr std::string_view kConverts = "refs/convert/";

// Another process holds the lock of a ref for milliseconds; who holds it longer than kStaleLock was killed.
constexpr int kLockTries = 40;
constexpr auto kLockWait = std::chrono::milliseconds(50);
constexpr auto kStaleLock = std::chrono::seconds(60);

constexpr int kMaxNestedTags = 8;  // a tag of a tag is rare, and a tag of that has never been seen
constexpr uint64_t kMaxTagBytes = kMaxCommitBytes;

bool IsServedRef(std::string_view name) {
  for (const std::string_view prefix : {kHeads, kTags, kPullRequests, kConverts}) {
    if (name.starts_with(prefix) && name.size() > prefix.size()) return true;
  }
  return false;
}

void RemoveStaleLocks(const GitRepository& repository, const std::string& ref) {
  for (const std::string& name : {ref + ".lock", std::string("packed-refs.lock")}) {
    const auto path = repository.path() / name;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) continue;
    const auto modified = std::chrono::system_clock::from_time_t(status.st_mtime);
    std::error_code error;
    if (std::chrono::system_clock::now() - modified > kStaleLock) std::filesystem::remove(path, error);
  }
}

// Calls a function of libgit2 until the ref's lock is free.
template <class Call>
int WithLockOf(const GitRepository& repository, const std::string& ref, const Call& call) {
  int status = call();
  for (int tries = 0; status == GIT_ELOCKED && tries < kLockTries; tries++) {
    RemoveStaleLocks(repository, ref);
    std::this_thread::sleep_for(kLockWait);
    status = call();
  }
  return status;
}

// The commit that an object is or, of an annotated tag, is about; nothing where that is a tree or a blob.
Result<std::optional<Oid>> Peel(const ObjectReader& reader, Oid oid) {
  for (int tags = 0; tags <= kMaxNestedTags; tags++) {
    const ObjectKind kind = TRY(reader.Header(oid)).kind;
    if (kind == ObjectKind::kCommit) return oid;
    if (kind != ObjectKind::kTag) return std::nullopt;
    const Object tag = TRY(reader.Read(oid, kind, kMaxTagBytes));
    constexpr std::string_view kObject = "object ";
    std::optional<Oid> about;
    if (tag.bytes().starts_with(kObject)) about = Oid::FromHex(tag.bytes().substr(kObject.size(), Oid::kHexDigits));
    if (!about) return Fail(ErrorCode::kCorrupt, "{}: tag {}: names no object", reader.name(), oid.ToHex());
    oid = *about;
  }
  return Fail(ErrorCode::kCorrupt, "{}: more than {} tags of tags end with {}", reader.name(), kMaxNestedTags,
              oid.ToHex());
}

Result<std::optional<Oid>> FindRefWith(const ObjectReader& reader, const std::string& ref) {
  git_oid id;
  const int status = git_reference_name_to_id(&id, reader.repository(), ref.c_str());
  if (status == GIT_ENOTFOUND || status == GIT_EINVALIDSPEC) return std::nullopt;
  if (status != 0) return tl::unexpected(LibgitError(status, fmt::format("{}: {}", reader.name(), Printable(ref))));
  return Peel(reader, FromLibgit(id));
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

// The commit whose oid begins with `digits`, or the one that such an annotated tag is about.
Result<std::optional<Oid>> FindByPrefix(const ObjectReader& reader, std::string_view digits) {
  git_oid prefix;
  if (git_oid_fromstrn(&prefix, digits.data(), digits.size()) != 0) return std::nullopt;
  git_oid id;
  const int status = git_odb_exists_prefix(&id, reader.objects(), &prefix, digits.size());
  if (status == GIT_EAMBIGUOUS) {
    return Fail(ErrorCode::kInvalidArgument, "revision {} is ambiguous: give more digits", digits);
  }
  if (status == GIT_ENOTFOUND) return std::nullopt;
  if (status != 0) return tl::unexpected(LibgitError(status, digits));
  return Peel(reader, FromLibgit(id));
}

Result<bool> HasRefsBelow(const ObjectReader& reader, const std::string& ref) {
  git_reference_iterator* raw = nullptr;
  int status = git_reference_iterator_glob_new(&raw, reader.repository(), (ref + "/*").c_str());
  if (status != 0) return tl::unexpected(LibgitError(status, ref));
  const Owned<git_reference_iterator> iterator(raw, git_reference_iterator_free);
  const char* name = nullptr;
  status = git_reference_next_name(&name, raw);
  if (status != 0 && status != GIT_ITEROVER) return tl::unexpected(LibgitError(status, ref));
  return status == 0;
}

Result<void> CreateRef(const ObjectReader& reader, const GitRepository& repository, const std::string& ref,
                       const Oid& target, bool overwrite) {
  // "a" and "a/b" cannot both be, as they are a file and a folder.
  for (size_t slash = ref.rfind('/'); slash > kHeads.size(); slash = ref.rfind('/', slash - 1)) {
    if (TRY(FindRefWith(reader, ref.substr(0, slash)))) {
      return Fail(ErrorCode::kAlreadyExists, "Reference {} already exists, so there cannot be {}", ref.substr(0, slash),
                  ref);
    }
  }
  if (TRY(HasRefsBelow(reader, ref))) {
    return Fail(ErrorCode::kAlreadyExists, "References {}/... already exist, so there cannot be {}", ref, ref);
  }
  const git_oid id = ToLibgit(target);
  git_reference* raw = nullptr;
  const int status = WithLockOf(repository, ref, [&] {
    return git_reference_create(&raw, reader.repository(), ref.c_str(), &id, overwrite ? 1 : 0, nullptr);
  });
  if (status == GIT_EEXISTS) return Fail(ErrorCode::kAlreadyExists, "Reference {} already exists", ref);
  if (status != 0) return tl::unexpected(LibgitError(status, ref));
  git_reference_free(raw);
  return {};
}

uint64_t NumberOf(const Ref& ref) {
  uint64_t number = 0;
  const std::string_view text = ref.short_name();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string MessageOf(git_repository* repository, git_reference* reference) {
  git_tag* raw = nullptr;
  const git_oid* target = git_reference_target(reference);
  if (target == nullptr || git_tag_lookup(&raw, repository, target) != 0) return {};
  const Owned<git_tag> tag(raw, git_tag_free);
  const char* message = git_tag_message(raw);
  std::string text = message != nullptr ? message : "";
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

std::string_view Ref::short_name() const {
  for (const std::string_view prefix : {kHeads, kTags, kPullRequests, kConverts}) {
    if (name.starts_with(prefix)) return std::string_view(name).substr(prefix.size());
  }
  return name;
}

std::string BranchRef(std::string_view branch) { return fmt::format("{}{}", kHeads, branch); }
std::string PullRequestRef(uint64_t number) { return fmt::format("{}{}", kPullRequests, number); }

Result<Oid> Resolve(const GitRepository& repository, std::string_view revision) {
  const auto none = [&] {
    return Fail(ErrorCode::kNotFound, "there is no revision \"{}\" in {}", Printable(revision), repository.name());
  };
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  const std::string name(revision);
  if (name.find('\0') != std::string::npos || name.size() > kMaxRefNameBytes + kConverts.size()) return none();
  if (const auto oid = Oid::FromHex(name)) {
    if (const auto commit = TRY(FindByPrefix(reader, name))) return *commit;
    return none();
  }
  if (name == "HEAD") {
    if (const auto head = TRY(FindRefWith(reader, BranchRef(TRY(DefaultBranch(repository)))))) return *head;
    return none();
  }
  if (name.starts_with("refs/")) {
    if (!IsServedRef(name)) return none();
    if (const auto found = TRY(FindRefWith(reader, name))) return *found;
    return none();
  }
  for (const std::string_view prefix : {kHeads, kTags}) {
    if (const auto found = TRY(FindRefWith(reader, std::string(prefix) + name))) return *found;
  }
  if (name.size() >= kMinShortOid && IsHex(name)) {
    if (const auto commit = TRY(FindByPrefix(reader, name))) return *commit;
  }
  return none();
}

Result<std::optional<Oid>> FindRef(const GitRepository& repository, const std::string& ref) {
  return FindRefWith(TRY(ObjectReader::Open(repository)), ref);
}

Result<std::string> DefaultBranch(const GitRepository& repository) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  git_reference* raw = nullptr;
  const int status = git_reference_lookup(&raw, reader.repository(), "HEAD");
  if (status != 0 && status != GIT_ENOTFOUND) return tl::unexpected(LibgitError(status, "HEAD"));
  const Owned<git_reference> head(raw, git_reference_free);
  const char* target = raw != nullptr ? git_reference_symbolic_target(raw) : nullptr;
  if (target == nullptr || !std::string_view(target).starts_with(kHeads)) {
    return Fail(ErrorCode::kCorrupt, "{}: HEAD names no branch", repository.name());
  }
  return std::string(target).substr(kHeads.size());
}

Result<RefList> ListRefs(const GitRepository& repository) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  git_reference_iterator* raw_iterator = nullptr;
  int status = git_reference_iterator_new(&raw_iterator, reader.repository());
  if (status != 0) return tl::unexpected(LibgitError(status, repository.name()));
  const Owned<git_reference_iterator> iterator(raw_iterator, git_reference_iterator_free);
  RefList list;
  for (git_reference* raw = nullptr; (status = git_reference_next(&raw, raw_iterator)) == 0;) {
    const Owned<git_reference> reference(raw, git_reference_free);
    Ref ref{.name = git_reference_name(raw)};
    if (!IsServedRef(ref.name)) continue;
    const git_oid* target = git_reference_target(raw);  // none of a symbolic one
    const auto commit = target != nullptr ? Peel(reader, FromLibgit(*target)) : FindRefWith(reader, ref.name);
    if (!commit || !*commit) continue;
    ref.commit = **commit;
    const std::string_view name = ref.name;
    if (name.starts_with(kTags)) ref.message = MessageOf(reader.repository(), raw);
    auto& kind = name.starts_with(kHeads)          ? list.branches
                 : name.starts_with(kTags)         ? list.tags
                 : name.starts_with(kPullRequests) ? list.pull_requests
                                                   : list.converts;
    kind.push_back(std::move(ref));
  }
  if (status != GIT_ITEROVER) return tl::unexpected(LibgitError(status, repository.name()));
  const auto by_name = [](const Ref& a, const Ref& b) { return a.name < b.name; };
  for (auto* kind : {&list.branches, &list.tags, &list.converts}) std::sort(kind->begin(), kind->end(), by_name);
  std::sort(list.pull_requests.begin(), list.pull_requests.end(),
            [](const Ref& a, const Ref& b) { return NumberOf(a) < NumberOf(b); });
  return list;
}

Result<void> CreateBranch(const GitRepository& repository, std::string_view name, const Oid& commit, bool overwrite) {
  TRY(CheckBranchName(name));
  const WriteGuard guard = TRY(WriteGuard::Take(repository));
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  TRY(CheckCommit(reader, commit));
  const std::lock_guard lock(repository.internals().writer);
  return CreateRef(reader, repository, BranchRef(name), commit, overwrite);
}

Result<void> CreateTag(const GitRepository& repository, std::string_view name, const Oid& commit,
                       std::string_view message, const Signature& tagger) {
  TRY(CheckTagName(name));
  const WriteGuard guard = TRY(WriteGuard::Take(repository));
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  TRY(CheckCommit(reader, commit));
  const std::lock_guard lock(repository.internals().writer);
  const std::string ref = std::string(kTags) + std::string(name);
  if (message.empty()) return CreateRef(reader, repository, ref, commit, false);
  if (TRY(FindRefWith(reader, ref))) return Fail(ErrorCode::kAlreadyExists, "Reference {} already exists", ref);

  ObjectWriter writer = TRY(ObjectWriter::Open(repository));
  const Oid tag = TRY(writer.Write(ObjectKind::kTag, FormatTag(commit, name, tagger, message)));
  TRY(writer.Flush());
  return CreateRef(reader, repository, ref, tag, false);
}

Result<void> DeleteRef(const GitRepository& repository, const std::string& ref) {
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  const std::lock_guard lock(repository.internals().writer);
  git_reference* raw = nullptr;
  int status = git_reference_lookup(&raw, reader.repository(), ref.c_str());
  if (status == GIT_ENOTFOUND || status == GIT_EINVALIDSPEC) {
    return Fail(ErrorCode::kNotFound, "there is no {} in {}", Printable(ref), repository.name());
  }
  if (status != 0) return tl::unexpected(LibgitError(status, ref));
  const Owned<git_reference> reference(raw, git_reference_free);
  status = WithLockOf(repository, ref, [&] { return git_reference_delete(raw); });
  if (status != 0) return tl::unexpected(LibgitError(status, ref));
  return {};
}

Result<void> DeleteBranch(const GitRepository& repository, std::string_view name) {
  const std::string ref = BranchRef(name);
  if (name == TRY(DefaultBranch(repository))) return Fail(ErrorCode::kPermissionDenied, "Cannot delete {}", ref);
  return DeleteRef(repository, ref);
}

Result<void> DeleteTag(const GitRepository& repository, std::string_view name) {
  return DeleteRef(repository, std::string(kTags) + std::string(name));
}

Result<void> CreatePullRequest(const GitRepository& repository, uint64_t number, const Oid& commit) {
  const WriteGuard guard = TRY(WriteGuard::Take(repository));
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  TRY(CheckCommit(reader, commit));
  const std::lock_guard lock(repository.internals().writer);
  return CreateRef(reader, repository, PullRequestRef(number), commit, false);
}

Result<void> MoveRef(const GitRepository& repository, const std::string& ref, const std::optional<Oid>& expected,
                     const Oid& to) {
  const WriteGuard guard = TRY(WriteGuard::Take(repository));
  const ObjectReader reader = TRY(ObjectReader::Open(repository));
  const auto moved = [&] {
    return Fail(ErrorCode::kFailedPrecondition, "{} of {} has moved meanwhile", ref, repository.name());
  };
  if (!expected) {
    auto created = CreateRef(reader, repository, ref, to, false);
    if (!created && created.error().code == ErrorCode::kAlreadyExists && TRY(FindRefWith(reader, ref))) return moved();
    return created;
  }
  const git_oid id = ToLibgit(to);
  const git_oid current = ToLibgit(*expected);
  git_reference* raw = nullptr;
  const int status = WithLockOf(repository, ref, [&] {
    return git_reference_create_matching(&raw, reader.repository(), ref.c_str(), &id, 1, &current, nullptr);
  });
  // Where the ref has been deleted, libgit2 finds nothing to compare with.
  if (status == GIT_EMODIFIED || status == GIT_ENOTFOUND) return moved();
  if (status != 0) return tl::unexpected(LibgitError(status, ref));
  git_reference_free(raw);
  return {};
}

}  // namespace bothy::git
