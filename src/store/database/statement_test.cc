#include "store/database/statement.h"

#include <gtest/gtest.h>

namespace bothy {
namespace {

TEST(Statement, PartsNumberTheirPlaceholdersFromOne) {
  Statement statement("SELECT a FROM t WHERE b = $2 AND c = $1", 1, "two");
  statement.Add(" AND d > $1", 3.5).Add(" AND e IN (").Add("$1, $2", true, int64_t{5}).Add(")");
  EXPECT_EQ(statement.text(), "SELECT a FROM t WHERE b = $2 AND c = $1 AND d > $3 AND e IN ($4, $5)");
  ASSERT_EQ(statement.values().size(), 5u);
  EXPECT_EQ(statement.values()[1].text(), "two");
  EXPECT_EQ(statement.values()[2].real(), 3.5);
  EXPECT_TRUE(statement.values()[3].boolean());
  EXPECT_EQ(statement.values()[4].integer(), 5);
}

TEST(Statement, QuotedTextHasNoPlaceholders) {
  Statement statement("SELECT '$1', \"$2\", $1", 7);
  statement.Add(", '$1'").Add(", $1", 8);
  EXPECT_EQ(statement.text(), "SELECT '$1', \"$2\", $1, '$1', $2");
}

TEST(Statement, AnEmptyOptionalIsANullOfItsType) {
  const Statement statement("SELECT $1, $2", std::optional<std::string>(), std::optional<int64_t>(4));
  EXPECT_TRUE(statement.values()[0].null());
  EXPECT_EQ(statement.values()[0].type(), ValueType::kText);
  EXPECT_EQ(statement.values()[1].integer(), 4);
}

}  // namespace
}  // namespace bothy
