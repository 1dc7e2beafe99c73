// One connection, over SOCI. Whatever SOCI throws ends in session.cc; what the two databases name differently (errors,
// how a transaction begins) in sqlite_session.cc and postgresql_session.cc. For one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "store/database/database.h"

namespace soci {
class session;
class soci_error;
}  // namespace soci

namespace bothy::internal {

enum class Recovery {
  kNone,       // the same again would fail again
  kRetry,      // the transaction lost against another one
  kReconnect,  // the connection is gone
};

struct Failure {
  Error error;
  Recovery recovery = Recovery::kNone;
};

class Session {
 public:
  virtual ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // A failure also says, until the next call of these, what recovery() there is.
  Result<void> Begin(Database::Mode mode);
  Result<void> Commit();
  Result<void> Rollback();

  // Rows changed. `sink` gets each row; columns of type kBoolean come as integers.
  Result<int64_t> Run(const Statement& statement, std::span<const ValueType> columns, const RowSink& sink);
  virtual Result<void> RunScript(const std::string& script) = 0;

  Recovery recovery() const { return recovery_; }
  virtual Dialect dialect() const = 0;

 protected:
  Session(std::string name, std::unique_ptr<soci::session> session);

  virtual const char* BeginText(Database::Mode mode) const = 0;
  // The last failure of this connection; `thrown` is what SOCI says about it.
  virtual Failure Explain(const soci::soci_error& thrown) const = 0;

  tl::unexpected<Error> Failed(Failure failure) {
    recovery_ = failure.recovery;
    return tl::unexpected<Error>(std::move(failure.error));
  }

  const std::string name_;
  const std::unique_ptr<soci::session> session_;

 private:
  struct Prepared;
  Result<Prepared*> Prepare(const Statement& statement, std::span<const ValueType> columns);
  Result<void> Bind(Prepared& prepared, const std::vector<Value>& values);
  Result<Value> ValueOf(const Prepared& prepared, size_t column) const;

  Recovery recovery_ = Recovery::kNone;
  // Gone before session_ is: closing a statement needs its connection.
  std::list<Prepared> prepared_;  // the latest used first
  std::unordered_map<std::string, std::list<Prepared>::iterator> by_key_;
  std::list<Prepared> dropped_;  // to be closed outside of a transaction that has failed
};

// `writer`: the one that writes; the others refuse to.
Result<std::unique_ptr<Session>> OpenSqlite(const std::string& path, const DatabaseOptions& options, bool writer);
Result<void> BackupSqlite(const std::string& path, const std::filesystem::path& target, const DatabaseOptions& options,
                          const BackupProgress& progress);
Result<void> RestoreSqlite(const std::string& path, const std::filesystem::path& backup,
                           const BackupProgress& progress);
Result<std::vector<std::string>> CheckSqlite(const std::string& path, const DatabaseOptions& options);

// On failure, `recovery` says whether the server may come back.
Result<std::unique_ptr<Session>> OpenPostgresql(const std::string& address, const std::string& name,
                                                const DatabaseOptions& options, Recovery& recovery);
// The address without its password.
std::string NameOfPostgresql(std::string_view address);
// By the programs pg_dump and pg_restore, which must not be older than the server; kUnimplemented where there are none.
Result<void> DumpPostgresql(const std::string& address, const std::filesystem::path& target,
                            const DatabaseOptions& options, const BackupProgress& progress);
Result<void> RestorePostgresql(const std::string& address, const ByteSource& dump, const BackupProgress& progress);

}  // namespace bothy::internal
