// PostgreSQL's side of a session.
#include <libpq-fe.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include "store/database/session.h"

namespace bothy::internal {
namespace {

constexpr std::string_view kConnectTimeout = "connect_timeout=10";  // seconds

// "ERROR:  duplicate key ..." and further lines, which name the values: those are nobody's business.
std::string FirstLine(std::string_view message) {
  message = message.substr(0, message.find('\n'));
  for (const std::string_view prefix : {"ERROR:  ", "FATAL:  ", "PANIC:  "}) {
    if (message.starts_with(prefix)) message.remove_prefix(prefix.size());
  }
  return std::string(message);
}

Failure ExplainState(const std::string& name, std::string_view state, bool connected, const std::string& said) {
  const std::string_view family = state.substr(0, 2);
  const auto failure = [&](ErrorCode code, Recovery recovery = Recovery::kNone, std::string_view advice = "") {
    return Failure{{code, fmt::format("{}: {}{}", name, said, advice)}, recovery};
  };
  if (!connected || family == "08" || state == "57P01" || state == "57P02" || state == "57P03") {
    return failure(ErrorCode::kUnavailable, Recovery::kReconnect, ": is the server running?");
  }
  if (state == "53300") {
    return failure(ErrorCode::kUnavailable, Recovery::kReconnect,
                   ": raise the server's max_connections or lower Bothy's number of sessions");
  }
  if (state == "40001" || state == "40P01") return failure(ErrorCode::kUnavailable, Recovery::kRetry);
  if (state == "55P03" || state == "57014") return failure(ErrorCode::kUnavailable, Recovery::kNone, ": try again");
  if (state == "23505") return failure(ErrorCode::kAlreadyExists);
  if (family == "23") return failure(ErrorCode::kFailedPrecondition);
  if (state == "53100") {
    return failure(ErrorCode::kResourceExhausted, Recovery::kNone, ": free some space on the server's disk");
  }
  if (family == "53" || family == "54") return failure(ErrorCode::kResourceExhausted);
  if (state == "XX001" || state == "XX002") return failure(ErrorCode::kCorrupt);
  if (state == "22021" || state == "22P05") return failure(ErrorCode::kInvalidArgument);
  return failure(ErrorCode::kInternal, Recovery::kNone, fmt::format(" (SQLSTATE {})", state));
}

// SOCI hides the type information of its backends, which the sanitizer would compare.
__attribute__((no_sanitize("vptr"))) PGconn* ConnectionOf(soci::session& session) {
  return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}

class PostgresqlSession final : public Session {
 public:
  PostgresqlSession(std::string name, std::unique_ptr<soci::session> session)
      : Session(std::move(name), std::move(session)) {
    // What the server says beside its answers, libpq would print to stderr.
    PQsetNoticeProcessor(connection(), [](void*, const char*) {}, nullptr);
  }

  Dialect dialect() const override { return Dialect::kPostgresql; }

  Result<void> RunScript(const std::string& script) override {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection(), script.c_str()), PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) {
      // A transaction that has failed answers COMMIT with success, and ROLLBACK.
      if (script == "COMMIT" && std::string_view(PQcmdStatus(result.get())) != "COMMIT") {
        return Fail(ErrorCode::kInternal, "{}: a transaction that had failed was to be committed", name_);
      }
      return {};
    }
    const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    return Failed(
        ExplainState(name_, state != nullptr ? state : "", connected(), FirstLine(PQerrorMessage(connection()))));
  }

 private:
  // Serializable: the same promise as SQLite's, that a write sees the database as if it were alone. A read needs one
  // unchanging state only, and so never fails for another's sake. Migrations wait for each other at a lock, and must
  // see what was done before they got it.
  const char* BeginText(Database::Mode mode) const override {
    switch (mode) {
      case Database::Mode::kRead: return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
      case Database::Mode::kWrite: return "BEGIN ISOLATION LEVEL SERIALIZABLE";
      case Database::Mode::kMigration: return "BEGIN ISOLATION LEVEL READ COMMITTED";
    }
    return "BEGIN";
  }

  Failure Explain(const soci::soci_error& thrown) const override {
    const auto* error = dynamic_cast<const soci::postgresql_soci_error*>(&thrown);
    std::string said = FirstLine(PQerrorMessage(connection()));
    if (said.empty()) said = FirstLine(thrown.get_error_message());
    return ExplainState(name_, error != nullptr ? error->sqlstate() : "", connected(), said);
  }

  PGconn* connection() const { return ConnectionOf(*session_); }
  bool connected() const { return PQstatus(connection()) == CONNECTION_OK; }
};

}  // namespace

std::string NameOfPostgresql(std::string_view address) {
  std::string name(address.substr(0, address.find('?')));
  const size_t host = name.find('@');
  const size_t user = name.find("://");
  if (host == std::string::npos || user == std::string::npos) return name;
  const size_t password = name.find(':', user + 3);
  if (password < host) name.erase(password, host - password);
  return name;
}

Result<std::unique_ptr<Session>> OpenPostgresql(const std::string& address, const std::string& name,
                                                const DatabaseOptions& options, Recovery& recovery) {
  recovery = Recovery::kNone;
  std::string target = address;
  if (target.find("connect_timeout=") == std::string::npos) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    target += kConnectTimeout;
  }
  std::unique_ptr<soci::session> session;
  try {
    session = std::make_unique<soci::session>(soci::postgresql, target);
  } catch (const std::exception& thrown) {
    std::string_view said = thrown.what();
    const size_t line = said.find('\n');  // after SOCI's own "Cannot establish connection"
    if (line != std::string_view::npos) said.remove_prefix(line + 1);
    const std::string why = FirstLine(said);
    // libpq gives no code for these: who is refused or asks for what is not there need not wait.
    const bool refused = said.find("authentication failed") != std::string_view::npos ||
                         said.find("does not exist\n") != std::string_view::npos ||
                         said.find("no pg_hba.conf entry") != std::string_view::npos;
    if (refused) return Fail(ErrorCode::kFailedPrecondition, "{}: {}", name, why);
    recovery = Recovery::kReconnect;
    return Fail(ErrorCode::kUnavailable, "{}: {}: is the server running?", name, why);
  }
  auto opened = std::make_unique<PostgresqlSession>(name, std::move(session));
  const auto prepared = opened->RunScript(
      fmt::format("SET client_encoding='UTF8'; SET bytea_output='hex'; SET standard_conforming_strings=on;"
                  "SET application_name='bothy'; SET lock_timeout={}; SET client_min_messages=error",
                  options.patience.count()));
  if (!prepared) {
    recovery = opened->recovery();
    return tl::unexpected<Error>(prepared.error());
  }
  return opened;
}

}  // namespace bothy::internal
