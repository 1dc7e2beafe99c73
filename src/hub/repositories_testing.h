// What the tests of repositories share: a database with people, a folder for git, and large content in memory.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hub/accounts_testing.h"
#include "hub/large_content.h"
#include "hub/repositories.h"
#include "hub/repository_content.h"
#include "store/database/testing.h"
#include "store/git/commit_session.h"
#include "store/git/refs.h"
#include "store/git/tree.h"

namespace bothy {

// Safe for one thread.
class LargeContentInMemory final : public LargeContent {
 public:
  void Add(int64_t user_id, const std::string& sha256, std::string bytes) {
    sent_.emplace(user_id, sha256);
    contents_[sha256] = std::move(bytes);
  }

  Result<std::vector<std::optional<LargeFile>>> Find(std::span<const std::string> sha256s) const override {
    std::vector<std::optional<LargeFile>> found;
    for (const std::string& sha256 : sha256s) {
      const auto it = contents_.find(sha256);
      found.push_back(it == contents_.end()
                          ? std::nullopt
                          : std::optional(LargeFile{.size = it->second.size(), .xet_hash = std::string(64, 'e')}));
    }
    return found;
  }
  Result<std::vector<std::optional<LargeFile>>> Touch(std::span<const std::string> sha256s) const override {
    return Find(sha256s);
  }
  Result<bool> SentBy(int64_t user_id, const std::string& sha256) const override {
    return sent_.contains({user_id, sha256});
  }
  Result<std::unique_ptr<ByteSource>> Open(const std::string& sha256, std::string name) const override {
    const auto it = contents_.find(sha256);
    if (it == contents_.end()) return Fail(ErrorCode::kNotFound, "{}: there is no content {}", name, sha256);
    return MemorySource(std::move(name), it->second);
  }

 private:
  std::map<std::string, std::string> contents_;
  std::set<std::pair<int64_t, std::string>> sent_;
};

class RepositoriesTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped()) return;
    database_ = Open();
    ada_ = AddUser("ada");
    bob_ = AddUser("Bob");
    Restart();
  }

  // As after the end of the program: nothing is open, nothing is under way.
  void Restart() {
    repositories_.reset();
    repositories_ = std::make_unique<Repositories>(
        *database_, folder() / "git", [this] { return Timestamp(std::chrono::seconds(1'700'000'000 + seconds_++)); });
  }

  Actor AddUser(const std::string& name) { return AddUserRow(*database_, name); }

  NewRepository New(const Actor& owner, std::string name, RepositoryKind kind = RepositoryKind::kModel) const {
    return {.kind = kind, .owner_id = owner.user_id, .owner = owner.name, .name = std::move(name)};
  }

  Repository Make(const Actor& owner, const std::string& name, bool is_private = false) {
    NewRepository repository = New(owner, name);
    repository.is_private = is_private;
    auto made = repositories_->Create(owner, repository);
    EXPECT_OK(made);
    return made ? *made : Repository{};
  }

  std::optional<FoundRepository> Find(const std::string& owner, const std::string& name, const Actor& actor = {}) {
    auto found = repositories_->Find(actor, RepositoryKind::kModel, owner, name);
    EXPECT_OK(found);
    return found ? *found : std::nullopt;
  }

  std::shared_ptr<git::GitRepository> Git(const Repository& repository) {
    auto git = repositories_->Open(repository);
    EXPECT_OK(git);
    return git ? *git : nullptr;
  }

  // A commit on the default branch, with the rows of what its pointers refer to.
  git::Oid CommitFiles(const Repository& repository, const std::map<std::string, std::string>& files) {
    git::CommitOptions options{
        .ref = "refs/heads/main", .author = AuthorOf(ada_, repositories_->now()), .message = "files"};
    options.committer = options.author;
    const auto session = git::CommitSession::Begin(Git(repository), options);
    EXPECT_OK(session);
    std::vector<ReferredFile> referred;
    for (const auto& [path, content] : files) {
      EXPECT_OK((*session)->PutFile(*git::RepoPath::Parse(path), content));
      if (const auto pointer = git::ParsePointer(content)) {
        referred.push_back({.sha256 = pointer->sha256, .size = pointer->size, .path = path, .ref = options.ref});
      }
    }
    EXPECT_OK(AddContent(*database_, repository, {.files = referred}, repositories_->now()));
    const auto result = (*session)->Finish();
    EXPECT_OK(result);
    return result ? result->commit : git::Oid{};
  }

  git::Oid Head(const Repository& repository, const std::string& revision = "main") {
    const auto oid = git::Resolve(*Git(repository), revision);
    EXPECT_OK(oid);
    return oid ? *oid : git::Oid{};
  }

  // Nothing where there is no such file.
  std::optional<std::string> FileOf(const Repository& repository, const std::string& path,
                                    const std::string& revision = "main") {
    const auto git = Git(repository);
    const auto entry = git::FindEntry(*git, Head(repository, revision), path);
    EXPECT_OK(entry);
    if (!entry || !*entry) return std::nullopt;
    const auto text = git::ReadBlob(*git, (*entry)->oid, 1 << 20);
    EXPECT_OK(text);
    return text ? std::optional(*text) : std::nullopt;
  }

  template <class... Values>
  int64_t Count(Sql<Values...> sql, const Values&... values) {
    const auto count = database_->Read([&](Transaction& t) { return t.QueryOne<int64_t>(sql, values...); });
    EXPECT_OK(count);
    return count && *count ? **count : -1;
  }

  template <class... Values>
  void Execute(Sql<Values...> sql, const Values&... values) {
    EXPECT_OK(database_->Write([&](Transaction& t) { return t.Execute(sql, values...); }));
  }

  std::unique_ptr<Database> database_;
  std::unique_ptr<Repositories> repositories_;
  LargeContentInMemory content_;
  Actor ada_;
  Actor bob_;
  int64_t seconds_ = 0;
};

}  // namespace bothy
