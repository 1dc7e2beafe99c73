#include "store/git/object_writer.h"

#include <git2.h>

namespace bothy::git {

Result<ObjectWriter> ObjectWriter::Open(const GitRepository& repository) {
  return ObjectWriter(repository, TRY(ObjectReader::Open(repository)));
}

Result<Oid> ObjectWriter::Write(ObjectKind kind, std::string_view bytes) {
  git_oid id;
  const int status = git_odb_hash(&id, bytes.data(), bytes.size(), static_cast<git_object_t>(kind));
  if (status != 0) return tl::unexpected(LibgitError(status, "hash"));
  const Oid oid = FromLibgit(id);
  if (written_.contains(oid) || reader_.Exists(oid)) return oid;
  written_.insert(oid);
  pending_bytes_ += bytes.size();
  if (pack_ == nullptr && (held_.size() == kMaxLoose || pending_bytes_ > kMaxHeldBytes)) TRY(Spill());
  if (pack_ != nullptr) {
    TRY(pack_->Add(kind, oid, bytes));
  } else {
    held_.push_back({kind, oid, std::string(bytes)});
  }
  return oid;
}

Result<void> ObjectWriter::Spill() {
  pack_ = TRY(PackWriter::Create(repository_->path() / "objects" / "pack"));
  for (const Held& held : held_) TRY(pack_->Add(held.kind, held.oid, held.bytes));
  held_.clear();
  return {};
}

Result<void> ObjectWriter::Flush() {
  if (pack_ != nullptr) {
    TRY(pack_->Finish());
    pack_.reset();
  }
  for (const Held& held : held_) {
    git_oid id;
    const int status = git_odb_write(&id, reader_.objects(), held.bytes.data(), held.bytes.size(),
                                     static_cast<git_object_t>(held.kind));
    if (status != 0) return tl::unexpected(LibgitError(status, repository_->name()));
  }
  held_.clear();
  pending_bytes_ = 0;
  return {};
}

}  // namespace bothy::git
