#include "store/database/database.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "store/database/address.h"
#include "store/database/session.h"

namespace bothy {
namespace {

using internal::Recovery;
using internal::Session;
using Clock = std::chrono::steady_clock;

// How often a transaction that lost against others begins again. Each time one of those in conflict has won, so this
// many losses in a row mean that something is wrong.
constexpr int kMaxConflicts = 30;
constexpr std::chrono::milliseconds kLongestPause{200};

// Doubles with each attempt, and half of it is chance, so that two that met do not meet again.
void Pause(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const auto longest =
      std::min<std::chrono::microseconds>(kLongestPause, std::chrono::microseconds(500) * (1 << std::min(attempt, 12)));
  std::this_thread::sleep_for(longest / 2 + longest / 2 * std::uniform_int_distribution<int>(0, 100)(random) / 100);
}

// Sessions that are lent to one thread at a time, made when they are first needed.
class Pool {
 public:
  using Make = std::function<Result<std::unique_ptr<Session>>(Recovery&)>;
  Pool(int size, Make make) : free_(size), make_(std::move(make)) {}

  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Session> session) : pool_(&pool), session_(std::move(session)) {}
    Lease(Lease&& other) noexcept = default;
    ~Lease() {
      if (session_ != nullptr) pool_->GiveBack(std::move(session_));
    }
    Session& operator*() const { return *session_; }
    Session* operator->() const { return session_.get(); }
    void Discard() { pool_->GiveBack(nullptr), session_.reset(); }

   private:
    Pool* pool_;
    std::unique_ptr<Session> session_;
  };

  Result<Lease> Take(Clock::time_point deadline, std::string_view name, Recovery& recovery) {
    recovery = Recovery::kNone;
    {
      std::unique_lock lock(mutex_);
      if (!freed_.wait_until(lock, deadline, [&] { return free_ > 0; })) {
        return Fail(ErrorCode::kUnavailable, "{}: all connections to the database stayed busy; try again", name);
      }
      free_--;
      if (!idle_.empty()) {
        Lease lease(*this, std::move(idle_.back()));
        idle_.pop_back();
        return lease;
      }
    }
    auto session = make_(recovery);
    if (!session) {
      GiveBack(nullptr);
      return tl::unexpected<Error>(std::move(session).error());
    }
    return Lease(*this, *std::move(session));
  }

  // The others are likely gone, too, when one is.
  void DropIdle() {
    std::vector<std::unique_ptr<Session>> dropped;
    const std::lock_guard lock(mutex_);
    dropped.swap(idle_);
  }

 private:
  void GiveBack(std::unique_ptr<Session> session) {
    {
      const std::lock_guard lock(mutex_);
      free_++;
      if (session != nullptr) idle_.push_back(std::move(session));
    }
    freed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable freed_;
  int free_;
  std::vector<std::unique_ptr<Session>> idle_;
  const Make make_;
};

}  // namespace

class Database::Implementation {
 public:
  Dialect dialect = Dialect::kSqlite;
  std::string name;
  std::string address;  // of PostgreSQL, with its password
  DatabaseOptions options;
  std::unique_ptr<Pool> sessions;  // SQLite: those that read
  std::unique_ptr<Pool> writer;    // SQLite only

  Pool& For(Mode mode) { return dialect == Dialect::kSqlite && mode != Mode::kRead ? *writer : *sessions; }
};

Database::Database(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Database::~Database() = default;

Dialect Database::dialect() const { return implementation_->dialect; }
const std::string& Database::name() const { return implementation_->name; }

Result<std::unique_ptr<Database>> Database::Open(std::string_view address, const DatabaseOptions& options) {
  return Open(address, options, StoreMigrations());
}

Result<std::unique_ptr<Database>> Database::Open(std::string_view address, const DatabaseOptions& options,
                                                 std::span<const Migration> migrations) {
  auto made = std::make_unique<Implementation>();
  made->options = options;
  const int sessions = std::max(1, options.sessions);
  Recovery recovery = Recovery::kNone;
  made->dialect = TRY(DialectOf(address));
  if (made->dialect == Dialect::kSqlite) {
    const std::string path = TRY(internal::PathOfSqlite(address));
    made->name = path;
    made->writer =
        std::make_unique<Pool>(1, [path, options](Recovery&) { return internal::OpenSqlite(path, options, true); });
    made->sessions = std::make_unique<Pool>(
        sessions, [path, options](Recovery&) { return internal::OpenSqlite(path, options, false); });
  } else {
    made->address = address;
    made->name = internal::NameOfPostgresql(address);
    made->sessions =
        std::make_unique<Pool>(sessions, [target = made->address, name = made->name, options](Recovery& why) {
          return internal::OpenPostgresql(target, name, options, why);
        });
  }
  // A server that is not there at the start is more likely a wrong address than one that restarts.
  TRY(made->For(Mode::kWrite).Take(Clock::now() + options.patience, made->name, recovery));
  std::unique_ptr<Database> database(new Database(std::move(made)));
  TRY(database->Migrate(migrations));
  return database;
}

Result<void> Database::Run(Mode mode, const Body& body) {
  Implementation& self = *implementation_;
  const auto deadline = Clock::now() + self.options.patience;
  Recovery recovery = Recovery::kNone;
  const auto attempt = [&]() -> Result<void> {
    Pool& pool = self.For(mode);
    auto lease = TRY(pool.Take(deadline, self.name, recovery));
    // A session that failed is closed, not asked whether it still works.
    const auto give_up = [&](Error error, bool usable) -> Result<void> {
      if (recovery == Recovery::kReconnect) pool.DropIdle();
      if (recovery == Recovery::kReconnect || !usable) lease.Discard();
      return tl::unexpected<Error>(std::move(error));
    };
    if (auto begun = lease->Begin(mode); !begun) {
      recovery = lease->recovery();
      return give_up(std::move(begun).error(), recovery == Recovery::kNone);
    }
    Transaction transaction(*lease);
    Result<void> done = body(transaction);
    if (transaction.failure_) {
      recovery = lease->recovery();
      if (done) done = tl::unexpected<Error>(*transaction.failure_);
    }
    if (!done) return give_up(std::move(done).error(), lease->Rollback().has_value());
    if (auto committed = lease->Commit(); !committed) {
      recovery = lease->recovery();
      const bool usable = lease->Rollback().has_value();
      if (recovery != Recovery::kReconnect) return give_up(std::move(committed).error(), usable);
      lease.Discard();
      pool.DropIdle();
      if (mode == Mode::kRead) return tl::unexpected<Error>(std::move(committed).error());
      recovery = Recovery::kNone;
      return Fail(ErrorCode::kUnavailable,
                  "{}: whether the last change was kept is not known: look before repeating it",
                  committed.error().message);
    }
    return {};
  };
  for (int tries = 0;; tries++) {
    Result<void> done = attempt();
    if (done || recovery == Recovery::kNone) return done;
    if (recovery == Recovery::kRetry && tries >= kMaxConflicts) return done;
    if (recovery == Recovery::kReconnect && Clock::now() >= deadline) return done;
    Pause(tries);
  }
}

Result<void> Database::Backup(const std::filesystem::path& path, const BackupProgress& progress) {
  if (dialect() == Dialect::kSqlite) return internal::BackupSqlite(name(), path, implementation_->options, progress);
  return internal::DumpPostgresql(implementation_->address, path, implementation_->options, progress);
}

Result<std::vector<std::string>> Database::CheckIntegrity() {
  if (dialect() != Dialect::kSqlite) {
    return Fail(ErrorCode::kUnimplemented, "{}: PostgreSQL is checked by its own pg_amcheck", name());
  }
  return internal::CheckSqlite(name(), implementation_->options);
}

Dialect Transaction::dialect() const { return session_.dialect(); }

Result<int64_t> Transaction::Execute(const Statement& statement) { return Run(statement, {}, {}, {}); }

Result<int64_t> Transaction::Run(const Statement& statement, std::span<const ValueType> columns,
                                 std::span<const bool> nullable, const internal::RowSink& sink) {
  if (failure_) {
    return Fail(ErrorCode::kFailedPrecondition, "an earlier statement of the transaction failed: {}",
                failure_->message);
  }
  auto done = session_.Run(statement, columns, [&](std::span<Value> row) -> Result<void> {
    for (size_t i = 0; i < row.size(); i++) {
      if (row[i].null() && !nullable[i]) {
        return Fail(ErrorCode::kInternal, "column {} is NULL, expected a value", i + 1);
      }
    }
    return sink(row);
  });
  if (!done) failure_ = done.error();
  return done;
}

Result<void> Transaction::RunScript(const std::string& script) {
  auto done = session_.RunScript(script);
  if (!done) failure_ = done.error();
  return done;
}

}  // namespace bothy
