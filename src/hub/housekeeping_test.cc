#include "hub/housekeeping.h"

#include "base/testing.h"
#include "hub/hub_testing.h"

namespace bothy {
namespace {

class HousekeepingTest : public HubTest {
 protected:
  content::File Send(std::string_view text) {
    const auto writer = hub_->content().CreateFile();
    EXPECT_OK(writer->Write(std::as_bytes(std::span(text))));
    const auto file = writer->Finish();
    EXPECT_OK(file);
    return *file;
  }

  void Refer(const Repository& repository, const content::File& file) {
    EXPECT_OK(hub_->database().Write([&](Transaction& t) {
      return t.Execute(
          "INSERT INTO repository_content (repository_id, sha256, size, path, ref, added_at)"
          " VALUES ($1, $2, $3, 'a', '', 0)",
          repository.id, EncodeHex(file.sha256), static_cast<int64_t>(file.size));
    }));
  }
};
BOTHY_ON_BOTH_DATABASES(HousekeepingTest);

TEST_P(HousekeepingTest, OnlyOldContentThatNoRepositoryRefersToIsRemoved) {
  const auto repository = hub_->repositories().Create(
      ada_, {.kind = RepositoryKind::kModel, .owner_id = ada_.user_id, .owner = "ada", .name = "demo"});
  ASSERT_OK(repository);
  // More than are read from the database at once.
  std::vector<content::File> kept;
  for (int i = 0; i < 4100; i++) kept.push_back(Send(fmt::format("kept {}", i)));
  for (const content::File& file : kept) Refer(*repository, file);
  const content::File gone = Send("gone");
  Wait(kKeepUnreferred - std::chrono::hours(1));
  const content::File young = Send("young");
  auto collected = CollectContent(*hub_);
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 0u);

  Wait(std::chrono::hours(3));
  collected = CollectContent(*hub_);
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, 1u);
  EXPECT_EQ(collected->bytes, 4u);
  EXPECT_FALSE(*hub_->content().FindBySha256(gone.sha256));
  EXPECT_TRUE(*hub_->content().FindBySha256(young.sha256));
  for (const content::File& file : kept) ASSERT_TRUE(*hub_->content().FindBySha256(file.sha256));

  ASSERT_OK(hub_->repositories().Delete(ada_, *repository));
  Wait(kKeepUnreferred + std::chrono::hours(2));
  collected = CollectContent(*hub_);
  ASSERT_OK(collected);
  EXPECT_EQ(collected->files, kept.size() + 1);
}

}  // namespace
}  // namespace bothy
