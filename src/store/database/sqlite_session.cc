// SQLite's side of a session, its backup and its integrity check.
#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/copy_file.h"
#include "base/system_error.h"
#include "store/database/session.h"

namespace bothy::internal {
namespace {

using sqlite_api::sqlite3;

constexpr int kBackupPages = 256;  // of 4 kB: a progress report each MB

Failure ExplainSqlite(const std::string& name, sqlite3* connection, int extended, std::string_view thrown) {
  const std::string said = connection != nullptr ? sqlite_api::sqlite3_errmsg(connection) : std::string(thrown);
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return {{ErrorCode::kAlreadyExists, fmt::format("{}: {}", name, said)}};
    case SQLITE_BUSY_SNAPSHOT: return {{ErrorCode::kUnavailable, fmt::format("{}: {}", name, said)}, Recovery::kRetry};
  }
  switch (extended & 0xff) {
    case SQLITE_CONSTRAINT: return {{ErrorCode::kFailedPrecondition, fmt::format("{}: {}", name, said)}};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {{ErrorCode::kUnavailable,
               fmt::format("{}: another process holds the database's lock; try again, and if that stays so, look with "
                           "'fuser {}' for who has it open",
                           name, name)}};
    case SQLITE_FULL:
      return {{ErrorCode::kResourceExhausted,
               fmt::format("{}: the disk is full: free some space there and try again", name)}};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {{ErrorCode::kCorrupt,
               fmt::format("{}: {}: the file is damaged or no database; put a backup in its place", name, said)}};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return {{ErrorCode::kPermissionDenied, fmt::format("{}: {}", name, said)}};
    case SQLITE_TOOBIG: return {{ErrorCode::kResourceExhausted, fmt::format("{}: {}", name, said)}};
    case SQLITE_IOERR:
      return {{ErrorCode::kUnavailable, fmt::format("{}: {} (code {}): is the disk well?", name, said, extended)}};
    default: return {{ErrorCode::kInternal, fmt::format("{}: {} (code {})", name, said, extended)}};
  }
}

// SOCI hides the type information of its backends, which the sanitizer would compare.
__attribute__((no_sanitize("vptr"))) sqlite3* ConnectionOf(soci::session& session) {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

class SqliteSession final : public Session {
 public:
  SqliteSession(std::string name, std::unique_ptr<soci::session> session, sqlite3* connection)
      : Session(std::move(name), std::move(session)), connection_(connection) {}

  Dialect dialect() const override { return Dialect::kSqlite; }

  Result<void> RunScript(const std::string& script) override {
    const int code = sqlite_api::sqlite3_exec(connection_, script.c_str(), nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return {};
    return Failed(ExplainSqlite(name_, connection_, sqlite_api::sqlite3_extended_errcode(connection_), ""));
  }

  sqlite3* connection() const { return connection_; }
  const std::string& name() const { return name_; }

 private:
  // IMMEDIATE: who will write says so at once and waits, instead of finding after a read that another was faster.
  const char* BeginText(Database::Mode mode) const override {
    return mode == Database::Mode::kRead ? "BEGIN" : "BEGIN IMMEDIATE";
  }

  Failure Explain(const soci::soci_error& thrown) const override {
    const int code = sqlite_api::sqlite3_extended_errcode(connection_);
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) {
      return ExplainSqlite(name_, connection_, code, "");
    }
    return {{ErrorCode::kInternal, fmt::format("{}: {}", name_, thrown.get_error_message())}};
  }

  sqlite3* connection_;
};

Result<std::unique_ptr<SqliteSession>> Open(const std::string& path, const DatabaseOptions& options, bool writer) {
  // SQLite says no more than "unable to open", and would make a file that everybody may read: it holds token hashes.
  // Nobody but SQLite opens it: to close it would give up the locks that this process's other connections have on it,
  // and the next process that ends would take the log from under them.
  if (writer && mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    return Fail(SystemErrorCode(errno), "{}: {}", path, std::strerror(errno));
  }
  if (access(path.c_str(), R_OK | W_OK) != 0) return Fail(SystemErrorCode(errno), "{}: {}", path, std::strerror(errno));
  if (path.find('=') != std::string::npos && path.find('"') != std::string::npos) {
    return Fail(ErrorCode::kInvalidArgument, "{}: a database's path may not have both = and \"", path);
  }
  std::unique_ptr<soci::session> session;
  try {
    // SOCI takes what has no '=' as a path, anything else as keys with values.
    session = std::make_unique<soci::session>(
        soci::sqlite3, path.find('=') == std::string::npos ? path : fmt::format("dbname=\"{}\"", path));
  } catch (const soci::sqlite3_soci_error& thrown) {
    return tl::unexpected<Error>(ExplainSqlite(path, nullptr, thrown.result(), thrown.get_error_message()).error);
  } catch (const std::exception& thrown) {
    return Fail(ErrorCode::kInternal, "{}: {}", path, thrown.what());
  }
  sqlite3* connection = ConnectionOf(*session);
  auto opened = std::make_unique<SqliteSession>(path, std::move(session), connection);
  sqlite_api::sqlite3_extended_result_codes(connection, 1);
  sqlite_api::sqlite3_busy_timeout(connection, static_cast<int>(options.patience.count()));
  // FULL: a commit that was acknowledged survives a power cut, too. LIKE tells a from A, as PostgreSQL's does.
  TRY(opened->RunScript(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA case_sensitive_like=ON;"
      "PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000;"
      "PRAGMA trusted_schema=OFF"));
  if (!writer) TRY(opened->RunScript("PRAGMA query_only=ON"));
  return opened;
}

Result<void> Copy(SqliteSession& source, const std::string& target, const BackupProgress& progress) {
  sqlite3* to = nullptr;
  int code = sqlite_api::sqlite3_open_v2(target.c_str(), &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> owner(to, sqlite_api::sqlite3_close);
  const auto failed = [&] {
    return tl::unexpected<Error>(
        ExplainSqlite(target, to, to != nullptr ? sqlite_api::sqlite3_extended_errcode(to) : code, "").error);
  };
  if (code != SQLITE_OK) return failed();
  sqlite_api::sqlite3_backup* backup = sqlite_api::sqlite3_backup_init(to, "main", source.connection(), "main");
  if (backup == nullptr) return failed();
  bool wanted = true;
  do {
    code = sqlite_api::sqlite3_backup_step(backup, kBackupPages);
    const auto total = static_cast<uint64_t>(sqlite_api::sqlite3_backup_pagecount(backup));
    const auto left = static_cast<uint64_t>(sqlite_api::sqlite3_backup_remaining(backup));
    constexpr uint64_t kPage = 4096;
    if (progress) wanted = progress((total - left) * kPage, total * kPage);
  } while (code == SQLITE_OK && wanted);
  const int finished = sqlite_api::sqlite3_backup_finish(backup);
  if (!wanted) return Fail(ErrorCode::kCancelled, "{}: the backup was given up", target);
  if (code != SQLITE_DONE || finished != SQLITE_OK) {
    // A failure of the target's; what the source's was, only the code says.
    if (sqlite_api::sqlite3_errcode(to) != SQLITE_OK) return failed();
    return tl::unexpected<Error>(ExplainSqlite(source.name(), nullptr, code, "backup: reading failed").error);
  }
  return {};
}

Result<void> SyncPath(const std::filesystem::path& path, int flags) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!synced)
    return Fail(SystemErrorCode(error), "{}: bringing it to the disk: {}", path.string(), std::strerror(error));
  return {};
}

}  // namespace

Result<std::unique_ptr<Session>> OpenSqlite(const std::string& path, const DatabaseOptions& options, bool writer) {
  return TRY(Open(path, options, writer));
}

Result<void> BackupSqlite(const std::string& path, const std::filesystem::path& target, const DatabaseOptions& options,
                          const BackupProgress& progress) {
  const auto source = TRY(Open(path, options, false));
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored)) {
    return Fail(ErrorCode::kAlreadyExists, "{}: is there already; a backup goes into a new file", target.string());
  }
  std::filesystem::path part = target;
  part += fmt::format(".{}.part", getpid());
  const int fd = open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Fail(SystemErrorCode(errno), "{}: {}", part.string(), std::strerror(errno));
  close(fd);
  // A read transaction that stays open: otherwise the copy would begin anew whenever another session writes.
  const auto copy = [&]() -> Result<void> {
    TRY(source->RunScript("BEGIN; SELECT count(*) FROM sqlite_schema"));
    TRY(Copy(*source, part.string(), progress));
    TRY(SyncPath(part, 0));
    if (rename(part.c_str(), target.c_str()) != 0) {
      return Fail(SystemErrorCode(errno), "{}: {}", target.string(), std::strerror(errno));
    }
    return SyncPath(target.has_parent_path() ? target.parent_path() : ".", O_DIRECTORY);
  };
  Result<void> copied = copy();
  if (!copied) {
    std::filesystem::remove(part, ignored);
    part += "-journal";
    std::filesystem::remove(part, ignored);
  }
  return copied;
}

Result<void> RestoreSqlite(const std::string& path, const std::filesystem::path& backup,
                           const BackupProgress& progress) {
  std::filesystem::path part = path;
  part += fmt::format(".{}.part", getpid());
  std::error_code ignored;
  std::filesystem::remove(part, ignored);  // of a process that was killed and had our number
  if (std::filesystem::exists(path, ignored)) return Fail(ErrorCode::kAlreadyExists, "{}: is there already", path);
  TRY(CopyFile(backup, part, progress));
  const auto finish = [&]() -> Result<void> {
    // The backup's permissions may be those of a medium that knows none.
    if (chmod(part.c_str(), 0600) != 0)
      return Fail(SystemErrorCode(errno), "{}: {}", part.string(), std::strerror(errno));
    TRY(SyncPath(part, 0));
    if (rename(part.c_str(), path.c_str()) != 0)
      return Fail(SystemErrorCode(errno), "{}: {}", path, std::strerror(errno));
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    return SyncPath(folder.empty() ? "." : folder, O_DIRECTORY);
  };
  Result<void> finished = finish();
  if (!finished) std::filesystem::remove(part, ignored);
  return finished;
}

Result<std::vector<std::string>> CheckSqlite(const std::string& path, const DatabaseOptions& options) {
  const auto session = TRY(Open(path, options, false));
  std::vector<std::string> problems;
  const auto check = session->Run(Statement("SELECT integrity_check FROM pragma_integrity_check"),
                                  std::vector{ValueType::kText}, [&](std::span<Value> row) -> Result<void> {
                                    if (row[0].text() != "ok") problems.push_back(row[0].text());
                                    return {};
                                  });
  if (!check) {
    if (check.error().code != ErrorCode::kCorrupt) return tl::unexpected<Error>(check.error());
    problems.push_back(check.error().message);
    return problems;
  }
  TRY(session->Run(
      Statement("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check"),
      std::vector{ValueType::kText, ValueType::kInteger, ValueType::kText}, [&](std::span<Value> row) -> Result<void> {
        problems.push_back(fmt::format("table {}, row {}: refers to a row of {} that is not there", row[0].text(),
                                       row[1].null() ? 0 : row[1].integer(), row[2].text()));
        return {};
      }));
  return problems;
}

}  // namespace bothy::internal
