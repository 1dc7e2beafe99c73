#include "store/database/database.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "store/database/testing.h"

namespace bothy {
namespace {

constexpr Migration kTables[] = {
    {1, "0001_tables", "a",
     "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL CHECK (value >= 0));"
     "CREATE TABLE things (id {identity}, name TEXT NOT NULL UNIQUE, parent BIGINT REFERENCES things (id));"
     "CREATE TABLE everything (id {identity}, integer BIGINT, number DOUBLE PRECISION, text TEXT, bytes {bytes}, "
     "truth BOOLEAN, at BIGINT);"},
};

class DatabaseValues : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (!IsSkipped()) database_ = Open(kTables);
  }

  // Writes `value` and reads it back as the column's type.
  template <class T>
  std::optional<T> ThroughColumn(Sql<T> insert, const Statement& select, const T& value) {
    auto result = database_->Write([&](Transaction& t) -> Result<std::optional<T>> {
      TRY(t.Execute("DELETE FROM everything"));
      TRY(t.Execute(insert, value));
      return TRY(t.QueryOne<std::optional<T>>(select)).value();
    });
    EXPECT_OK(result);
    return result ? *result : std::nullopt;
  }

  std::unique_ptr<Database> database_;
};

TEST_P(DatabaseValues, IntegersKeepAll64Bits) {
  for (const int64_t value : {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0}, int64_t{1} << 53,
                              (int64_t{1} << 53) + 1, std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(ThroughColumn<int64_t>("INSERT INTO everything (integer) VALUES ($1)",
                                     Statement("SELECT integer FROM everything"), value),
              value);
  }
}

TEST_P(DatabaseValues, DoublesKeepTheirBits) {
  for (const double value : {0.1, -0.0, 1e308, 5e-324, std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), 123456789.123456789}) {
    const auto back = ThroughColumn<double>("INSERT INTO everything (number) VALUES ($1)",
                                            Statement("SELECT number FROM everything"), value);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, value);
    // SQLite stores -0.0 as the integer 0, as its documentation says.
    if (value != 0) {
      EXPECT_EQ(std::signbit(*back), std::signbit(value));
    }
  }
}

TEST_P(DatabaseValues, TextKeepsEveryScriptAndQuote) {
  std::string large;
  for (int i = 0; i < 100'000; i++) large += "\u00e9\U0001F3D4";
  for (const std::string& value :
       {std::string(), std::string("O'Brien; DROP TABLE things --"), std::string("$1 :x ? \\x41"),
        std::string("\u0438\u0437\u0431\u0430 \u5c0f\u5c4b \U0001F3D4 a\u0301"), large}) {
    EXPECT_EQ(ThroughColumn<std::string>("INSERT INTO everything (text) VALUES ($1)",
                                         Statement("SELECT text FROM everything"), value),
              value);
  }
}

TEST_P(DatabaseValues, BytesKeepZerosAndEveryOther) {
  Bytes all;
  for (int i = 0; i < 1024; i++) all.push_back(static_cast<std::byte>(i));
  for (const Bytes& value : {Bytes{}, Bytes(3), all, Bytes(1'000'000, std::byte{0xff})}) {
    EXPECT_EQ(ThroughColumn<Bytes>("INSERT INTO everything (bytes) VALUES ($1)",
                                   Statement("SELECT bytes FROM everything"), value),
              value);
  }
}

TEST_P(DatabaseValues, TruthsAndTimesComeBack) {
  for (const bool value : {true, false}) {
    EXPECT_EQ(ThroughColumn<bool>("INSERT INTO everything (truth) VALUES ($1)",
                                  Statement("SELECT truth FROM everything WHERE truth OR NOT truth"), value),
              value);
  }
  const Timestamp time(std::chrono::microseconds(1'795'804'200'123'456));
  EXPECT_EQ(
      ThroughColumn<Timestamp>("INSERT INTO everything (at) VALUES ($1)", Statement("SELECT at FROM everything"), time),
      time);
}

TEST_P(DatabaseValues, NullsAreNeitherZeroNorEmpty) {
  const auto row = database_->Write([&](Transaction& t) {
    return t.QueryOne<std::optional<int64_t>, std::optional<double>, std::optional<std::string>, std::optional<Bytes>,
                      std::optional<bool>, std::optional<Timestamp>>(
        "INSERT INTO everything (integer, number, text, bytes, truth, at) VALUES ($1, $2, $3, $4, $5, $6) "
        "RETURNING integer, number, text, bytes, truth, at",
        std::optional<int64_t>(), std::optional<double>(), std::optional<std::string>(), std::optional<Bytes>(),
        std::optional<bool>(), std::optional<Timestamp>());
  });
  ASSERT_OK(row);
  ASSERT_TRUE(row->has_value());
  EXPECT_TRUE(std::apply([](const auto&... column) { return (!column.has_value() && ...); }, **row));
  const auto found = database_->Read([](Transaction& t) {
    return t.QueryOne<int64_t>(
        "SELECT count(*) FROM everything WHERE integer IS NULL AND text IS NULL AND bytes IS NULL");
  });
  ASSERT_OK(found);
  EXPECT_EQ(**found, 1);
}

TEST_P(DatabaseValues, ANullWhereAValueIsExpectedIsAnError) {
  const auto row =
      database_->Read([](Transaction& t) { return t.QueryOne<int64_t>("SELECT $1", std::optional<int64_t>()); });
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().code, ErrorCode::kInternal);
}

TEST_P(DatabaseValues, TextThatIsNoneAndNumbersThatAreNoneAreRefused) {
  for (const std::string& text :
       {std::string("a\0b", 3), std::string("\xff"), std::string("\xed\xa0\x80"), std::string("\xc3")}) {
    const auto refused =
        database_->Write([&](Transaction& t) { return t.Execute("INSERT INTO everything (text) VALUES ($1)", text); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
  const auto refused = database_->Write(
      [&](Transaction& t) { return t.Execute("INSERT INTO everything (number) VALUES ($1)", std::nan("")); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST_P(DatabaseValues, PlaceholdersMayRepeatAndComeInAnyOrder) {
  const auto row = database_->Read(
      [](Transaction& t) { return t.QueryOne<std::string, int64_t, std::string>("SELECT $2, $1, $2", 7, "seven"); });
  ASSERT_OK(row);
  EXPECT_EQ(**row, std::tuple(std::string("seven"), int64_t{7}, std::string("seven")));
}

TEST_P(DatabaseValues, APreparedStatementServesOtherValuesAndTypes) {
  const auto done = database_->Write([](Transaction& t) -> Result<void> {
    for (int i = 0; i < 5; i++) {
      TRY(t.Execute("INSERT INTO everything (integer, text) VALUES ($1, $2)", i,
                    std::string(static_cast<size_t>(i), 'x')));
      TRY(t.Execute("INSERT INTO everything (text, integer) VALUES ($2, $1)", std::optional<int64_t>(), "null"));
    }
    return {};
  });
  ASSERT_OK(done);
  const auto rows = database_->Read([](Transaction& t) {
    return t.Query<std::optional<int64_t>, std::string>("SELECT integer, text FROM everything ORDER BY id");
  });
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 10u);
  EXPECT_EQ((*rows)[8], std::tuple(std::optional<int64_t>(4), std::string("xxxx")));
  EXPECT_EQ((*rows)[9], std::tuple(std::optional<int64_t>(), std::string("null")));
}

TEST_P(DatabaseValues, LikeTellsCapitalLetters) {
  const auto rows = database_->Read(
      [](Transaction& t) { return t.QueryOne<int64_t>("SELECT CASE WHEN $1 LIKE 'a%' THEN 1 ELSE 0 END", "Abc"); });
  ASSERT_OK(rows);
  EXPECT_EQ(**rows, 0);
}

TEST_P(DatabaseValues, MoreStatementsThanAreKeptPreparedAllWork) {
  Statement list("SELECT 0");
  for (int i = 1; i < 300; i++) {
    list.Add(" + $1", 1);
    const auto sum = database_->Read([&](Transaction& t) { return t.QueryOne<int64_t>(list); });
    ASSERT_OK(sum);
    ASSERT_EQ(**sum, i);
  }
}

BOTHY_ON_BOTH_DATABASES(DatabaseValues);

class DatabaseTransactions : public DatabaseValues {
 protected:
  int64_t Count() {
    const auto count =
        database_->Read([](Transaction& t) { return t.QueryOne<int64_t>("SELECT count(*) FROM things"); });
    EXPECT_OK(count);
    return count ? count->value() : -1;
  }
};

TEST_P(DatabaseTransactions, AnErrorKeepsNothing) {
  const auto done = database_->Write([](Transaction& t) -> Result<void> {
    TRY(t.Execute("INSERT INTO things (name) VALUES ($1)", "a"));
    return Fail(ErrorCode::kPermissionDenied, "no");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(done.error().message, "no");
  EXPECT_EQ(Count(), 0);
}

TEST_P(DatabaseTransactions, AFailedStatementEndsItEvenWhereTheFunctionDoesNotMind) {
  const auto done = database_->Write([](Transaction& t) -> Result<int> {
    TRY(t.Execute("INSERT INTO things (name) VALUES ($1)", "a"));
    EXPECT_FALSE(t.Execute("INSERT INTO things (name) VALUES ($1)", "a"));
    const auto after = t.Execute("INSERT INTO things (name) VALUES ($1)", "b");
    EXPECT_FALSE(after);
    EXPECT_EQ(after.error().code, ErrorCode::kFailedPrecondition);
    return 1;
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(Count(), 0);
}

TEST_P(DatabaseTransactions, ConstraintsHaveTheirErrors) {
  const auto code = [&](auto&& function) {
    const auto done = database_->Write(function);
    EXPECT_FALSE(done);
    if (!done) {
      EXPECT_NE(done.error().message.find(database_->name()), std::string::npos) << done.error().message;
    }
    return done ? ErrorCode::kInternal : done.error().code;
  };
  ASSERT_OK(database_->Write([](Transaction& t) { return t.Execute("INSERT INTO things (name) VALUES ($1)", "a"); }));
  EXPECT_EQ(code([](Transaction& t) { return t.Execute("INSERT INTO things (name) VALUES ($1)", "a"); }),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(code([](Transaction& t) { return t.Execute("INSERT INTO things (name, parent) VALUES ($1, 999)", "b"); }),
            ErrorCode::kFailedPrecondition);
  EXPECT_EQ(
      code([](Transaction& t) { return t.Execute("INSERT INTO counters (name, value) VALUES ($1, $2)", "c", -1); }),
      ErrorCode::kFailedPrecondition);
  EXPECT_EQ(code([](Transaction& t) {
              return t.Execute("INSERT INTO things (name) VALUES ($1)", std::optional<std::string>());
            }),
            ErrorCode::kFailedPrecondition);
  EXPECT_EQ(code([](Transaction& t) { return t.Execute("INSERT INTO nowhere VALUES (1)"); }), ErrorCode::kInternal);
}

TEST_P(DatabaseTransactions, ErrorsDoNotRepeatValues) {
  const auto insert = [](Transaction& t) { return t.Execute("INSERT INTO things (name) VALUES ($1)", "hf_secret"); };
  ASSERT_OK(database_->Write(insert));
  const auto again = database_->Write(insert);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message.find("hf_secret"), std::string::npos) << again.error().message;
}

TEST_P(DatabaseTransactions, WhatMayBeThereIsInsertedOnConflict) {
  for (int64_t i = 1; i <= 3; i++) {
    const auto value = database_->Write([](Transaction& t) {
      return t.QueryOne<int64_t>(
          "INSERT INTO counters (name, value) VALUES ($1, 1) "
          "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
          "c");
    });
    ASSERT_OK(value);
    EXPECT_EQ(**value, i);
  }
  const auto ignored = database_->Write([](Transaction& t) {
    return t.Execute("INSERT INTO counters (name, value) VALUES ($1, 9) ON CONFLICT DO NOTHING", "c");
  });
  ASSERT_OK(ignored);
  EXPECT_EQ(*ignored, 0);
}

TEST_P(DatabaseTransactions, ChangedRowsAreCounted) {
  const auto changed = database_->Write([](Transaction& t) -> Result<int64_t> {
    for (const char* name : {"a", "b", "c"}) TRY(t.Execute("INSERT INTO things (name) VALUES ($1)", name));
    return TRY(t.Execute("UPDATE things SET name = name || $1 WHERE name <> $2", "x", "b")) * 10 +
           TRY(t.Execute("DELETE FROM things WHERE name = $1", "none"));
  });
  ASSERT_OK(changed);
  EXPECT_EQ(*changed, 20);
}

TEST_P(DatabaseTransactions, AReadChangesNothing) {
  const auto done =
      database_->Read([](Transaction& t) { return t.Execute("INSERT INTO things (name) VALUES ($1)", "a"); });
  EXPECT_FALSE(done);
  EXPECT_EQ(Count(), 0);
}

TEST_P(DatabaseTransactions, AReadSeesOneStateWhileOthersWrite) {
  const auto counts = database_->Read([&](Transaction& t) -> Result<std::pair<int64_t, int64_t>> {
    const int64_t before = TRY(t.QueryOne<int64_t>("SELECT count(*) FROM things")).value();
    TRY(database_->Write([](Transaction& w) { return w.Execute("INSERT INTO things (name) VALUES ($1)", "a"); }));
    return std::pair(before, TRY(t.QueryOne<int64_t>("SELECT count(*) FROM things")).value());
  });
  ASSERT_OK(counts);
  EXPECT_EQ(*counts, std::pair(int64_t{0}, int64_t{0}));
  EXPECT_EQ(Count(), 1);
}

TEST_P(DatabaseTransactions, MoreThanOneRowForQueryOneIsAnError) {
  const auto row = database_->Read([](Transaction& t) { return t.QueryOne<int64_t>("SELECT 1 UNION ALL SELECT 2"); });
  ASSERT_FALSE(row);
  const auto unread = database_->Read([](Transaction& t) { return t.Execute("SELECT 1"); });
  EXPECT_FALSE(unread);
  EXPECT_EQ(Count(), 0);  // the sessions are as good as before
}

TEST_P(DatabaseTransactions, ConcurrentWritersLoseNoUpdate) {
  constexpr int kThreads = 4, kTimes = 10;
  ASSERT_OK(database_->Write(
      [](Transaction& t) { return t.Execute("INSERT INTO counters (name, value) VALUES ($1, 0)", "c"); }));
  // Two programs, as of `bothy admin` beside a server: each with its own pool.
  const auto other = Open(kTables);
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; i++) {
    threads.emplace_back([&, mine = i % 2 == 0 ? database_.get() : other.get()] {
      for (int n = 0; n < kTimes; n++) {
        const auto done = mine->Write([](Transaction& t) -> Result<void> {
          const int64_t value = TRY(t.QueryOne<int64_t>("SELECT value FROM counters WHERE name = $1", "c")).value();
          TRY(t.Execute("UPDATE counters SET value = $1 WHERE name = $2", value + 1, "c"));
          return {};
        });
        if (!done) {
          failed++;
          ADD_FAILURE() << done.error().message;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto value = database_->Read(
      [](Transaction& t) { return t.QueryOne<int64_t>("SELECT value FROM counters WHERE name = $1", "c"); });
  ASSERT_OK(value);
  EXPECT_EQ(**value, kThreads * kTimes - failed);
}

TEST_P(DatabaseTransactions, TwoThatReadWhatTheOtherWritesAreRunOneAfterTheOther) {
  // Write skew: each inserts only where the other has not. On one state of the database at most one may.
  for (int round = 0; round < 5; round++) {
    ASSERT_OK(database_->Write([](Transaction& t) { return t.Execute("DELETE FROM things"); }));
    std::vector<std::thread> threads;
    for (const char* name : {"left", "right"}) {
      threads.emplace_back([&, name] {
        EXPECT_OK(database_->Write([&](Transaction& t) -> Result<void> {
          const int64_t count = TRY(t.QueryOne<int64_t>("SELECT count(*) FROM things")).value();
          if (count == 0) TRY(t.Execute("INSERT INTO things (name) VALUES ($1)", name));
          return {};
        }));
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(Count(), 1);
  }
}

TEST_P(DatabaseTransactions, WaitingForASessionEnds) {
  const auto small = Open(kTables, {.sessions = 1, .patience = std::chrono::milliseconds(20)});
  const auto done = small->Read([&](Transaction&) -> Result<void> {
    TRY(small->Read([](Transaction&) -> Result<void> { return {}; }));
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kUnavailable);
  EXPECT_OK(small->Read([](Transaction&) -> Result<void> { return {}; }));
}

BOTHY_ON_BOTH_DATABASES(DatabaseTransactions);

TEST(Database, AddressesThatAreNoneAreRefusedWithoutTheirPassword) {
  for (const char* address : {"mysql://a:hunter2@b/c", "sqlite:", "sqlite::memory:", "hunter2", ""}) {
    const auto database = Database::Open(address);
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(database.error().message.find("hunter2@"), std::string::npos);
  }
}

TEST(Database, AServerThatIsNotThereIsNamedWithoutItsPassword) {
  // Port 1 of this machine: nothing listens there.
  const auto database = Database::Open("postgresql://user:hunter2@127.0.0.1:1/bothy?sslmode=disable");
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(database.error().message.find("postgresql://user@127.0.0.1:1/bothy"), std::string::npos)
      << database.error().message;
  EXPECT_EQ(database.error().message.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace bothy
