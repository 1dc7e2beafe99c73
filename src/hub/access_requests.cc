#include "hub/access_requests.h"

#include <algorithm>

#include "codec/json.h"
#include "hub/names.h"
#include "hub/repository_rows.h"

namespace bothy {
namespace {

constexpr size_t kMaxAnswers = 200;

Result<void> CheckAnswers(const std::string& answers) {
  if (answers.size() > AccessRequests::kMaxAnswerBytes) {
    return Fail(ErrorCode::kResourceExhausted, "the answers are longer than {} bytes", AccessRequests::kMaxAnswerBytes);
  }
  const auto parsed = json::Parse(answers, "answers", kMaxAnswers);
  if (!parsed || !parsed->is_object()) {
    return Fail(ErrorCode::kInvalidArgument, "the answers are not a JSON object of at most {} values", kMaxAnswers);
  }
  return {};
}

Result<int64_t> UserId(Transaction& t, std::string_view name) {
  const auto id = TRY(t.QueryOne<int64_t>(
      "SELECT users.id FROM users JOIN namespaces ON namespaces.id = users.id WHERE namespaces.key = $1",
      NameKey(name)));
  if (!id) return Fail(ErrorCode::kNotFound, "there is no user called \"{}\"", name);
  return *id;
}

// Whether there was no row before.
Result<bool> Insert(Transaction& t, const Repository& repository, int64_t user_id, AccessRequest status,
                    const std::string& answers, Timestamp now) {
  return TRY(t.Execute("INSERT INTO access_requests (repository_id, user_id, status, answers, rejection_reason,"
                       " created_at, updated_at) VALUES ($1, $2, $3, $4, '', $5, $5)"
                       " ON CONFLICT (repository_id, user_id) DO NOTHING",
                       repository.id, user_id, AccessRequestName(status), answers, now)) == 1;
}

}  // namespace

Result<AccessRequest> AccessRequests::Ask(const Actor& actor, const Repository& repository,
                                          const std::string& answers) {
  if (repository.gating == Gating::kNone) {
    return Fail(ErrorCode::kFailedPrecondition, "{} is not gated: there is nothing to ask for", repository.FullName());
  }
  TRY(CheckAnswers(answers));
  const auto status = repository.gating == Gating::kAutomatic ? AccessRequest::kAccepted : AccessRequest::kPending;
  return repositories_.database().Write([&](Transaction& t) -> Result<AccessRequest> {
    if (TRY(Insert(t, repository, actor.user_id, status, answers, repositories_.now()))) return status;
    return Fail(ErrorCode::kAlreadyExists, "you have asked for access to {} before", repository.FullName());
  });
}

Result<void> AccessRequests::Withdraw(const Actor& actor, const Repository& repository) {
  const auto deleted = TRY(repositories_.database().Write([&](Transaction& t) {
    return t.Execute("DELETE FROM access_requests WHERE repository_id = $1 AND user_id = $2", repository.id,
                     actor.user_id);
  }));
  if (deleted == 0) return Fail(ErrorCode::kNotFound, "you have not asked for access to {}", repository.FullName());
  return {};
}

Result<std::vector<AccessRequestRow>> AccessRequests::List(const Repository& repository, AccessRequest status,
                                                           int64_t before, int64_t limit) const {
  return repositories_.database().Read([&](Transaction& t) -> Result<std::vector<AccessRequestRow>> {
    auto rows = TRY((
        t.Query<int64_t, int64_t, std::string, std::string, std::optional<std::string>, std::string, std::string,
                Timestamp>("SELECT access_requests.id, users.id, namespaces.name, namespaces.full_name, users.email,"
                           " access_requests.answers, access_requests.rejection_reason, access_requests.created_at"
                           " FROM access_requests JOIN users ON users.id = access_requests.user_id"
                           " JOIN namespaces ON namespaces.id = users.id"
                           " WHERE access_requests.repository_id = $1 AND access_requests.status = $2"
                           " AND ($3 = 0 OR access_requests.id < $3) ORDER BY access_requests.id DESC LIMIT $4",
                           repository.id, AccessRequestName(status), before, std::clamp<int64_t>(limit, 1, kMaxPage))));
    std::vector<AccessRequestRow> requests;
    requests.reserve(rows.size());
    for (auto& [id, user_id, user, full_name, email, answers, reason, created_at] : rows) {
      requests.push_back({.id = id,
                          .user_id = user_id,
                          .user = std::move(user),
                          .full_name = std::move(full_name),
                          .email = std::move(email),
                          .status = status,
                          .answers = std::move(answers),
                          .rejection_reason = std::move(reason),
                          .created_at = created_at});
    }
    return requests;
  });
}

Result<void> AccessRequests::Handle(const Repository& repository, std::string_view user, AccessRequest status,
                                    std::string_view rejection_reason) {
  if (status == AccessRequest::kNone) return Fail(ErrorCode::kInvalidArgument, "a request cannot become no request");
  if (!rejection_reason.empty() && status != AccessRequest::kRejected) {
    return Fail(ErrorCode::kInvalidArgument, "a reason is given for a rejection only");
  }
  if (rejection_reason.size() > kMaxReasonBytes) {
    return Fail(ErrorCode::kResourceExhausted, "the reason is longer than {} bytes", kMaxReasonBytes);
  }
  return repositories_.database().Write([&](Transaction& t) -> Result<void> {
    const int64_t user_id = TRY(UserId(t, user));
    const auto now = TRY(t.QueryOne<std::string>(
        "SELECT status FROM access_requests WHERE repository_id = $1 AND user_id = $2", repository.id, user_id));
    if (!now) return Fail(ErrorCode::kNotFound, "{} has not asked for access to {}", user, repository.FullName());
    if (*now == AccessRequestName(status)) {
      return Fail(ErrorCode::kFailedPrecondition, "the request of {} is {} already", user, *now);
    }
    TRY(
        t.Execute("UPDATE access_requests SET status = $1, rejection_reason = $2, updated_at = $3"
                  " WHERE repository_id = $4 AND user_id = $5",
                  AccessRequestName(status), rejection_reason, repositories_.now(), repository.id, user_id));
    return {};
  });
}

Result<void> AccessRequests::Grant(const Repository& repository, std::string_view user) {
  return repositories_.database().Write([&](Transaction& t) -> Result<void> {
    const int64_t user_id = TRY(UserId(t, user));
    if (TRY(Insert(t, repository, user_id, AccessRequest::kAccepted, "{}", repositories_.now()))) return {};
    return Fail(ErrorCode::kAlreadyExists, "{} has asked for access to {} already", user, repository.FullName());
  });
}

}  // namespace bothy
