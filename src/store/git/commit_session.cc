#include "store/git/commit_session.h"

#include <git2.h>

#include "store/git/commit_object.h"
#include "store/git/refs.h"
#include "store/git/tree_edit.h"

namespace bothy::git {
namespace {

// Against other processes only, as writers of this one take turns.
constexpr int kMaxTries = 10;
// More than this is made durable before the branch's lock is taken, so that others wait for small things only.
constexpr uint64_t kFlushBeforeLock = 4 << 20;

tl::unexpected<Error> HasMoved(const std::string& ref) {
  return Fail(ErrorCode::kFailedPrecondition, "{} is not at the expected parent any more", ref);
}

}  // namespace

std::string CommitMessage(std::string_view summary, std::string_view description) {
  std::string message(summary);
  if (!description.empty()) message += fmt::format("\n\n{}", description);
  return message;
}

struct BlobStream::Stream {
  WriteGuard guard;
  ObjectReader reader;
  Owned<git_odb_stream> stream;
  uint64_t left;
};

BlobStream::BlobStream(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
BlobStream::~BlobStream() = default;

Result<void> BlobStream::Write(std::string_view bytes) {
  if (bytes.size() > stream_->left) {
    return Fail(ErrorCode::kInvalidArgument, "more bytes came for a file than were announced");
  }
  stream_->left -= bytes.size();
  const int status = git_odb_stream_write(stream_->stream.get(), bytes.data(), bytes.size());
  if (status != 0) return tl::unexpected(LibgitError(status, "writing a blob"));
  return {};
}

Result<Oid> BlobStream::Finish() {
  if (stream_->left != 0) {
    return Fail(ErrorCode::kInvalidArgument, "{} bytes fewer came for a file than were announced", stream_->left);
  }
  git_oid id;
  const int status = git_odb_stream_finalize_write(&id, stream_->stream.get());
  if (status != 0) return tl::unexpected(LibgitError(status, "writing a blob"));
  return FromLibgit(id);
}

struct CommitSession::State {
  std::shared_ptr<GitRepository> repository;
  WriteGuard guard;
  CommitOptions options;
  ObjectReader reader;
  ObjectWriter writer;
  std::optional<Oid> head{};
  std::optional<Oid> head_tree{};
  TreeEdit edit{};
};

CommitSession::CommitSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
CommitSession::~CommitSession() = default;

const std::optional<Oid>& CommitSession::head() const { return state_->head; }

Result<std::unique_ptr<CommitSession>> CommitSession::Begin(std::shared_ptr<GitRepository> repository,
                                                            CommitOptions options) {
  WriteGuard guard = TRY(WriteGuard::Take(*repository));
  const auto head = TRY(FindRef(*repository, options.ref));
  if (!head && !options.create_ref) {
    return Fail(ErrorCode::kNotFound, "there is no {} in {}", Printable(options.ref), repository->name());
  }
  if (options.expected_parent && head != options.expected_parent) return HasMoved(options.ref);
  ObjectReader reader = TRY(ObjectReader::Open(*repository));
  ObjectWriter writer = TRY(ObjectWriter::Open(*repository));
  std::unique_ptr<State> state(
      new State{std::move(repository), std::move(guard), std::move(options), std::move(reader), std::move(writer)});
  state->head = head;
  if (head) state->head_tree = TRY(TreeOfCommit(state->reader, *head));
  return std::unique_ptr<CommitSession>(new CommitSession(std::move(state)));
}

Result<Oid> CommitSession::PutFile(const RepoPath& path, std::string_view bytes) {
  if (bytes.size() > kMaxPutBytes) {
    return Fail(ErrorCode::kResourceExhausted, "\"{}\" is larger than {} bytes: upload it as a large file",
                Printable(path.text()), kMaxPutBytes);
  }
  const Oid oid = TRY(state_->writer.Write(ObjectKind::kBlob, bytes));
  TRY(state_->edit.Put(path.text(), oid, TreeEdit::kKeepMode));
  return oid;
}

Result<Oid> CommitSession::PutPointer(const RepoPath& path, const Pointer& pointer) {
  return PutFile(path, FormatPointer(pointer));
}

Result<void> CommitSession::PutBlob(const RepoPath& path, const Oid& blob) {
  const ObjectHeader header = TRY(state_->reader.Header(blob, IfMissing::kNotFound));
  if (header.kind != ObjectKind::kBlob) {
    return Fail(ErrorCode::kInvalidArgument, "{} is a {}, not a file's content", blob.ToHex(),
                ObjectKindName(header.kind));
  }
  return state_->edit.Put(path.text(), blob, TreeEdit::kKeepMode);
}

Result<std::unique_ptr<BlobStream>> CommitSession::StreamBlob(uint64_t size) {
  WriteGuard guard = TRY(WriteGuard::Take(*state_->repository));
  ObjectReader reader = TRY(ObjectReader::Open(*state_->repository));
  git_odb_stream* raw = nullptr;
  const int status = git_odb_open_wstream(&raw, reader.objects(), size, GIT_OBJECT_BLOB);
  if (status != 0) return tl::unexpected(LibgitError(status, state_->repository->name()));
  std::unique_ptr<BlobStream::Stream> stream(new BlobStream::Stream{
      std::move(guard), std::move(reader), Owned<git_odb_stream>(raw, git_odb_stream_free), size});
  return std::unique_ptr<BlobStream>(new BlobStream(std::move(stream)));
}

Result<void> CommitSession::Delete(const RepoPath& path) {
  if (!TRY(state_->edit.Find(state_->reader, state_->head_tree, path.text()))) {
    return Fail(ErrorCode::kNotFound, "there is no file or folder \"{}\" to delete", Printable(path.text()));
  }
  return state_->edit.Remove(path.text());
}

Result<void> CommitSession::DeleteFolder(const RepoPath& path) {
  const auto entry = TRY(state_->edit.Find(state_->reader, state_->head_tree, path.text()));
  if (!entry || !entry->IsFolder()) {
    return Fail(ErrorCode::kNotFound, "there is no folder \"{}\" to delete", Printable(path.text()));
  }
  return state_->edit.Remove(path.text());
}

Result<void> CommitSession::Copy(const Oid& commit, const std::string& from, const RepoPath& to) {
  const Oid tree = TRY(TreeOfCommit(state_->reader, commit, IfMissing::kNotFound));
  const auto entry = TRY(TreeEdit().Find(state_->reader, tree, from));
  if (!entry || from.empty()) {
    return Fail(ErrorCode::kNotFound, "there is no file or folder \"{}\" in {}", Printable(from), commit.ToHex());
  }
  return state_->edit.Put(to.text(), entry->oid, entry->mode);
}

Result<CommitResult> CommitSession::Finish() {
  State& state = *state_;
  if (state.writer.pending_bytes() > kFlushBeforeLock) TRY(state.writer.Flush());
  const std::lock_guard lock(state.repository->internals().writer);
  for (int tries = 0;; tries++) {
    const auto head = TRY(FindRef(*state.repository, state.options.ref));
    if (state.options.expected_parent && head != state.options.expected_parent) return HasMoved(state.options.ref);
    if (!head && !state.options.create_ref) {
      return Fail(ErrorCode::kNotFound, "there is no {} in {} any more", Printable(state.options.ref),
                  state.repository->name());
    }
    std::optional<Oid> before;
    if (head) before = TRY(TreeOfCommit(state.reader, *head));
    const Oid tree = TRY(state.edit.Apply(state.reader, state.writer, before));
    if (head && tree == *before && !state.options.allow_empty) {
      return CommitResult{.commit = *head, .parent = head, .made = false};
    }
    std::vector<Oid> parents;
    if (head) parents.push_back(*head);
    const std::string bytes =
        FormatCommit(tree, parents, state.options.author, state.options.committer, state.options.message);
    const Oid commit = TRY(state.writer.Write(ObjectKind::kCommit, bytes));
    TRY(state.writer.Flush());
    const auto moved = MoveRef(*state.repository, state.options.ref, head, commit);
    if (moved) return CommitResult{.commit = commit, .parent = head};
    if (moved.error().code != ErrorCode::kFailedPrecondition) return tl::unexpected(moved.error());
    if (state.options.expected_parent) return HasMoved(state.options.ref);
    if (tries == kMaxTries) {
      return Fail(ErrorCode::kUnavailable, "{} of {} is written to by others all the time: try again",
                  state.options.ref, state.repository->name());
    }
  }
}

Result<Oid> SuperSquash(const std::shared_ptr<GitRepository>& repository, const std::string& ref,
                        std::string_view message, const Signature& author) {
  const WriteGuard guard = TRY(WriteGuard::Take(*repository));
  const auto head = TRY(FindRef(*repository, ref));
  if (!head) return Fail(ErrorCode::kNotFound, "there is no {} in {}", Printable(ref), repository->name());
  const ObjectReader reader = TRY(ObjectReader::Open(*repository));
  ObjectWriter writer = TRY(ObjectWriter::Open(*repository));
  const Oid tree = TRY(TreeOfCommit(reader, *head));
  const Oid commit = TRY(writer.Write(ObjectKind::kCommit, FormatCommit(tree, {}, author, author, message)));
  TRY(writer.Flush());
  const std::lock_guard lock(repository->internals().writer);
  TRY(MoveRef(*repository, ref, head, commit));
  return commit;
}

}  // namespace bothy::git
