#include "store/git/libgit.h"

#include <git2.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "store/git/loose_backend.h"

namespace bothy::git {
namespace {

// Of all handles together. A pack's file is opened again where it is needed again; a process may often have 1024.
constexpr size_t kMaxOpenPacks = 256;
constexpr size_t kMaxMappedBytes = size_t{1} << 30;
constexpr size_t kMappedWindowBytes = 32 << 20;

// libgit2 passes the system's error on in the text only.
bool SaysDiskFull(const git_error& error) {
  const std::string_view text = error.message;
  return error.klass == GIT_ERROR_OS &&
         (text.ends_with(std::strerror(ENOSPC)) || text.ends_with(std::strerror(EDQUOT)));
}

ErrorCode CodeOf(int status, int error_class) {
  switch (status) {
    case GIT_ENOTFOUND: return error_class == GIT_ERROR_ODB ? ErrorCode::kCorrupt : ErrorCode::kNotFound;
    case GIT_EEXISTS: return ErrorCode::kAlreadyExists;
    case GIT_EAMBIGUOUS:
    case GIT_EINVALIDSPEC: return ErrorCode::kInvalidArgument;
    case GIT_EMODIFIED: return ErrorCode::kFailedPrecondition;
    case GIT_ELOCKED: return ErrorCode::kUnavailable;
    case GIT_EMISMATCH: return ErrorCode::kCorrupt;
    default: break;
  }
  switch (error_class) {
    case GIT_ERROR_NOMEMORY: return ErrorCode::kResourceExhausted;
    case GIT_ERROR_ODB:
    case GIT_ERROR_ZLIB:
    case GIT_ERROR_OBJECT:
    case GIT_ERROR_TREE:
    case GIT_ERROR_TAG:
    case GIT_ERROR_REFERENCE: return ErrorCode::kCorrupt;
    default: return ErrorCode::kInternal;
  }
}

}  // namespace

void StartLibgit() {
  static std::once_flag once;
  std::call_once(once, [] {
    git_libgit2_init();
    // The administrator's own configuration of git must not change what a server does.
    for (const int level :
         {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_SET_ODB_PACKED_PRIORITY, kPackPriority);
    git_libgit2_opts(GIT_OPT_SET_ODB_LOOSE_PRIORITY, kLibgitLoosePriority);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, kMaxOpenPacks);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, kMaxMappedBytes);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, kMappedWindowBytes);
    // The data folder is ours, whoever owns it: in a container that is often another number.
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  });
}

bool IsMissingObject(int status) {
  const git_error* last = git_error_last();
  return status == GIT_ENOTFOUND && last != nullptr && last->klass == GIT_ERROR_ODB;
}

Error LibgitError(int status, std::string_view context) {
  const git_error* last = git_error_last();
  const ErrorCode code = last != nullptr && SaysDiskFull(*last) ? ErrorCode::kResourceExhausted
                                                                : CodeOf(status, last != nullptr ? last->klass : 0);
  return Error{code, fmt::format("{}: {}", context, last != nullptr ? last->message : "unknown error of libgit2")};
}

git_oid ToLibgit(const Oid& oid) {
  git_oid out;
  std::memcpy(out.id, oid.bytes.data(), Oid::kBytes);
  return out;
}

Oid FromLibgit(const git_oid& oid) {
  Oid out;
  std::memcpy(out.bytes.data(), oid.id, Oid::kBytes);
  return out;
}

}  // namespace bothy::git
