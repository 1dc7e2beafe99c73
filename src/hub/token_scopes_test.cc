#include "hub/token_scopes.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "hub/object_id.h"

namespace bothy {
namespace {

// As whoami-v2 of huggingface.co answers for such a token, but for the ids.
constexpr std::string_view kWhoami =
    R"({"canReadGatedRepos":true,"global":["discussion.write"],"scoped":[)"
    R"({"entity":{"_id":"00000000000000000000002a","type":"user","name":"ada"},)"
    R"("permissions":["repo.content.read","repo.write"]},)"
    R"({"entity":{"_id":"000000000000000000000007","type":"dataset","name":"lab/data"},"permissions":["repo.content.read"]}]})";

TEST(TokenScopes, ReadAndWriteTheShapeOfWhoami) {
  const auto scopes = ReadTokenScopes(kWhoami);
  ASSERT_OK(scopes);
  EXPECT_TRUE(scopes->read_gated_repositories);
  EXPECT_EQ(scopes->global, Permissions(Permission::kWriteDiscussions));
  ASSERT_EQ(scopes->scoped.size(), 2u);
  EXPECT_EQ(scopes->scoped[0],
            (TokenScope{.kind = ScopeKind::kUser,
                        .id = 42,
                        .name = "ada",
                        .permissions = Permission::kReadRepositories | Permission::kWriteRepositories}));
  EXPECT_EQ(scopes->scoped[1].kind, ScopeKind::kDataset);
  EXPECT_EQ(WriteTokenScopes(*scopes), kWhoami);
}

TEST(TokenScopes, OfANamespaceReachItsRepositoriesAndThoseOfARepositoryNoOther) {
  const auto scopes = ReadTokenScopes(kWhoami);
  ASSERT_OK(scopes);
  EXPECT_TRUE(scopes->OnNamespace(42).Has(Permission::kWriteRepositories));
  EXPECT_TRUE(scopes->OnRepository(42, 1).Has(Permission::kWriteRepositories));
  EXPECT_TRUE(scopes->OnRepository(5, 7).Has(Permission::kReadRepositories));
  EXPECT_FALSE(scopes->OnRepository(5, 7).Has(Permission::kWriteRepositories));
  EXPECT_TRUE(scopes->OnRepository(5, 42).empty());  // 42 is a namespace's number
  EXPECT_TRUE(scopes->OnNamespace(7).empty());       // 7 is a repository's
}

TEST(TokenScopes, ThatAreMissingGiveNothing) {
  const auto scopes = ReadTokenScopes("{}");
  ASSERT_OK(scopes);
  EXPECT_EQ(*scopes, TokenScopes{});
}

TEST(TokenScopes, ThatAreNotKnownAreRefused) {
  for (const char* text : {
           "",
           "[]",
           R"({"global":["job.write"]})",
           R"({"global":[1]})",
           R"({"canReadGatedRepos":"yes"})",
           R"({"scoped":[1]})",
           R"({"scoped":[{"permissions":["repo.write"]}]})",
           R"({"scoped":[{"entity":{"_id":"2a","type":"user","name":"ada"},"permissions":[]}]})",
           R"({"scoped":[{"entity":{"_id":"00000000000000000000002a","type":"planet"},"permissions":[]}]})",
           R"({"scoped":[{"entity":{"_id":"00000000000000000000002a","type":"user"},"permissions":["repo.own"]}]})",
       }) {
    EXPECT_FALSE(ReadTokenScopes(text)) << text;
  }
}

TEST(TokenScopes, AreAtMost200) {
  TokenScopes scopes;
  scopes.scoped.resize(kMaxTokenScopes);
  EXPECT_OK(ReadTokenScopes(WriteTokenScopes(scopes)));
  scopes.scoped.emplace_back();
  EXPECT_FALSE(ReadTokenScopes(WriteTokenScopes(scopes)));
}

TEST(TokenScopes, HaveAtMost256KiB) {
  std::string text = "{}";
  text.resize(kMaxTokenScopesBytes, ' ');
  EXPECT_OK(ReadTokenScopes(text));
  EXPECT_FALSE(ReadTokenScopes(text + ' '));
}

TEST(ObjectIds, Are24HexadecimalDigitsAndNothingElse) {
  EXPECT_EQ(ObjectId(42), "00000000000000000000002a");
  for (const int64_t id : {int64_t{0}, int64_t{1}, int64_t{255}, INT64_MAX}) EXPECT_EQ(ParseObjectId(ObjectId(id)), id);
  for (const char* text : {"", "2a", "00000000000000000000002A", "0000000000000000000000-1",
                           "00000000000000000000002a0", "ffffffffffffffffffffffff", " 0000000000000000000002a"}) {
    EXPECT_EQ(ParseObjectId(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace bothy
