// The migrations of src/store/database/migrations, and how steps are applied.
#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "store/database/testing.h"

namespace bothy {
namespace {

constexpr Migration kFirst = {1, "0001_first", "one", "CREATE TABLE first (id {identity}, data {bytes});"};
constexpr Migration kSecond = {2, "0002_second", "two",
                               "ALTER TABLE first ADD COLUMN more BIGINT; CREATE TABLE second (x BIGINT);"};

class Migrations : public DatabaseTest {
 protected:
  Result<std::vector<std::string>> Applied(Database& database) {
    return database.Read(
        [](Transaction& t) { return t.Query<std::string>("SELECT name FROM schema_migrations ORDER BY number"); });
  }
  ErrorCode CodeOfOpening(std::span<const Migration> migrations, std::string_view message) {
    const auto database = Database::Open(address(), {}, migrations);
    EXPECT_FALSE(database);
    if (database) return ErrorCode::kInternal;
    EXPECT_THAT(database.error().message, testing::HasSubstr(std::string(message)));
    return database.error().code;
  }
};

TEST_P(Migrations, TheHubsOwnApply) {
  const auto database = Open();
  ASSERT_NE(database, nullptr);
  const auto value = database->Write([](Transaction& t) -> Result<std::optional<std::string>> {
    TRY(t.Execute("INSERT INTO meta (name, value) VALUES ($1, $2)", "a", "b"));
    return t.QueryOne<std::string>("SELECT value FROM meta WHERE name = $1", "a");
  });
  ASSERT_OK(value);
  EXPECT_EQ(**value, "b");
}

TEST_P(Migrations, EachIsAppliedOnceAndInOrder) {
  ASSERT_NE(Open({{kFirst}}), nullptr);
  for (int i = 0; i < 2; i++) {
    const auto database = Open(std::array{kFirst, kSecond});
    ASSERT_NE(database, nullptr);
    const auto applied = Applied(*database);
    ASSERT_OK(applied);
    EXPECT_THAT(*applied, testing::ElementsAre("0001_first", "0002_second"));
  }
}

TEST_P(Migrations, ANewIdentityIsNeverAnOldOne) {
  const auto database = Open({{kFirst}});
  const auto ids = database->Write([](Transaction& t) -> Result<std::pair<int64_t, int64_t>> {
    const int64_t before =
        TRY(t.QueryOne<int64_t>("INSERT INTO first (data) VALUES ($1) RETURNING id", Bytes(2))).value();
    TRY(t.Execute("DELETE FROM first"));
    return std::pair(before,
                     TRY(t.QueryOne<int64_t>("INSERT INTO first (data) VALUES ($1) RETURNING id", Bytes(2))).value());
  });
  ASSERT_OK(ids);
  EXPECT_LT(ids->first, ids->second);
}

TEST_P(Migrations, AStepThatFailsLeavesTheOnesBeforeAndNothingOfItself) {
  const std::array broken = {kFirst,
                             Migration{2, "0002_broken", "x", "CREATE TABLE second (x BIGINT); CREATE TABLE oops (;"}};
  CodeOfOpening(broken, "0002_broken");
  const auto database = Open(std::array{kFirst, kSecond});
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(Applied(*database)->size(), 2u);
}

TEST_P(Migrations, ADatabaseOfANewerProgramIsRefused) {
  ASSERT_NE(Open(std::array{kFirst, kSecond}), nullptr);
  EXPECT_EQ(CodeOfOpening({{kFirst}}, "made by a newer Bothy: it has had step 2 (0002_second)"),
            ErrorCode::kFailedPrecondition);
}

TEST_P(Migrations, AStepThatWasChangedAfterwardsIsRefused) {
  ASSERT_NE(Open({{kFirst}}), nullptr);
  Migration changed = kFirst;
  changed.checksum = "other";
  EXPECT_EQ(CodeOfOpening({{changed}}, "step 1 (0001_first)"), ErrorCode::kFailedPrecondition);
}

TEST_P(Migrations, AStepWithADialectInItsNameIsOnlyForThat) {
  const std::array both = {kFirst, Migration{2, "0002_search.sqlite", "s", "CREATE VIRTUAL TABLE search USING fts5(x)"},
                           Migration{2, "0002_search.postgresql", "p", "CREATE TABLE search (x tsvector)"}};
  for (int i = 0; i < 2; i++) {
    const auto database = Open(both);
    ASSERT_NE(database, nullptr);
    const auto applied = Applied(*database);
    ASSERT_OK(applied);
    EXPECT_EQ(applied->back(), GetParam() == Dialect::kSqlite ? "0002_search.sqlite" : "0002_search.postgresql");
  }
}

TEST_P(Migrations, ProgramsThatStartAtOnceAllFindTheTables) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; i++) {
    threads.emplace_back([&] {
      const auto database = Open(std::array{kFirst, kSecond});
      if (database == nullptr) return;
      EXPECT_OK(database->Write([](Transaction& t) { return t.Execute("INSERT INTO second (x) VALUES (1)"); }));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto count = Open(std::array{kFirst, kSecond})->Read([](Transaction& t) {
    return t.QueryOne<int64_t>("SELECT count(*) FROM second");
  });
  ASSERT_OK(count);
  EXPECT_EQ(**count, 6);
}

BOTHY_ON_BOTH_DATABASES(Migrations);

TEST(StoreMigrations, AreNumberedWithoutGaps) {
  int64_t last = 0;
  for (const Migration& migration : StoreMigrations()) {
    EXPECT_TRUE(migration.number == last + 1 || migration.number == last) << migration.name;
    last = migration.number;
  }
  EXPECT_GT(last, 0);
}

}  // namespace
}  // namespace bothy
