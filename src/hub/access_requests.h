// Who asked to be let into a gated repository, and what became of it.
//
//   nothing --ask--> pending (manual) or accepted (automatic)
//   nothing --grant--> accepted
//   pending, accepted, rejected --handle--> another of these
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/actor.h"
#include "hub/repositories.h"

namespace bothy {

struct AccessRequestRow {
  int64_t id = 0;
  int64_t user_id = 0;
  std::string user;
  std::string full_name;
  std::optional<std::string> email;
  AccessRequest status = AccessRequest::kPending;
  std::string answers;  // JSON: what the user has filled in
  std::string rejection_reason;
  Timestamp created_at;
};

class AccessRequests {
 public:
  static constexpr size_t kMaxAnswerBytes = 16 << 10;
  static constexpr size_t kMaxReasonBytes = 2000;
  static constexpr int64_t kMaxPage = 1000;

  explicit AccessRequests(Repositories& repositories) : repositories_(repositories) {}

  // `answers` is a JSON object. kFailedPrecondition where the repository is not gated, kAlreadyExists where the actor
  // has asked before. Gives what they are now: pending, or accepted where asking is enough.
  Result<AccessRequest> Ask(const Actor& actor, const Repository& repository, const std::string& answers);

  // Takes back one's own, whatever became of it. kNotFound.
  Result<void> Withdraw(const Actor& actor, const Repository& repository);

  // Those of one status, the newest first, with ids below `before` (0: all).
  Result<std::vector<AccessRequestRow>> List(const Repository& repository, AccessRequest status, int64_t before,
                                             int64_t limit) const;

  // Of a user by name. kNotFound: no such user, or they have not asked. kFailedPrecondition: it is so already. A reason
  // is for rejections only, kInvalidArgument with others.
  Result<void> Handle(const Repository& repository, std::string_view user, AccessRequest status,
                      std::string_view rejection_reason);

  // Lets in who has not asked. kAlreadyExists where they have: then Handle; kNotFound: no such user.
  Result<void> Grant(const Repository& repository, std::string_view user);

 private:
  Repositories& repositories_;
};

}  // namespace bothy
