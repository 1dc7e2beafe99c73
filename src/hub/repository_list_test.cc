#include "hub/repository_list.h"

#include "base/testing.h"
#include "hub/repositories_testing.h"

namespace bothy {
namespace {

class RepositoryListTest : public RepositoriesTest {
 protected:
  std::vector<std::string> Names(const Actor& actor, const RepositoryQuery& query) {
    std::vector<std::string> names;
    const auto listed = ListRepositories(*database_, actor, query);
    EXPECT_OK(listed);
    for (const Repository& repository : *listed) names.push_back(repository.FullName());
    return names;
  }

  void Make(const Actor& actor, const std::string& name, bool is_private = false,
            RepositoryKind kind = RepositoryKind::kModel) {
    ASSERT_OK(repositories_->Create(
        actor, {.kind = kind, .owner_id = actor.user_id, .owner = actor.name, .name = name, .is_private = is_private}));
  }
};
BOTHY_ON_BOTH_DATABASES(RepositoryListTest);

TEST_P(RepositoryListTest, HasWhatTheActorMaySeeTheLastChangedFirst) {
  Make(ada_, "one");
  Make(ada_, "secret", true);
  Make(bob_, "two");
  EXPECT_EQ(Names({}, {}), (std::vector<std::string>{"Bob/two", "ada/one"}));
  EXPECT_EQ(Names(bob_, {}), (std::vector<std::string>{"Bob/two", "ada/one"}));
  EXPECT_EQ(Names(ada_, {}), (std::vector<std::string>{"Bob/two", "ada/secret", "ada/one"}));
}

TEST_P(RepositoryListTest, IsNarrowedByKindOwnerAndAPartOfTheName) {
  Make(ada_, "Llama_3");
  Make(ada_, "llama-data", false, RepositoryKind::kDataset);
  Make(bob_, "llamaX3");
  EXPECT_EQ(Names({}, {.kind = RepositoryKind::kDataset}), std::vector<std::string>{"ada/llama-data"});
  EXPECT_EQ(Names({}, {.kind = RepositoryKind::kModel, .owner = "bOB"}), std::vector<std::string>{"Bob/llamaX3"});
  // What LIKE takes for a pattern is a letter like any other.
  EXPECT_EQ(Names({}, {.search = "AMA_3"}), std::vector<std::string>{"ada/Llama_3"});
  EXPECT_TRUE(Names({}, {.search = "%"}).empty());
  EXPECT_EQ(Names({}, {.search = "b/l"}), std::vector<std::string>{"Bob/llamaX3"});
}

TEST_P(RepositoryListTest, GoesOnWhereAPageEnded) {
  std::vector<std::string> all;
  for (int i = 0; i < 7; i++) {
    Make(ada_, fmt::format("r{}", i));
    all.insert(all.begin(), fmt::format("ada/r{}", i));
  }
  std::vector<std::string> paged;
  RepositoryQuery query = {.limit = 3};
  for (int pages = 0; pages < 3; pages++) {
    const auto page = ListRepositories(*database_, ada_, query);
    ASSERT_OK(page);
    ASSERT_EQ(page->size(), pages < 2 ? 3u : 1u);
    for (const Repository& repository : *page) paged.push_back(repository.FullName());
    const RepositoryListCursor end = {page->back().updated_at, page->back().id};
    query.after = *RepositoryListCursor::Parse(end.ToString());
  }
  EXPECT_EQ(paged, all);
}

TEST(RepositoryListCursor, IsRefusedWhereItIsNoneThatWasGivenOut) {
  for (const char* text : {"", ".", "1", "1.", ".1", "1.2.3", "1.x", "99999999999999999999.1"}) {
    EXPECT_FALSE(RepositoryListCursor::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace bothy
