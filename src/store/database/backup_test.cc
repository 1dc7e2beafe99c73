#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "store/database/restore.h"
#include "store/database/testing.h"

namespace bothy {
namespace {

constexpr Migration kTable[] = {{1, "rows", "1", "CREATE TABLE rows (id {identity}, text TEXT NOT NULL UNIQUE)"}};

class DatabaseBackup : public DatabaseTest {
 protected:
  static Result<int64_t> Insert(Database& database, std::string_view text) {
    return database.Write([&](Transaction& t) -> Result<int64_t> {
      return *TRY(t.QueryOne<int64_t>("INSERT INTO rows (text) VALUES ($1) RETURNING id", text));
    });
  }
  static std::vector<std::string> Rows(Database& database) {
    auto rows = database.Read([](Transaction& t) { return t.Query<std::string>("SELECT text FROM rows ORDER BY id"); });
    EXPECT_OK(rows);
    return rows ? *rows : std::vector<std::string>();
  }

  // A place for a copy: another file, or the schema as it was before anybody used it.
  std::string Elsewhere() {
    if (GetParam() == Dialect::kSqlite) return "sqlite:" + (folder() / "restored.db").string();
    SetUp();
    return address();
  }
};

TEST_P(DatabaseBackup, GivesBackWhatWasThereWhenItWasMade) {
  {
    const auto database = Open(kTable);
    ASSERT_OK(Insert(*database, "first"));
    ASSERT_OK(Insert(*database, "second 'quoted' \"ü\""));
    ASSERT_OK(database->Backup(folder() / "backup"));
    ASSERT_OK(Insert(*database, "too late"));
    EXPECT_EQ(database->Backup(folder() / "backup").error().code, ErrorCode::kAlreadyExists);
  }
  const std::string place = Elsewhere();
  ASSERT_OK(RestoreDatabase(place, folder() / "backup"));
  const auto restored = Database::Open(place, {}, kTable);
  ASSERT_OK(restored);
  EXPECT_THAT(Rows(**restored), testing::ElementsAre("first", "second 'quoted' \"ü\""));
  // Constraints and counters are those of before.
  EXPECT_EQ(Insert(**restored, "first").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(*Insert(**restored, "third") > 2, true);
}

TEST_P(DatabaseBackup, IsNotRestoredOverWhatIsThere) {
  const auto database = Open(kTable);
  ASSERT_OK(Insert(*database, "first"));
  ASSERT_OK(database->Backup(folder() / "backup"));
  const auto restored = RestoreDatabase(address(), folder() / "backup");
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::kAlreadyExists) << restored.error().message;
  EXPECT_THAT(Rows(*database), testing::ElementsAre("first"));
}

TEST_P(DatabaseBackup, ThatIsGivenUpLeavesNothing) {
  {
    const auto database = Open(kTable);
    ASSERT_OK(Insert(*database, "first"));
    std::filesystem::create_directory(folder() / "to");
    const auto given_up = database->Backup(folder() / "to" / "backup", [](uint64_t, uint64_t) { return false; });
    ASSERT_FALSE(given_up);
    EXPECT_EQ(given_up.error().code, ErrorCode::kCancelled);
    EXPECT_TRUE(std::filesystem::is_empty(folder() / "to"));
    ASSERT_OK(database->Backup(folder() / "backup"));
  }
  const std::string place = Elsewhere();
  const auto restored = RestoreDatabase(place, folder() / "backup", [](uint64_t, uint64_t) { return false; });
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::kCancelled);
  ASSERT_OK(RestoreDatabase(place, folder() / "backup"));  // nothing is in the way
}

TEST_P(DatabaseBackup, OfTheOtherDatabaseIsRefused) {
  std::ofstream(folder() / "backup") << (GetParam() == Dialect::kSqlite ? "PGDMP..." : "SQLite format 3");
  const auto restored = RestoreDatabase(Elsewhere(), folder() / "backup");
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::kInvalidArgument);
}

BOTHY_ON_BOTH_DATABASES(DatabaseBackup);

class PostgresqlBackup : public DatabaseBackup {};

TEST_P(PostgresqlBackup, ThatIsDamagedIsRestoredInNoPart) {
  {
    const auto database = Open(kTable);
    ASSERT_OK(Insert(*database, "first"));
    ASSERT_OK(database->Backup(folder() / "backup"));
  }
  std::filesystem::resize_file(folder() / "backup", std::filesystem::file_size(folder() / "backup") / 2);
  const std::string place = Elsewhere();
  const auto restored = RestoreDatabase(place, folder() / "backup");
  ASSERT_FALSE(restored);
  EXPECT_THAT(restored.error().message, testing::HasSubstr("pg_restore"));
  EXPECT_EQ(RestoreDatabase(place, folder() / "backup").error().code, restored.error().code);  // still empty
}

TEST_P(PostgresqlBackup, OfAnotherSchemaIsRefused) {
  {
    const auto database = Open(kTable);
    ASSERT_OK(database->Backup(folder() / "backup"));
    ASSERT_OK(database->Write([](Transaction& t) -> Result<void> {
      TRY(t.Execute("DROP SCHEMA IF EXISTS bothy_other CASCADE"));
      TRY(t.Execute("CREATE SCHEMA bothy_other"));
      return {};
    }));
  }
  std::string other = address();
  other.replace(other.find("bothy_test"), 10, "bothy_other");
  const auto restored = RestoreDatabase(other, folder() / "backup");
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::kFailedPrecondition) << restored.error().message;
}

TEST_P(PostgresqlBackup, TellsWhereItsProgramIsMissing) {
  const auto database = Open(kTable);
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const auto done = database->Backup(folder() / "backup");
  setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kUnimplemented);
  EXPECT_FALSE(std::filesystem::exists(folder() / "backup"));
}

INSTANTIATE_TEST_SUITE_P(, PostgresqlBackup, testing::Values(Dialect::kPostgresql));

}  // namespace
}  // namespace bothy
