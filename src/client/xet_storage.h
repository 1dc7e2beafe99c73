// Xet's storage, as who reads from it sees it: a file is put together from parts of xorbs.
#pragma once

#include <mutex>
#include <optional>

#include "client/range_fetch.h"

namespace bothy::client {

// Of one commit of a repository. Safe to use from several threads.
class XetStorage {
 public:
  // Seconds since 1970; to know when a grant has come to its end.
  using Clock = std::function<int64_t()>;

  XetStorage(HubApi& api, const HubName& name, const std::string& commit, Clock now)
      : api_(api), name_(name), commit_(commit), now_(std::move(now)) {}

  // Bytes [begin, end) of a file that has a hash of Xet, in one try, in the memory of a few chunks. kUnimplemented
  // where the hub has no such storage, or the storage no such file: there is still plain HTTP. What comes is checked
  // for its form and lengths; that the file is the right one, only who has all of it can tell.
  Result<void> Fetch(const RemoteFile& file, uint64_t begin, uint64_t end, RangeSink& sink, Retries& retries);

 private:
  Result<XetGrant> Grant();
  void DropGrant(const std::string& token);
  Result<XetPlan> Plan(const xet::Hash& hash, uint64_t begin, uint64_t end, Retries& retries);

  HubApi& api_;
  const HubName& name_;
  const std::string& commit_;
  const Clock now_;
  std::mutex mutex_;  // of what follows
  std::optional<XetGrant> grant_;
  int version_ = 2;  // of reconstructions, until the storage says that it has only the older one
};

}  // namespace bothy::client
