// What is left after a program is killed, a server restarts, a file is damaged, a disk is full.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "store/database/testing.h"

namespace bothy {
namespace {

constexpr Migration kTable[] = {{1, "0001_rows", "a", "CREATE TABLE rows (id {identity}, text TEXT NOT NULL);"}};

Result<int64_t> CountRows(Database& database) {
  return database.Read(
      [](Transaction& t) -> Result<int64_t> { return TRY(t.QueryOne<int64_t>("SELECT count(*) FROM rows")).value(); });
}

Result<int64_t> Insert(Database& database, std::string_view text) {
  return database.Write([&](Transaction& t) { return t.Execute("INSERT INTO rows (text) VALUES ($1)", text); });
}

// Runs `child` in a process that says when it is ready, and then is killed as a power cut would.
template <class Child>
void KillWhenReady(const Child& child) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t process = fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    child([&] {
      (void)!write(ready[1], "r", 1);
      while (true) pause();
    });
    _exit(1);
  }
  close(ready[1]);
  char said = 0;
  EXPECT_EQ(read(ready[0], &said, 1), 1) << "the child ended early";
  kill(process, SIGKILL);
  int status = 0;
  EXPECT_EQ(waitpid(process, &status, 0), process);
  EXPECT_TRUE(WIFSIGNALED(status));
  close(ready[0]);
}

class DatabaseCrash : public DatabaseTest {};

TEST_P(DatabaseCrash, KilledInATransactionKeepsWhatWasCommittedAndNothingElse) {
  KillWhenReady([&](const auto& ready) {
    const auto database = Open(kTable);
    for (int i = 0; i < 3; i++) EXPECT_OK(Insert(*database, "kept"));
    (void)database->Write([&](Transaction& t) -> Result<void> {
      for (int i = 0; i < 500; i++) TRY(t.Execute("INSERT INTO rows (text) VALUES ($1)", std::string(1000, 'x')));
      ready();
      return {};
    });
  });
  const auto database = Open(kTable);
  ASSERT_NE(database, nullptr);
  const auto count = CountRows(*database);
  ASSERT_OK(count);
  EXPECT_EQ(*count, 3);
  EXPECT_OK(Insert(*database, "after"));  // the dead one's lock is gone
  if (GetParam() == Dialect::kSqlite) {
    const auto problems = database->CheckIntegrity();
    ASSERT_OK(problems);
    EXPECT_TRUE(problems->empty());
  }
}

BOTHY_ON_BOTH_DATABASES(DatabaseCrash);

class PostgresqlServer : public DatabaseTest {
 protected:
  static void EndAllOthers(Database& database) {
    // Ends its own last: the answer to it is the loss of the connection.
    (void)database.Read([](Transaction& t) {
      return t.Query<std::optional<bool>>(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bothy' "
          "AND pid <> pg_backend_pid()");
    });
  }
};
INSTANTIATE_TEST_SUITE_P(, PostgresqlServer, testing::Values(Dialect::kPostgresql));

TEST_P(PostgresqlServer, ConnectionsThatDiedIdleAreReplaced) {
  const auto database = Open(kTable);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) threads.emplace_back([&] { EXPECT_OK(Insert(*database, "before")); });
  for (std::thread& thread : threads) thread.join();
  const auto other = Open(kTable);
  EndAllOthers(*other);
  for (int i = 0; i < 8; i++) EXPECT_OK(Insert(*database, "after"));
}

TEST_P(PostgresqlServer, ATransactionWhoseConnectionIsLostRunsAgain) {
  const auto database = Open(kTable), other = Open(kTable);
  int runs = 0;
  const auto done = database->Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("INSERT INTO rows (text) VALUES ($1)", "a"));
    if (runs++ == 0) EndAllOthers(*other);
    TRY(t.Execute("INSERT INTO rows (text) VALUES ($1)", "b"));
    return {};
  });
  EXPECT_OK(done);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(*CountRows(*database), 2);
}

TEST_P(PostgresqlServer, ALostCommitIsNotRepeatedAndSaysSo) {
  const auto database = Open(kTable), other = Open(kTable);
  int runs = 0;
  const auto done = database->Write([&](Transaction& t) -> Result<void> {
    runs++;
    TRY(t.Execute("INSERT INTO rows (text) VALUES ($1)", "a"));
    EndAllOthers(*other);
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(done.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(done.error().message.find("not known"), std::string::npos) << done.error().message;
}

TEST_P(PostgresqlServer, ARestartIsWaitedFor) {
  const char* restart = std::getenv("BOTHY_TEST_POSTGRESQL_RESTART");
  if (restart == nullptr) GTEST_SKIP() << "needs BOTHY_TEST_POSTGRESQL_RESTART";
  const auto database = Open(kTable);
  EXPECT_OK(Insert(*database, "before"));
  std::atomic<bool> restarted = false;
  std::thread server([&] {
    EXPECT_EQ(std::system(restart), 0);  // NOLINT: a command that the test's own script made
    restarted = true;
  });
  int64_t kept = 1;
  while (!restarted) {
    if (Insert(*database, "while")) kept++;
  }
  server.join();
  EXPECT_OK(Insert(*database, "after"));
  const auto count = CountRows(*database);
  ASSERT_OK(count);
  EXPECT_GE(*count, kept + 1);  // one that said that it does not know may be there
}

class SqliteFile : public DatabaseTest {
 protected:
  std::filesystem::path File() const { return folder() / "bothy.db"; }
};
INSTANTIATE_TEST_SUITE_P(, SqliteFile, testing::Values(Dialect::kSqlite));

TEST_P(SqliteFile, OnlyItsOwnerReadsIt) {
  ASSERT_NE(Open(kTable), nullptr);
  struct stat info{};
  ASSERT_EQ(stat(File().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_P(SqliteFile, APathMayHoldSpacesAndSigns) {
  const auto path = folder() / "a = b  c'd.db";
  const auto database = Database::Open("sqlite:" + path.string(), {}, kTable);
  ASSERT_OK(database);
  EXPECT_OK(Insert(**database, "a"));
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_P(SqliteFile, AFolderThatIsNotThereAndAFileThatIsNoDatabaseAreNamed) {
  const auto missing = Database::Open("sqlite:" + (folder() / "none" / "x.db").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  std::ofstream(File()) << std::string(5000, 'x');
  const auto other = Database::Open(address());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(other.error().message.find(File().string()), std::string::npos) << other.error().message;
}

TEST_P(SqliteFile, DamageIsFound) {
  {
    const auto database = Open(kTable);
    ASSERT_OK(database->Write([](Transaction& t) -> Result<void> {
      for (int i = 0; i < 50; i++) TRY(t.Execute("INSERT INTO rows (text) VALUES ($1)", std::string(1000, 'x')));
      return {};
    }));
    const auto problems = database->CheckIntegrity();
    ASSERT_OK(problems);
    EXPECT_TRUE(problems->empty());
  }
  {
    std::fstream file(File(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 4);
    file << std::string(4096 * 4, '\x5a');
  }
  const auto database = Open(kTable);
  ASSERT_NE(database, nullptr);
  const auto problems = database->CheckIntegrity();
  ASSERT_OK(problems);
  EXPECT_FALSE(problems->empty());
  const auto read = database->Read([](Transaction& t) { return t.Query<std::string>("SELECT text FROM rows"); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
}

TEST_P(SqliteFile, ALockThatAnotherProcessHoldsIsNotWaitedForForever) {
  const auto holder = Open(kTable);
  const auto database = Open(kTable, {.patience = std::chrono::milliseconds(30)});
  const auto done = holder->Write([&](Transaction& t) -> Result<void> {
    TRY(t.Execute("INSERT INTO rows (text) VALUES ($1)", "a"));
    const auto refused = Insert(*database, "b");
    EXPECT_FALSE(refused);
    if (!refused) {
      EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    }
    return {};
  });
  EXPECT_OK(done);
  EXPECT_OK(Insert(*database, "b"));
}

TEST_P(SqliteFile, AnotherProcessThatComesAndGoesTakesNothingAway) {
  int start[2];
  ASSERT_EQ(pipe(start), 0);
  const pid_t other = fork();
  ASSERT_GE(other, 0);
  if (other == 0) {
    char said = 0;
    if (read(start[0], &said, 1) != 1) _exit(2);
    auto database = Open(kTable);
    const bool done = database != nullptr && Insert(*database, "other");
    database.reset();
    _exit(done ? 0 : 1);
  }
  auto database = Open(kTable);
  ASSERT_OK(Insert(*database, "first"));
  auto second = Open(kTable);  // more connections of this process, each of which was opened while others were there
  ASSERT_OK(CountRows(*second));
  ASSERT_EQ(write(start[1], "s", 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0);
  // Only who is the last takes the log away.
  EXPECT_TRUE(std::filesystem::exists(File().string() + "-wal"));
  ASSERT_OK(Insert(*database, "last"));
  database.reset();
  second.reset();
  EXPECT_FALSE(std::filesystem::exists(File().string() + "-wal"));
  database = Open(kTable);
  EXPECT_EQ(*CountRows(*database), 3);
  EXPECT_TRUE(database->CheckIntegrity()->empty());
  close(start[0]);
  close(start[1]);
}

TEST_P(SqliteFile, ABackupOfADatabaseInUseIsOneState) {
  const auto database = Open(kTable);
  const auto insert = [&](int rows) {
    return database->Write([&](Transaction& t) -> Result<void> {
      for (int i = 0; i < rows; i++) TRY(t.Execute("INSERT INTO rows (text) VALUES ($1)", std::string(2000, 'x')));
      return {};
    });
  };
  ASSERT_OK(insert(4000));
  const auto target = folder() / "copy.db";
  int reports = 0;
  const auto done = database->Backup(target, [&](uint64_t copied, uint64_t total) {
    reports++;
    EXPECT_LE(copied, total);
    EXPECT_OK(insert(2));  // as a server in use does, at the worst moment
    EXPECT_FALSE(std::filesystem::exists(target));
    return true;
  });
  ASSERT_OK(done);
  EXPECT_GT(reports, 3);
  const auto copy = Database::Open("sqlite:" + target.string(), {}, kTable);
  ASSERT_OK(copy);
  EXPECT_EQ(*CountRows(**copy), 4000);
  EXPECT_TRUE((*copy)->CheckIntegrity()->empty());
  EXPECT_EQ(database->Backup(target).error().code, ErrorCode::kAlreadyExists);
}

TEST_P(SqliteFile, ABackupThatIsGivenUpLeavesNothing) {
  const auto database = Open(kTable);
  std::filesystem::create_directory(folder() / "to");
  const auto done = database->Backup(folder() / "to" / "copy.db", [](uint64_t, uint64_t) { return false; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(std::filesystem::is_empty(folder() / "to"));
}

TEST_P(SqliteFile, AFullDiskKeepsWhatWasThereAndWorksAgainWithSpace) {
  const auto small = folder() / "small";
  std::filesystem::create_directory(small);
  if (mount("none", small.c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "needs to be root, to mount a small disk";
  {
    const auto database = Database::Open("sqlite:" + (small / "bothy.db").string(), {}, kTable);
    ASSERT_OK(database);
    ASSERT_OK(Insert(**database, "first"));
    Result<int64_t> done = 0;
    int64_t kept = 1;
    for (; (done = Insert(**database, std::string(100'000, 'x'))).has_value(); kept++) ASSERT_LT(kept, 100);
    EXPECT_EQ(done.error().code, ErrorCode::kResourceExhausted) << done.error().message;
    EXPECT_EQ(*CountRows(**database), kept);
    ASSERT_EQ(mount("none", small.c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
    EXPECT_OK(Insert(**database, std::string(100'000, 'x')));
    EXPECT_TRUE((*database)->CheckIntegrity()->empty());
  }
  umount(small.c_str());
}

}  // namespace
}  // namespace bothy
