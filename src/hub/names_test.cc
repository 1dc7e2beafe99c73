#include "hub/names.h"

#include <gtest/gtest.h>

namespace bothy {
namespace {

// The clients' own examples (huggingface_hub 2.4.0, validate_repo_id), and HTTP paths that must not be users.
TEST(Names, AreTakenAsTheClientsTakeThem) {
  for (const char* name : {"a", "_", "Ada", "foo.bar", "foo_bar", "foo-bar.v2", "0", "a-b_c.d", "_a_"}) {
    EXPECT_TRUE(CheckRepositoryName(name)) << name;
    EXPECT_TRUE(CheckNamespaceName(name)) << name;
  }
}

TEST(Names, AreRefusedAsTheClientsRefuseThem) {
  for (const char* name : {"", "foo--bar", "foo..bar", "foo.git", "foo.GIT", "-foo", "foo-", ".foo", "foo.", "foo bar",
                           "foo/bar", "foo\\bar", "fo\xC3\xB6", "foo\n", "..", ".", "foo%2fbar", "foo~bar", "a:b"}) {
    EXPECT_FALSE(CheckRepositoryName(name)) << name;
    EXPECT_FALSE(CheckNamespaceName(name)) << name;
  }
  EXPECT_FALSE(CheckRepositoryName(std::string_view("a\0b", 3)));
}

TEST(Names, HaveAtMost96Characters) {
  EXPECT_TRUE(CheckRepositoryName(std::string(96, 'a')));
  EXPECT_FALSE(CheckRepositoryName(std::string(97, 'a')));
}

TEST(Names, OfRoutesAreNoUsersWhateverTheirCaseButMayBeRepositories) {
  for (const char* name : {"models", "datasets", "spaces", "kernels", "api", "v1", "xet", "login", "Login", "API",
                           "oauth", "settings", "health", "metrics", "robots.txt", "favicon.ico"}) {
    EXPECT_FALSE(CheckNamespaceName(name)) << name;
    EXPECT_TRUE(CheckRepositoryName(name)) << name;
  }
}

TEST(Names, ThatDifferInCaseAreOne) {
  EXPECT_EQ(NameKey("Ada_Lovelace-1.Z"), "ada_lovelace-1.z");
  EXPECT_EQ(NameKey("[`@{"), "[`@{");  // the neighbours of A, Z, a and z
}

}  // namespace
}  // namespace bothy
