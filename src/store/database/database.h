// The database: SQLite in the data folder, or a PostgreSQL server, with the same SQL for both.
//
//   auto id = TRY(database.Write([&](Transaction& t) -> Result<int64_t> {
//     auto id = TRY(t.QueryOne<int64_t>("INSERT INTO users (name) VALUES ($1) RETURNING id", name));
//     TRY(t.Execute("INSERT INTO events (user_id) VALUES ($1)", *id));
//     return *id;
//   }));
//
// What SQL both understand, and what migrations may say, is in migrations/README.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "store/database/statement.h"
#include "store/database/value.h"

namespace bothy {

enum class Dialect { kSqlite, kPostgresql };

struct DatabaseOptions {
  // That work at once. SQLite: so many read, and one more writes. PostgreSQL: so many connections in all.
  int sessions = 8;
  // How long a caller waits for a free session, for another process's write lock, or for a server that restarts,
  // before it gets kUnavailable.
  std::chrono::milliseconds patience{10'000};
};

namespace internal {
class Session;
using RowSink = std::function<Result<void>(std::span<Value>)>;

template <class... Columns>
struct RowOf {
  using Type = std::tuple<Columns...>;
};
template <class Only>
struct RowOf<Only> {
  using Type = Only;
};

template <class... Columns, size_t... kIndexes>
typename RowOf<Columns...>::Type TakeRow(std::span<Value> values, std::index_sequence<kIndexes...>) {
  return typename RowOf<Columns...>::Type(Column<Columns>::Take(std::move(values[kIndexes]))...);
}
}  // namespace internal

// What a query with these columns gives: the column itself where there is one, otherwise a tuple of them.
template <class... Columns>
using Row = typename internal::RowOf<Columns...>::Type;

// All or nothing. After a statement has failed, every further one fails and nothing is kept, on both databases: what
// may be there already is inserted with ON CONFLICT.
class Transaction {
 public:
  // How many rows were inserted, changed or deleted.
  template <class... Values>
  Result<int64_t> Execute(Sql<Values...> sql, const Values&... values) {
    return Execute(Statement(sql, values...));
  }
  Result<int64_t> Execute(const Statement& statement);

  // All rows: a query that could give many says LIMIT. A NULL in a column whose type is not std::optional fails.
  template <class... Columns, class... Values>
  Result<std::vector<Row<Columns...>>> Query(Sql<Values...> sql, const Values&... values) {
    return Query<Columns...>(Statement(sql, values...));
  }
  template <class... Columns>
  Result<std::vector<Row<Columns...>>> Query(const Statement& statement);

  // The only row, or nothing. More than one fails.
  template <class... Columns, class... Values>
  Result<std::optional<Row<Columns...>>> QueryOne(Sql<Values...> sql, const Values&... values) {
    return QueryOne<Columns...>(Statement(sql, values...));
  }
  template <class... Columns>
  Result<std::optional<Row<Columns...>>> QueryOne(const Statement& statement);

  Dialect dialect() const;  // for the one file that needs two: full-text search

 private:
  friend class Database;
  explicit Transaction(internal::Session& session) : session_(session) {}
  Transaction(const Transaction&) = delete;

  Result<int64_t> Run(const Statement& statement, std::span<const ValueType> columns, std::span<const bool> nullable,
                      const internal::RowSink& sink);
  Result<void> RunScript(const std::string& script);  // statements without values, of migrations

  internal::Session& session_;
  std::optional<Error> failure_;
};

struct Migration {
  int64_t number = 0;
  std::string_view name;
  std::string_view checksum;  // of the file that it was made of
  std::string_view sql;
};

// Progress of a backup in bytes; false gives it up.
using BackupProgress = std::function<bool(uint64_t done, uint64_t total)>;

class Database {  // Safe to use from several threads.
 public:
  // `address` is sqlite:PATH (the file is made where it is missing, readable by its owner alone) or
  // postgresql://user:password@host:port/name?... as libpq knows it. Brings the tables up to date first, and refuses a
  // database that a newer Bothy has made. What cannot be reached now is kUnavailable at once.
  static Result<std::unique_ptr<Database>> Open(std::string_view address, const DatabaseOptions& options = {});
  // The same with other migrations than those of src/store/database/migrations, in the order of their numbers.
  static Result<std::unique_ptr<Database>> Open(std::string_view address, const DatabaseOptions& options,
                                                std::span<const Migration> migrations);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs `function` in a transaction that sees, and leaves, the database as if it had been alone, and commits when it
  // returns a value. A conflict with another transaction or a lost connection runs it again, so it changes nothing but
  // the database. kUnavailable where that did not help; it says when it cannot know whether the commit was kept.
  // What was committed survives a crash of the machine.
  //
  // Errors of statements: a value that must be unique is there already is kAlreadyExists; a reference or a CHECK that
  // does not hold, kFailedPrecondition; text that is no UTF-8, kInvalidArgument; no space, kResourceExhausted; a
  // damaged file, kCorrupt.
  template <class Function>
  std::invoke_result_t<Function&, Transaction&> Write(Function&& function) {
    return RunAs<Function>(Mode::kWrite, function);
  }

  // The same for what changes nothing: many at once, each on one unchanging state of the database. A statement that
  // would change something fails.
  template <class Function>
  std::invoke_result_t<Function&, Transaction&> Read(Function&& function) {
    return RunAs<Function>(Mode::kRead, function);
  }

  Dialect dialect() const;
  const std::string& name() const;  // for messages: a path, or an address without its password

  // Copies the database as it is now into a new file while others read and write: SQLite's own, or what PostgreSQL's
  // pg_dump writes. The file appears when it is complete and on the disk. Brought back by RestoreDatabase (restore.h).
  Result<void> Backup(const std::filesystem::path& path, const BackupProgress& progress = {});

  // What is wrong with the database's file, one line each; empty where it is sound. Reads all of it. Only for SQLite.
  Result<std::vector<std::string>> CheckIntegrity();

  enum class Mode { kRead, kWrite, kMigration };

 private:
  class Implementation;
  using Body = std::function<Result<void>(Transaction&)>;
  explicit Database(std::unique_ptr<Implementation> implementation);
  Result<void> Migrate(std::span<const Migration> migrations);
  Result<bool> ApplyNext(std::span<const Migration> migrations);

  template <class Function>
  std::invoke_result_t<Function&, Transaction&> RunAs(Mode mode, Function& function) {
    std::optional<std::invoke_result_t<Function&, Transaction&>> result;
    Result<void> done = Run(mode, [&](Transaction& transaction) -> Result<void> {
      result.emplace(function(transaction));
      if (!*result) return tl::unexpected<Error>(result->error());
      return {};
    });
    if (!done) return tl::unexpected<Error>(std::move(done).error());
    return *std::move(result);
  }
  Result<void> Run(Mode mode, const Body& body);

  std::unique_ptr<Implementation> implementation_;
};

// The migrations of src/store/database/migrations.
std::span<const Migration> StoreMigrations();

template <class... Columns>
Result<std::vector<Row<Columns...>>> Transaction::Query(const Statement& statement) {
  static constexpr ValueType kTypes[] = {Column<Columns>::kType...};
  static constexpr bool kNullable[] = {Column<Columns>::kNullable...};
  std::vector<Row<Columns...>> rows;
  TRY(Run(statement, kTypes, kNullable, [&](std::span<Value> values) -> Result<void> {
    rows.push_back(internal::TakeRow<Columns...>(values, std::index_sequence_for<Columns...>()));
    return {};
  }));
  return rows;
}

template <class... Columns>
Result<std::optional<Row<Columns...>>> Transaction::QueryOne(const Statement& statement) {
  auto rows = TRY(Query<Columns...>(statement));
  if (rows.size() > 1) {
    return Fail(ErrorCode::kInternal, "{} rows where one was expected: {}", rows.size(), statement.text());
  }
  if (rows.empty()) return std::nullopt;
  Row<Columns...> row = std::move(rows.front());
  return row;
}

}  // namespace bothy
