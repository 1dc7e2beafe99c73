// What git's own protocol needs of a repository: the program that answers a fetch, the refs that a push begins from,
// and the taking of a pushed pack.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/subprocess.h"
#include "hub/pushes.h"
#include "hub/repositories.h"

namespace bothy {

inline constexpr uint64_t kMaxPackBytes = uint64_t{16} << 30;  // of one push; large files are not in it

enum class UploadPackStep { kAdvertise, kAnswer };

// Starts `git upload-pack` for one request over HTTP. `protocol` is what the client says in Git-Protocol; what could be
// no such thing is taken for nothing.
Result<std::unique_ptr<Subprocess>> StartUploadPack(const git::GitRepository& git, UploadPackStep step,
                                                    std::string_view protocol);

struct PushableRef {
  std::string name;
  git::Oid oid;  // of an annotated tag the tag itself
};

// Branches, tags and pull requests, in the order of their names.
Result<std::vector<PushableRef>> ListPushableRefs(const git::GitRepository& git);

// Takes the pack of a push into a quarantine of its own and, when all of it was checked, into the repository, where no
// ref leads to it yet. Keeps what it has brought from being dropped for as long as it lives. For one thread at a time.
class PackReceiver {
 public:
  // kUnavailable while the repository is tidied up.
  static Result<std::unique_ptr<PackReceiver>> Begin(const git::GitRepository& git,
                                                     uint64_t max_pack_bytes = kMaxPackBytes);
  ~PackReceiver();
  PackReceiver(const PackReceiver&) = delete;
  PackReceiver& operator=(const PackReceiver&) = delete;

  // A pack that was found wrong is passed over until its end, so that who sends it gets to hear why.
  Result<void> Write(std::string_view bytes);

  // kInvalidArgument: what is wrong with the pack, in the words of git.
  Result<void> Finish();

  // Ends it from any thread.
  void Stop() { process_->Kill(); }

 private:
  PackReceiver(const git::GitRepository& git, git::WriteGuard guard, std::filesystem::path quarantine);
  Result<void> Migrate();

  const std::filesystem::path objects_;
  const git::WriteGuard guard_;
  const std::filesystem::path quarantine_;
  std::unique_ptr<Subprocess> process_;
  bool ended_ = false;  // git takes no more of it
};

// ApplyPush (pushes.h) where all refs move or none does: kFailedPrecondition says which stood in the way.
Result<void> ApplyPushTogether(Repositories& repositories, const Actor& actor, const Repository& repository,
                               std::span<const RefUpdate> updates, const PushVerdict& verdict);

}  // namespace bothy
