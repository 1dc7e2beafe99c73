// A test that runs on both databases: TEST_P in a suite derived from DatabaseTest, and BOTHY_ON_BOTH_DATABASES(Suite).
// PostgreSQL's half is counted as not run where BOTHY_TEST_POSTGRESQL names no server (tools/with_postgresql makes
// one).
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include "base/testing.h"
#include "store/database/database.h"

#define BOTHY_ON_BOTH_DATABASES(Suite)                                                    \
  INSTANTIATE_TEST_SUITE_P(                                                               \
      , Suite, testing::Values(::bothy::Dialect::kSqlite, ::bothy::Dialect::kPostgresql), \
      [](const auto& instance) { return instance.param == ::bothy::Dialect::kSqlite ? "Sqlite" : "Postgresql"; })

namespace bothy {

class DatabaseTest : public testing::TestWithParam<Dialect> {
 protected:
  // An empty database: a file, or a schema that is made anew for each test.
  void SetUp() override {
    if (GetParam() == Dialect::kSqlite) {
      address_ = "sqlite:" + (folder_.path() / "bothy.db").string();
      return;
    }
    const char* server = std::getenv("BOTHY_TEST_POSTGRESQL");
    if (server == nullptr || *server == '\0') GTEST_SKIP() << "needs BOTHY_TEST_POSTGRESQL";
    {
      const auto database = Database::Open(server, {}, {});
      ASSERT_OK(database);
      ASSERT_OK((*database)->Write([](Transaction& t) -> Result<void> {
        TRY(t.Execute("DROP SCHEMA IF EXISTS bothy_test CASCADE"));
        TRY(t.Execute("CREATE SCHEMA bothy_test"));
        return {};
      }));
    }
    address_ = server;
    address_ += address_.find('?') == std::string::npos ? '?' : '&';
    address_ += "options=-csearch_path%3Dbothy_test";
  }

  const std::string& address() const { return address_; }
  const std::filesystem::path& folder() const { return folder_.path(); }

  std::unique_ptr<Database> Open(const DatabaseOptions& options = {}) const {
    auto database = Database::Open(address_, options);
    EXPECT_OK(database);
    return database ? *std::move(database) : nullptr;
  }
  std::unique_ptr<Database> Open(std::span<const Migration> migrations, const DatabaseOptions& options = {}) const {
    auto database = Database::Open(address_, options, migrations);
    EXPECT_OK(database);
    return database ? *std::move(database) : nullptr;
  }

 private:
  TemporaryFolder folder_;
  std::string address_;
};

}  // namespace bothy
